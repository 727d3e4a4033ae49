//! The outcome that is reported of a rescue, or of an interruption without one.

use crate::clock::seconds_between;
use crate::event::Interruption;
use crate::plan::facts::breaker;
use crate::plan::lineage::Lineage;
use crate::plan::network::{addresses, primary};
use crate::plan::traffic::{dns, register};
use crate::plan::volumes::fate::{Fate, HandOver, Origin};
use crate::record::{FailedPool, Milestone, RecordedVolume};
use crate::report::{Kind, Outcome, VolumeCounts};
use crate::situation::Instance;
use std::collections::BTreeMap;

/// The outcome of a rescue, as far as it has come.
pub fn of_rescue(
    result: Kind,
    lineage: &Lineage,
    interruption: &Interruption,
    hand_over: &HandOver,
    progress: BTreeMap<Milestone, f64>,
) -> Outcome {
    let serves = matches!(result, Kind::BackInService | Kind::ReturnedToSpot);
    let serving = lineage.successor.filter(|_| serves);
    let attached = |wanted: fn(&Origin) -> bool| {
        hand_over.count(|fate| matches!(fate, Fate::Attached { from, .. } if wanted(from)))
    };
    Outcome {
        result,
        rescue: lineage.id.clone(),
        instance: interruption.instance.clone(),
        replacement: lineage.successor.map(|it| it.id.clone()),
        market: lineage.successor.map(|it| it.market),
        instance_type: lineage.successor.map(|it| it.instance_type.clone()),
        refused: refused(lineage, interruption),
        breaker: breaker::open(lineage),
        why: None,
        at: interruption.at,
        reported: lineage.now,
        volumes: VolumeCounts {
            moved: attached(|it| *it == Origin::Moved),
            cloned: attached(|it| matches!(it, Origin::Clone(_))),
            restored: attached(|it| matches!(it, Origin::Snapshot(_))),
            lost: hand_over.count(|fate| *fate == Fate::Lost),
            left: hand_over.count(|fate| matches!(fate, Fate::Left { .. } | Fate::Stuck)),
        },
        restored_from: restored_from(lineage, interruption, hand_over),
        cloned_at: cloned_at(interruption, hand_over),
        seconds: progress,
        targets_missing: serving
            .map(|it| targets_missing(lineage, it))
            .unwrap_or_default(),
        addresses_missing: serving
            .map(|it| addresses_missing(lineage, it))
            .unwrap_or_default(),
        names_left: serving
            .map(|it| dns::names_left(lineage, it))
            .unwrap_or_default(),
        address_lost: lineage
            .successor
            .and_then(|it| primary::missed(lineage, it)),
        changed: lineage.record.changed.clone(),
    }
}

/// The pools that refused a launch of this rescue.
fn refused(lineage: &Lineage, interruption: &Interruption) -> Vec<String> {
    let failed = lineage.record.failed_pools.iter();
    let mut of_this: Vec<&FailedPool> = failed
        .filter(|it| it.at.unix_timestamp() >= interruption.at.unix_timestamp())
        .collect();
    of_this.sort_by_key(|it| (it.at, &it.pool));
    of_this.iter().map(ToString::to_string).collect()
}

/// The targets that could not be registered, for a person to look after.
fn targets_missing(lineage: &Lineage, instance: &Instance) -> Vec<String> {
    let missing = register::missing(lineage, instance);
    missing.iter().map(|it| it.target().to_string()).collect()
}

/// The allocations of the Elastic IPs that are not where they were.
fn addresses_missing(lineage: &Lineage, instance: &Instance) -> Vec<String> {
    let missing = addresses::missing(lineage, instance).into_iter();
    missing.map(|it| it.allocation.to_string()).collect()
}

/// For each clone, how many seconds after the interruption it was made. Later writes of the old instance are not in it.
fn cloned_at(interruption: &Interruption, hand_over: &HandOver) -> BTreeMap<String, f64> {
    let at = |(recorded, fate): &(RecordedVolume, Fate)| match fate {
        Fate::Attached {
            from: Origin::Clone(at),
            ..
        } => Some((
            recorded.device.clone(),
            seconds_between(interruption.at, *at),
        )),
        Fate::Attached { .. } | Fate::Coming | Fate::Lost | Fate::Left { .. } | Fate::Stuck => None,
    };
    hand_over.volumes.iter().filter_map(at).collect()
}

/// For each restored volume, how old its data is: seconds between the snapshot and the interruption
/// (0 if the snapshot is younger).
fn restored_from(
    lineage: &Lineage,
    interruption: &Interruption,
    hand_over: &HandOver,
) -> BTreeMap<String, f64> {
    let snapshots = lineage
        .facts
        .snapshots
        .known()
        .map(Vec::as_slice)
        .unwrap_or_default();
    let age = |(recorded, fate): &(RecordedVolume, Fate)| {
        let Fate::Attached {
            from: Origin::Snapshot(origin),
            ..
        } = fate
        else {
            return None;
        };
        let snapshot = snapshots
            .iter()
            .find(|it| it.id.as_str() == origin.as_str())?;
        Some((
            recorded.device.clone(),
            seconds_between(snapshot.started, interruption.at),
        ))
    };
    hand_over.volumes.iter().filter_map(age).collect()
}

/// The outcome of an interruption without a replacement.
pub fn of_owner(
    result: Kind,
    lineage: &Lineage,
    interruption: &Interruption,
    seconds: BTreeMap<Milestone, f64>,
) -> Outcome {
    let serves = matches!(result, Kind::Resumed | Kind::WarningWithdrawn);
    let serving = lineage.owner.filter(|_| serves);
    Outcome {
        result,
        rescue: lineage.id.clone(),
        instance: interruption.instance.clone(),
        replacement: None,
        market: None,
        instance_type: None,
        refused: Vec::new(),
        breaker: None,
        why: None,
        at: interruption.at,
        reported: lineage.now,
        volumes: VolumeCounts::default(),
        restored_from: BTreeMap::new(),
        cloned_at: BTreeMap::new(),
        address_lost: None,
        changed: lineage.record.changed.clone(),
        seconds,
        targets_missing: serving
            .map(|it| targets_missing(lineage, it))
            .unwrap_or_default(),
        addresses_missing: Vec::new(),
        names_left: serving
            .map(|it| dns::names_left(lineage, it))
            .unwrap_or_default(),
    }
}
