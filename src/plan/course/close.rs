//! The end of a rescue: the successor becomes the owner on record, and the outcome is reported once.

use crate::clock::seconds_between;
use crate::event::{InstanceAction, Interruption};
use crate::plan::capacity::deaths;
use crate::plan::course::{outcome, owed, progress, tidy};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::expiry;
use crate::plan::marks::room::{record, volume};
use crate::plan::network::primary;
use crate::plan::traffic::register;
use crate::plan::volumes::fate::{Fate, HandOver};
use crate::plan::volumes::root;
use crate::record::{Milestone, Named, Record, RecordedVolume, volumes_of};
use crate::report::Kind;
use crate::situation::Instance;
use crate::step::{Action, Step};

pub const STEP: &str = "hand over";

/// Makes the successor the owner on record. A tombstone names its instance, so one that is left here says nothing about
/// the new owner; the next look removes it.
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
    let tags = record::onto_record(&tags, template);
    let step = Step::new(STEP, Action::Tag { resources, tags });
    let marked = [
        kept_root(lineage, hand_over, plan),
        expire_interface(lineage, successor, plan),
    ];
    let marked = marked.iter().flatten();
    plan.step(marked.fold(step, |step, id| step.after(id)));
    let mut reached = progress::reached(lineage, interruption, hand_over);
    let now = seconds_between(interruption.at, lineage.now);
    reached.entry(Milestone::BackInService).or_insert(now);
    let result = match interruption.action {
        InstanceAction::Return => Kind::ReturnedToSpot,
        InstanceAction::Terminate | InstanceAction::Stop | InstanceAction::Hibernate => {
            Kind::BackInService
        }
    };
    let mut outcome = outcome::of_rescue(result, lineage, interruption, hand_over, reached);
    if outcome.is_lacking() {
        outcome.result = Kind::Incomplete;
    }
    plan.outcome = Some((STEP.to_owned(), outcome));
    plan.wait(15, "what the rescue leaves behind");
}

/// The old root volume, if it was to be kept and stays behind, is tagged before the record stops naming it.
fn kept_root(lineage: &Lineage, hand_over: &HandOver, plan: &mut Plan) -> Option<String> {
    let (recorded, fate) = hand_over.root()?;
    let volumes = lineage.facts.volumes.known()?;
    // A volume without room for our tags is never deleted as left over.
    let exists = volumes
        .iter()
        .any(|it| it.id == recorded.volume && volume::may_expire(it));
    let Fate::Left { why } = fate else {
        return None;
    };
    exists.then(|| root::mark_kept(lineage, recorded, why, plan))
}

/// An old primary interface that was not brought back gets an expiry date now, since the new record no longer names it.
fn expire_interface(lineage: &Lineage, successor: &Instance, plan: &mut Plan) -> Option<String> {
    primary::missed(lineage, successor)?;
    let left = primary::left_over(lineage).filter(|it| volume::is_markable(&it.tags))?;
    let step = expiry::expire_later(lineage, left.id.to_string());
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
        // The function's own launch is in no EC2 Fleet that would replace it.
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
