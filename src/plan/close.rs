//! The end of a rescue: the successor becomes the owner, and the outcome is told, once.

use super::volumes::{Fate, HandOver, Origin};
use super::{
    Lineage, Plan, addresses, breaker, deaths, dns, owed, primary, progress, register, room, root,
    tidy,
};
use crate::clock::seconds_between;
use crate::event::{InstanceAction, Interruption};
use crate::record::{FailedPool, Milestone, Named, Record, RecordedVolume, volumes_of};
use crate::report::{Kind, Outcome, VolumeCounts};
use crate::situation::Instance;
use crate::step::{Action, Step};
use std::collections::BTreeMap;

pub const STEP: &str = "hand over";

/// Makes the successor the owner of everything on record. A tombstone names its instance, so one
/// that is left behind here says nothing about the new owner; the next look removes it.
pub fn plan(lineage: &Lineage, interruption: &Interruption, hand_over: &HandOver, plan: &mut Plan) {
    let (Some(successor), Some(template)) = (lineage.successor, lineage.template()) else {
        return;
    };
    let mut record = handed_over(lineage, successor, hand_over);
    if interruption.action.ends() {
        record
            .expiring
            .extend(tidy::without_room(lineage, &record, hand_over));
    }
    let resources = vec![template.id.to_string()];
    let mut tags = record.to_tags();
    tags.extend(deaths::handed_over(template, successor));
    let owed = owed::handed_over(lineage, interruption, successor, template);
    tags.extend(owed);
    let tags = room::onto_record(&tags, template);
    let step = Step::new(STEP, Action::Tag { resources, tags });
    let marked = [
        kept_root(lineage, hand_over, plan),
        expire_interface(lineage, successor, plan),
    ];
    let marked = marked.iter().flatten();
    plan.step(marked.fold(step, |step, id| step.after(id)));
    let mut reached = progress::reached(lineage, interruption, hand_over);
    let now = seconds_between(interruption.at, lineage.situation.now);
    reached.entry(Milestone::BackInService).or_insert(now);
    let result = match interruption.action {
        InstanceAction::Return => Kind::ReturnedToSpot,
        InstanceAction::Terminate | InstanceAction::Stop | InstanceAction::Hibernate => {
            Kind::BackInService
        }
    };
    let mut outcome = outcome(result, lineage, interruption, hand_over, reached);
    if outcome.is_lacking() {
        outcome.result = Kind::Incomplete;
    }
    plan.outcome = Some((STEP.to_owned(), outcome));
    plan.wait(15, "what the rescue leaves behind");
}

/// A root that stays behind although it was to be kept is marked before it looks like any other.
fn kept_root(lineage: &Lineage, hand_over: &HandOver, plan: &mut Plan) -> Option<String> {
    let (recorded, fate) = hand_over.root()?;
    let volumes = lineage.situation.volumes.known()?;
    // Without room for a mark nothing takes it for one that may go.
    let exists = volumes
        .iter()
        .any(|it| it.id == recorded.volume && room::may_expire(it));
    let Fate::Left { why } = fate else {
        return None;
    };
    exists.then(|| root::keep(lineage, recorded, why, plan))
}

/// Once another one is on record, nobody would look for it.
fn expire_interface(lineage: &Lineage, successor: &Instance, plan: &mut Plan) -> Option<String> {
    primary::missed(lineage, successor)?;
    let left = primary::left_over(lineage).filter(|it| room::is_markable(&it.tags))?;
    let step = tidy::expire_later(lineage, left.id.to_string());
    let id = step.id.clone();
    plan.step(step);
    Some(id)
}

fn handed_over(lineage: &Lineage, successor: &Instance, hand_over: &HandOver) -> Record {
    let arrived = hand_over
        .volumes
        .iter()
        .filter_map(|(recorded, fate)| match fate {
            Fate::Attached { volume, .. } => Some(RecordedVolume {
                volume: volume.clone(),
                ..recorded.clone()
            }),
            Fate::Coming | Fate::Lost | Fate::Left { .. } | Fate::Stuck => None,
        });
    let mut volumes: Vec<RecordedVolume> = arrived.collect();
    let own = volumes_of(successor).into_iter();
    let has_root = volumes.iter().any(|it| it.root);
    volumes.extend(own.filter(|it| it.root && !has_root));
    let mut record = Record {
        head: Some(successor.id.clone()),
        volumes,
        targets: register::handed_over(lineage, successor),
        left_targets: Vec::new(),
        // What we have launched is of no fleet that would replace it.
        fleet: None,
        private_addresses: successor.private_addresses.clone(),
        named: lineage
            .record
            .named
            .clone()
            .map(|it| Named::of(it.name, successor)),
        interfaces: primary::handed_over(lineage, successor),
        ..lineage.record.clone()
    };
    if let (Some(place), Some(subnet)) = (&mut record.place, &successor.subnet) {
        place
            .availability_zone
            .clone_from(&successor.availability_zone);
        place.subnet = subnet.clone();
    }
    record
}

/// The report of a rescue, as far as it came.
pub fn outcome(
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
        rescue: lineage.situation.lineage.clone(),
        instance: interruption.instance.clone(),
        replacement: lineage.successor.map(|it| it.id.clone()),
        market: lineage.successor.map(|it| it.market),
        instance_type: lineage.successor.map(|it| it.instance_type.clone()),
        refused: refused(lineage, interruption),
        breaker: breaker::open(lineage),
        why: None,
        at: interruption.at,
        reported: lineage.situation.now,
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

/// What had no capacity in this rescue.
fn refused(lineage: &Lineage, interruption: &Interruption) -> Vec<String> {
    let failed = lineage.record.failed_pools.iter();
    let mut of_this: Vec<&FailedPool> = failed
        .filter(|it| it.at.unix_timestamp() >= interruption.at.unix_timestamp())
        .collect();
    of_this.sort_by_key(|it| (it.at, &it.pool));
    of_this.iter().map(ToString::to_string).collect()
}

/// The names of the targets nobody could register, for a person to look after.
pub fn targets_missing(lineage: &Lineage, instance: &Instance) -> Vec<String> {
    let missing = register::missing(lineage, instance);
    missing.iter().map(|it| it.target().to_string()).collect()
}

/// The allocations of the Elastic IPs that are not where they were.
pub fn addresses_missing(lineage: &Lineage, instance: &Instance) -> Vec<String> {
    let missing = addresses::missing(lineage, instance).into_iter();
    missing.map(|it| it.allocation.to_string()).collect()
}

/// For each clone, when it was made: seconds after the interruption. What the old instance wrote
/// later is not in it.
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
        .situation
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
