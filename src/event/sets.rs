//! The snapshots that a chain of wakes knows by their ids: in an account with very many, they are all that is known.

use crate::id::SnapshotId;
use serde_json::Value;
use std::collections::BTreeSet;

/// The snapshots of one lineage.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Sets {
    /// Snapshots that calls of this rescue have returned.
    pub taken: BTreeSet<SnapshotId>,
    /// Listing them by their tag did not end: those above are asked for by their ids alone.
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

    pub fn merge(&mut self, other: &Self) {
        self.taken.extend(other.taken.iter().cloned());
        self.unlisted |= other.unlisted;
    }

    /// The ids to read where no listing is possible.
    #[must_use]
    pub fn known(&self) -> Option<&BTreeSet<SnapshotId>> {
        Some(&self.taken).filter(|it| !it.is_empty())
    }
}
