//! The tags `spot-rescue:rehearsed` and `spot-rescue:caveat-<n>`: which version of the prepared rescue was rehearsed,
//! when, and what a warning would be refused.

use crate::clock::Timestamp;
use crate::tags::{self, Tags};
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rehearsed {
    /// The version, and when every dry run of it was last answered.
    pub whole: Option<(u64, Timestamp)>,
    /// In the order of their names.
    pub caveats: Vec<Caveat>,
}

/// A step that would be refused, and the code.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Caveat {
    pub what: String,
    pub code: String,
}

/// More are not on record: the first ones show what is wrong.
const MOST: usize = 12;

impl Caveat {
    /// Neither word has a space inside, nor a character that tags do not allow.
    #[must_use]
    pub fn new(what: &str, code: &str) -> Self {
        let allowed = |it: &char| it.is_ascii_alphanumeric() || "._-/:".contains(*it);
        let plain = |text: &str| text.chars().filter(allowed).take(100).collect();
        Self {
            what: plain(what),
            code: plain(code),
        }
    }

    fn parse(text: &str) -> Option<Self> {
        let (what, code) = text.split_once('=')?;
        Some(Self {
            what: what.to_owned(),
            code: code.to_owned(),
        })
    }
}

impl fmt::Display for Caveat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}={}", self.what, self.code)
    }
}

impl Rehearsed {
    #[must_use]
    pub fn new(whole: Option<(u64, Timestamp)>, caveats: impl IntoIterator<Item = Caveat>) -> Self {
        let caveats = caveats.into_iter().take(MOST).collect();
        Self { whole, caveats }
    }

    #[must_use]
    pub fn from_tags(tags: &Tags) -> Self {
        let whole = tags.get(tags::REHEARSED).and_then(|it| whole(it));
        let caveats = tags::unpack(tags::CAVEATS, tags).filter_map(Caveat::parse);
        Self {
            whole,
            caveats: caveats.collect(),
        }
    }

    #[must_use]
    pub fn to_tags(&self) -> Tags {
        let caveats = self.caveats.iter().map(ToString::to_string);
        let mut all = tags::pack(tags::CAVEATS, caveats);
        if let Some((version, at)) = self.whole {
            let text = format!("{version} {}", at.unix_timestamp());
            all.insert(tags::REHEARSED.to_owned(), text);
        }
        all
    }
}

fn whole(text: &str) -> Option<(u64, Timestamp)> {
    let (version, at) = text.split_once(' ')?;
    let at = Timestamp::from_unix_timestamp(at.parse().ok()?).ok()?;
    Some((version.parse().ok()?, at))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read_back_and_fits() {
        let caveat = |n: u8| {
            let what = format!("launch/spot/subnet-0123456789abcdef{n}/key pair \"ü\"");
            Caveat::new(&what, "InvalidKeyPair.NotFound")
        };
        let rehearsed = Rehearsed {
            whole: Some((7, Timestamp::from_unix_timestamp(1_790_000_000).unwrap())),
            caveats: (0..8).map(caveat).collect(),
        };
        let tags = rehearsed.to_tags();
        assert!(tags.values().all(|it| it.len() <= 256) && tags.len() <= 6);
        assert_eq!(Rehearsed::from_tags(&tags), rehearsed);
        assert_eq!(Rehearsed::from_tags(&Tags::new()), Rehearsed::default());
    }

    #[test]
    fn what_is_not_understood_is_left_out() {
        for (key, value) in [
            (tags::REHEARSED, "7"),
            (tags::REHEARSED, "x 1"),
            (tags::REHEARSED, "7 99999999999999999"),
            ("spot-rescue:caveat-1", "launch"),
        ] {
            let tags = Tags::from([(key.to_owned(), value.to_owned())]);
            assert_eq!(Rehearsed::from_tags(&tags), Rehearsed::default(), "{value}");
        }
    }
}
