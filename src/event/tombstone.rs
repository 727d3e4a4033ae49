//! The memory of a warning, as a tag says it.

use super::{InstanceAction, Interruption};
use crate::clock;

/// The tombstone's text. It names the instance, so that the successor never inherits it.
#[must_use]
pub fn interruption_text(interruption: &Interruption) -> String {
    let Interruption {
        instance,
        action,
        at,
    } = interruption;
    format!("{instance} {} {action}", clock::format(*at))
}

#[must_use]
pub fn interruption_from(text: &str) -> Option<Interruption> {
    let mut words = text.split(' ');
    let interruption = Interruption {
        instance: words.next()?.parse().ok()?,
        at: clock::parse(words.next()?).ok()?,
        action: InstanceAction::recorded(words.next()?)?,
    };
    // How far the first look has come; an unknown word, of another version of the function, is ignored.
    words.nth(1).is_none().then_some(interruption)
}

/// How far the first looks at an interrupted instance have come. A word behind the record's tombstone says so, for
/// the invocation that continues after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum FirstLook {
    /// The record is as old as the last sweep.
    #[default]
    Open,
    /// The record is as old as the last sweep, and the tombstone was written by a late look: an earlier one may
    /// remember more.
    Missed,
    /// What the instance has is on record.
    Seen,
    /// Its targets are on record as well: every target group has been asked.
    Listed,
}

impl FirstLook {
    /// The word in a record's tombstone.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let word = text.split(' ').nth(3);
        word.and_then(Self::parse).unwrap_or_default()
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
            "missed" => Some(Self::Missed),
            "seen" => Some(Self::Seen),
            "listed" => Some(Self::Listed),
            _ => None,
        }
    }

    /// The record's tombstone.
    #[must_use]
    pub fn text(self, interruption: &Interruption) -> String {
        let word = match self {
            Self::Open => "",
            Self::Missed => " missed",
            Self::Seen => " seen",
            Self::Listed => " listed",
        };
        interruption_text(interruption) + word
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_tombstone_is_read_back_and_an_edited_one_is_not_believed() {
        let text = "i-0123456789abcdef0 2026-11-23T10:00:00Z hibernate";
        let interruption = interruption_from(text).unwrap();
        assert_eq!(interruption_text(&interruption), text);
        for it in [
            FirstLook::Open,
            FirstLook::Missed,
            FirstLook::Seen,
            FirstLook::Listed,
        ] {
            let text = it.text(&interruption);
            assert_eq!(FirstLook::of(&text), it);
            assert_eq!(interruption_from(&text).as_ref(), Some(&interruption));
        }
        let later = format!("{text} whatever");
        assert_eq!(interruption_from(&later).as_ref(), Some(&interruption));
        assert_eq!(FirstLook::of(&later), FirstLook::Open);
        for bad in [
            "",
            "i-0123456789abcdef0 2026-11-23T10:00:00Z stop seen listed",
            "i-0123456789abcdef0",
            "x 2026-11-23T10:00:00Z stop",
            "a b c d",
        ] {
            assert_eq!(interruption_from(bad), None, "{bad}");
        }
    }
}
