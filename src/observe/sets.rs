//! Snapshots: found by their tag, or, where an account has very many of them, by the ids that a rescue knows.
//!
//! EC2 turns the pages of all that an account has and filters each (TRAP 47): of a hundred thousand snapshots none may be
//! found within two minutes. A rescue needs those that it has taken itself, and these its calls have returned.

use super::fact;
use crate::cloud::{Cloud, CloudError, Query};
use crate::event::Sets;
use crate::id::{InstanceId, SnapshotId};
use crate::situation::{Fact, Snapshot, SnapshotState};
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};

/// The snapshots that the rescues of a batch know by their ids.
#[derive(Debug, Clone, Default)]
pub struct Known(pub BTreeMap<InstanceId, Sets>);

/// What has been read.
#[derive(Debug)]
pub struct Found {
    listed: Fact<Vec<Snapshot>>,
    /// The listing did not end.
    pub endless: bool,
    by_id: Vec<Snapshot>,
    asked: Known,
}

impl Known {
    /// A listing that did not end a moment ago is not repeated, as long as the ids suffice.
    fn suffices(&self, lineages: &BTreeSet<InstanceId>) -> bool {
        lineages.iter().all(|it| {
            let its = self.0.get(it);
            its.is_some_and(|it| it.unlisted && it.known().is_some())
        })
    }

    fn ids(&self) -> Query {
        let taken = self.0.values().flat_map(|it| &it.taken);
        let taken: BTreeSet<SnapshotId> = taken.cloned().collect();
        Query::Snapshots(taken.into_iter().collect())
    }
}

/// By their tag.
pub async fn list(
    cloud: &dyn Cloud,
    lineages: &BTreeSet<InstanceId>,
    known: &Known,
    of_lineage: &Query,
) -> Result<Vec<Snapshot>, CloudError> {
    if known.suffices(lineages) {
        return Err(CloudError::too_long(
            "DescribeSnapshots",
            "not listed again",
        ));
    }
    cloud.snapshots(of_lineage).await
}

/// By their ids, where listing them does not end.
pub async fn find(
    cloud: &dyn Cloud,
    listed: Result<Vec<Snapshot>, CloudError>,
    asked: Known,
) -> Found {
    let endless = listed.as_ref().is_err_and(CloudError::is_too_long);
    let ids = asked.ids();
    let by_id = if endless && !ids.names_nothing() {
        let read = cloud.snapshots(&ids).await;
        read.inspect_err(|error| tracing::warn!(%error, "failed to read; planning without it"))
            .unwrap_or_default()
    } else {
        Vec::new()
    };
    Found {
        listed: fact(listed),
        endless,
        by_id,
        asked,
    }
}

impl Found {
    /// The snapshots of one lineage. Where they were not listed and a known one is not visible, or has failed, an
    /// older one would count in its place: then the answer is that they are not known.
    pub fn of(&self, lineage: &InstanceId) -> Fact<Vec<Snapshot>> {
        let ours = |it: &&Snapshot| {
            it.tags.get(tags::RESCUE).map(String::as_str) == Some(lineage.as_str())
        };
        let select = |all: &[Snapshot]| all.iter().filter(ours).cloned().collect::<Vec<_>>();
        let taken = self.asked.0.get(lineage).and_then(Sets::known);
        let Some(taken) = taken.filter(|_| self.endless) else {
            return self.listed.of(|all| select(all));
        };
        let mut found = select(&self.by_id);
        found.retain(|it| taken.contains(&it.id));
        let all_serve = found.iter().all(|it| it.state != SnapshotState::Unusable);
        if found.len() == taken.len() && all_serve {
            Fact::Known(found)
        } else {
            self.listed.of(|all| select(all))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::TOO_LONG;
    use crate::tags::Tags;
    use time::OffsetDateTime;

    const LINEAGE: &str = "i-0123456789abcdef0";

    fn id<T: std::str::FromStr>(text: &str) -> T {
        let id = text.parse().ok();
        id.expect("an id")
    }

    fn snapshot(n: u8, of: &str, state: SnapshotState) -> Snapshot {
        Snapshot {
            id: id(&format!("snap-{n:017x}")),
            volume: id("vol-0123456789abcdef0"),
            state,
            started: OffsetDateTime::UNIX_EPOCH,
            completed: None,
            description: String::new(),
            tags: Tags::from([(tags::RESCUE.to_owned(), of.to_owned())]),
        }
    }

    /// The known ids, what was found by them, and whether that is all.
    #[test]
    fn what_is_not_listed_is_known_only_if_all_that_was_taken_is_there_and_serves() {
        use SnapshotState::{Completed, Pending, Unusable};
        let own = |n, state| snapshot(n, LINEAGE, state);
        for (taken, by_id, known) in [
            (vec![1, 2], vec![own(1, Pending), own(2, Completed)], true),
            (vec![1, 2], vec![own(1, Completed)], false),
            (vec![1, 2], vec![own(1, Completed), own(2, Unusable)], false),
            (
                vec![1],
                vec![snapshot(1, "i-0aaaaaaaaaaaaaaaa", Completed)],
                false,
            ),
            (vec![], vec![], false),
        ] {
            let sets = Sets {
                taken: taken
                    .iter()
                    .map(|n| id(&format!("snap-{n:017x}")))
                    .collect(),
                unlisted: true,
            };
            let found = Found {
                listed: fact(Err(CloudError::new(
                    "DescribeSnapshots",
                    TOO_LONG,
                    "",
                    None,
                ))),
                endless: true,
                by_id: by_id.clone(),
                asked: Known(BTreeMap::from([(id(LINEAGE), sets)])),
            };
            let of = found.of(&id(LINEAGE));
            assert_eq!(of.known(), known.then_some(&by_id), "{taken:?}");
            assert_ne!(of, Fact::NotRead);
        }
    }
}
