//! A version of the prepared rescue without the settings that a launch was refused for: which version it is made
//! from, and when that was decided. Whether it exists is known from the version on record.

use crate::clock::{self, Timestamp};
use crate::situation::Template;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plain {
    /// The version that was launched before.
    pub after: u64,
    pub at: Timestamp,
}

impl Plain {
    /// `<version> <when>`
    #[must_use]
    pub fn text(&self) -> String {
        format!("{} {}", self.after, clock::format(self.at))
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let (after, at) = text.split_once(' ')?;
        Some(Self {
            after: after.parse().ok()?,
            at: clock::parse(at).ok()?,
        })
    }

    #[must_use]
    pub fn is_made(&self, template: &Template) -> bool {
        let current = template.versions().map(|it| it.0);
        current.is_some_and(|it| it > self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back() {
        let text = "3 2026-11-23T10:00:00Z";
        assert_eq!(Plain::parse(text).unwrap().text(), text);
        for bad in ["", "3", "three 2026-11-23T10:00:00Z", "3 later"] {
            assert_eq!(Plain::parse(bad), None, "{bad}");
        }
    }
}
