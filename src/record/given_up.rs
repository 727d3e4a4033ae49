//! What was tried for an instance and given up: for which one, when, and why. It names its instance, so that the next
//! owner never inherits it.

use crate::clock::{self, Timestamp};
use crate::id::InstanceId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GivenUp {
    pub of: InstanceId,
    pub at: Timestamp,
    /// In a few words, for a person.
    pub why: String,
}

impl GivenUp {
    /// `i-… <when> <why>`
    #[must_use]
    pub fn text(&self) -> String {
        let Self { of, at, why } = self;
        format!("{of} {} {why}", clock::format(*at))
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.splitn(3, ' ');
        Some(Self {
            of: words.next()?.parse().ok()?,
            at: clock::parse(words.next()?).ok()?,
            why: words.next()?.to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_reason_is_read_back_whole() {
        let text = "i-0123456789abcdef0 2026-11-23T10:00:00Z its termination protection is on";
        let given_up = GivenUp::parse(text).unwrap();
        assert_eq!(given_up.why, "its termination protection is on");
        assert_eq!(given_up.text(), text);
        for bad in ["", "i-0123456789abcdef0", "i-0123456789abcdef0 later no"] {
            assert_eq!(GivenUp::parse(bad), None, "{bad}");
        }
    }
}
