//! Replacements that ended before they took over, as the record remembers them: EC2 shows them for an hour, and
//! the request that brought one names it for ever.

use crate::clock::{self, Timestamp};
use crate::id::InstanceId;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deaths {
    /// The newest of them: the next launch is a request to replace it.
    pub newest: InstanceId,
    /// When that one was launched.
    pub launched: Timestamp,
    /// How many died while they booted.
    pub booting: u32,
    /// The reason of the newest of those: EC2 soon shows terminated instances without their tags.
    pub reason: Option<String>,
}

impl Deaths {
    /// `i-… <when it was launched> <how many died booting> <what of>`
    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            newest,
            launched,
            booting,
            reason,
        } = self;
        let at = clock::format(*launched);
        let reason = reason.iter().map(|it| format!(" {it}"));
        format!("{newest} {at} {booting}{}", reason.collect::<String>())
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split(' ');
        Some(Self {
            newest: words.next()?.parse().ok()?,
            launched: clock::parse(words.next()?).ok()?,
            booting: words.next()?.parse().ok()?,
            reason: words.next().map(str::to_owned),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_remembered_is_read_back() {
        let without = "i-0123456789abcdef0 2026-11-23T10:00:00Z 2";
        let reason = "Server.InternalError";
        for (text, reason) in [
            (without.to_owned(), None),
            (format!("{without} {reason}"), Some(reason)),
        ] {
            let deaths = Deaths::parse(&text).unwrap();
            assert_eq!((deaths.booting, deaths.text()), (2, text));
            assert_eq!(deaths.reason.as_deref(), reason);
        }
        for bad in ["", "i-0123456789abcdef0", "i-0123456789abcdef0 later 1"] {
            assert_eq!(Deaths::parse(bad), None, "{bad}");
        }
    }
}
