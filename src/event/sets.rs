//! What a chain of wakes knows of snapshots by itself: in an account with very many of them it is all that is known.

use crate::id::SnapshotId;
use serde_json::Value;
use std::collections::BTreeSet;

/// The snapshots of one lineage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sets {
    /// Those that calls of this rescue have returned.
    pub taken: BTreeSet<SnapshotId>,
    /// There was no end of looking for them by their tag: those above are asked for by their ids alone.
    pub unlisted: bool,
}

impl Sets {
    pub(super) fn read(taken: &Value, unlisted: &Value) -> Self {
        let taken = taken.as_array().into_iter().flatten();
        let taken = taken.filter_map(|it| it.as_str()?.parse().ok());
        Self {
            taken: taken.collect(),
            unlisted: unlisted.as_bool().unwrap_or(false),
        }
    }

    pub fn learn(&mut self, other: &Self) {
        self.taken.extend(other.taken.iter().cloned());
        self.unlisted |= other.unlisted;
    }

    /// The ids to go by where no listing does.
    #[must_use]
    pub fn known(&self) -> Option<&BTreeSet<SnapshotId>> {
        Some(&self.taken).filter(|it| !it.is_empty())
    }
}
