//! A stand-in that was to give way to Spot and could not: which instance, since when, and why.

use crate::clock::{self, Timestamp};
use crate::id::InstanceId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Stay {
    pub instance: InstanceId,
    pub at: Timestamp,
    /// In a few words, for a person.
    pub why: String,
}

impl Stay {
    /// `i-… <when> <why>`
    #[must_use]
    pub fn text(&self) -> String {
        let Self { instance, at, why } = self;
        format!("{instance} {} {why}", clock::format(*at))
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(3, ' ');
        Some(Self {
            instance: words.next()?.parse().ok()?,
            at: clock::parse(words.next()?).ok()?,
            why: words.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_of_a_stay_is_read_back() {
        let text = "i-0123456789abcdef0 2026-11-23T10:00:00Z its termination protection is on";
        let stay = Stay::parse(text).unwrap();
        assert_eq!(stay.why, "its termination protection is on");
        assert_eq!(stay.text(), text);
        for bad in ["", "i-0123456789abcdef0", "i-0123456789abcdef0 later no"] {
            assert_eq!(Stay::parse(bad), None, "{bad}");
        }
    }
}
