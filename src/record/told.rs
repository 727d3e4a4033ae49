//! What was said of an instance: that it is taken, or may be.

use crate::clock;
use crate::event::{InstanceAction, Interruption, Risk};

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
    let known = words.next().is_none_or(|it| FirstLook::parse(it).is_some());
    (known && words.next().is_none()).then_some(interruption)
}

/// How far the first looks at an interrupted instance have come. A word behind the record's tombstone says so, for
/// whoever comes after a crash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub enum FirstLook {
    /// The record is as old as the last sweep.
    #[default]
    Open,
    /// What the instance has is on record.
    Seen,
    /// So is where it is registered: every target group has been asked.
    Listed,
}

impl FirstLook {
    /// Of a record's tombstone.
    #[must_use]
    pub fn of(text: &str) -> Self {
        let word = text.split(' ').nth(3);
        word.and_then(Self::parse).unwrap_or_default()
    }

    fn parse(word: &str) -> Option<Self> {
        match word {
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
            Self::Seen => " seen",
            Self::Listed => " listed",
        };
        interruption_text(interruption) + word
    }
}

/// `i-… <when> [<date>]`
#[must_use]
pub fn risk_text(risk: &Risk) -> String {
    let Risk { instance, at, due } = risk;
    let due = due.map(|it| format!(" {}", clock::format(it)));
    format!(
        "{instance} {}{}",
        clock::format(*at),
        due.unwrap_or_default()
    )
}

#[must_use]
pub fn risk_from(text: &str) -> Option<Risk> {
    let mut words = text.split(' ');
    Some(Risk {
        instance: words.next()?.parse().ok()?,
        at: clock::parse(words.next()?).ok()?,
        due: words.next().and_then(|it| clock::parse(it).ok()),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_foreseen_is_read_back_with_its_date_or_without() {
        for text in [
            "i-0123456789abcdef0 2026-11-23T10:00:00Z",
            "i-0123456789abcdef0 2026-11-23T10:00:00Z 2026-12-07T18:00:00Z",
        ] {
            assert_eq!(risk_text(&risk_from(text).unwrap()), text);
        }
        for bad in ["", "i-0123456789abcdef0", "i-0123456789abcdef0 soon"] {
            assert_eq!(risk_from(bad), None, "{bad}");
        }
    }

    #[test]
    fn a_tombstone_is_read_back_and_an_edited_one_is_not_believed() {
        let text = "i-0123456789abcdef0 2026-11-23T10:00:00Z hibernate";
        let interruption = interruption_from(text).unwrap();
        assert_eq!(interruption_text(&interruption), text);
        for it in [FirstLook::Open, FirstLook::Seen, FirstLook::Listed] {
            let text = it.text(&interruption);
            assert_eq!(FirstLook::of(&text), it);
            assert_eq!(interruption_from(&text).as_ref(), Some(&interruption));
        }
        for bad in [
            "",
            "i-0123456789abcdef0 2026-11-23T10:00:00Z stop listened",
            "i-0123456789abcdef0 2026-11-23T10:00:00Z stop seen listed",
            "i-0123456789abcdef0",
            "x 2026-11-23T10:00:00Z stop",
            "a b c d",
        ] {
            assert_eq!(interruption_from(bad), None, "{bad}");
        }
    }
}
