//! The tags `spot-rescue:history-<n>`: which instance of a lineage was interrupted, and when. Bounded.

use crate::clock::Timestamp;
use crate::id::InstanceId;
use crate::tags::{self, Tags};

/// More are not remembered; no breaker asks for more.
pub const LONGEST: usize = 10;

/// An instance appears once: its first interruption counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PastInterruption {
    pub instance: InstanceId,
    pub at: Timestamp,
}

/// As tags: the newest.
#[must_use]
pub fn history_tags(history: &[PastInterruption]) -> Tags {
    let mut sorted: Vec<&PastInterruption> = history.iter().collect();
    sorted.sort_by_key(|it| (it.at, &it.instance));
    let newest = &sorted[sorted.len().saturating_sub(LONGEST)..];
    let text = |it: &&PastInterruption| format!("{}={}", it.instance, it.at.unix_timestamp());
    tags::pack(tags::HISTORY, newest.iter().map(text))
}

/// Reads the tags back; what is not understood is left out.
#[must_use]
pub fn history_from(tags: &Tags) -> Vec<PastInterruption> {
    let entry = |text: &str| {
        let (instance, at) = text.split_once('=')?;
        Some(PastInterruption {
            instance: instance.parse().ok()?,
            at: Timestamp::from_unix_timestamp(at.parse().ok()?).ok()?,
        })
    };
    tags::unpack(tags::HISTORY, tags)
        .filter_map(entry)
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_newest_are_remembered() {
        let taken = |n: i64| PastInterruption {
            instance: format!("i-{n:017x}").parse().unwrap(),
            at: Timestamp::from_unix_timestamp(1_790_000_000 + n).unwrap(),
        };
        let all: Vec<PastInterruption> = (0..30).map(taken).collect();
        let tags = history_tags(&all);
        assert!(tags.values().all(|it| it.len() <= 256));
        assert_eq!(history_from(&tags), all[20..]);
    }
}
