//! Where in its chain of wakes a look is, and what follows from that: when what AWS has refused is asked for again.

use super::SOON;
use crate::id::InstanceId;

/// A bucket holds the tokens of ten seconds: asking more often does not help for long.
pub(super) const SPREAD: u16 = 12;
/// The first looks of a chain put nothing off.
const IMPATIENT: u32 = 2;

/// Which look of which lineage this is.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    lineage: &'a InstanceId,
    attempt: u32,
    pub(super) first: bool,
}

impl<'a> Position<'a> {
    /// `beside`: the look was called by an event, while a chain of wakes works on the same lineage.
    pub fn new(lineage: &'a InstanceId, attempt: u32, beside: bool) -> Self {
        Self {
            lineage,
            attempt,
            first: !beside && attempt < IMPATIENT,
        }
    }

    /// Spread out, and not more rarely however long it takes.
    pub(super) fn soon(self) -> u16 {
        SOON + self.spread() * 2
    }

    /// The longer the shortage lasts, the more lineages want the same.
    pub(super) fn later(self) -> u16 {
        let times = 2 + (self.attempt / 10).min(8);
        SOON + self.spread() * u16::try_from(times).unwrap_or(2)
    }

    pub(super) fn spread(self) -> u16 {
        self.jitter() % SPREAD
    }

    /// The same for the same lineage and attempt, and spread out over others.
    pub(super) fn jitter(self) -> u16 {
        let bytes = self.lineage.as_str().bytes();
        let sum = bytes.fold(self.attempt, |sum, it| {
            sum.wrapping_mul(31).wrapping_add(u32::from(it))
        });
        // By the golden ratio: neighbours end up far apart.
        u16::try_from(sum.wrapping_mul(0x9E37_79B1) >> 16).unwrap_or(0)
    }
}
