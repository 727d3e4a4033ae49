//! The scheduled sweep: which lineages get a look, and which expired resources are deleted.

use crate::clock::{self, Timestamp};
use crate::event::Wake;
use crate::id::{ImageId, InstanceId, VolumeId};
use crate::plan::course::tidy;
use crate::record::{Record, expiring_from};
use crate::situation::{
    Holder, Image, Instance, NetworkInterface, Snapshot, Template, Volume, VolumeState,
};
use crate::step::{Action, Network, Step};
use crate::tags::{self, Tags, template_names};
use std::collections::BTreeSet;

/// A resource with one of these tags is kept, whatever the record says.
const PROTECTIVE: [&str; 2] = [tags::KEPT, tags::RAN_AGAIN];

/// Written in place of an expiry date: the resource is never deleted.
const IN_USE: &str = "in-use";

/// The function's resources with an expiry date.
#[derive(Debug, Clone, Default)]
pub struct Expired {
    pub volumes: Vec<Volume>,
    /// Volumes with an expiry date in a record only.
    pub recorded: Vec<Volume>,
    pub snapshots: Vec<Snapshot>,
    pub images: Vec<Image>,
    pub interfaces: Vec<NetworkInterface>,
}

/// One wake per lineage, spread over the queue so that the work is shared out.
#[must_use]
pub fn wakes(now: Timestamp, protected: &[Instance], templates: &[Template]) -> Vec<Step> {
    let wake = |instance| Action::Wake {
        wake: Wake::look(instance),
        delay_seconds: 0,
    };
    let all = lineages(now, protected, templates).into_iter().map(wake);
    all.map(|it| Step::new(it.to_string(), it)).collect()
}

/// The deletions. A resource is deleted only if it has both our tags, sealed for that very resource, and its date is
/// past, and never during a rescue of its lineage.
#[must_use]
pub fn expired(
    now: Timestamp,
    protected: &[Instance],
    templates: &[Template],
    expired: &Expired,
) -> Vec<Step> {
    let busy = in_rescue(templates);
    let is_past = |tags: &Tags| {
        let at = tags
            .get(tags::EXPIRES_AT)
            .and_then(|text| clock::parse(text).ok());
        let kept = tags.contains_key(tags::KEPT);
        !kept && tags.contains_key(tags::RESCUE) && at.is_some_and(|it| it < now)
    };
    let due = |tags: &Tags| {
        let lineage = tags.get(tags::RESCUE);
        lineage.is_some_and(|it| !busy.contains(it.as_str())) && is_past(tags)
    };
    let unused = |it: &Volume| matches!(it.state, VolumeState::Available | VolumeState::Error);
    let free = |it: &&Volume| unused(it) && it.attachments.is_empty() && due(&it.tags);
    let volumes = expired.volumes.iter().filter(free);
    let volumes = volumes.map(|it| Action::DeleteVolume {
        volume: it.id.clone(),
    });
    let recorded = recorded(now, templates, &busy);
    let by_record = |it: &&Volume| recorded.contains(&it.id) && !free(it);
    let unheld = |it: &&Volume| unused(it) && it.attachments.is_empty();
    let kept = |it: &&Volume| PROTECTIVE.iter().any(|key| it.tags.contains_key(*key));
    let on_record = expired.recorded.iter().filter(unheld).filter(by_record);
    let on_record = on_record.filter(|it| !kept(it));
    let on_record = on_record.map(|it| Action::DeleteVolume {
        volume: it.id.clone(),
    });
    let idle = |it: &&NetworkInterface| it.holder == Holder::Free && due(&it.tags);
    let interfaces = expired.interfaces.iter().filter(idle).map(delete_interface);
    // Its user has put it to use, so it is not deleted later when it is free again, either.
    let used = |it: &&Volume| !it.attachments.is_empty() && due(&it.tags);
    let used = expired.volumes.iter().filter(used);
    let held = |it: &&NetworkInterface| it.holder != Holder::Free && due(&it.tags);
    let held = expired.interfaces.iter().filter(held);
    let used = used
        .map(|it| it.id.to_string())
        .chain(held.map(|it| it.id.to_string()))
        .map(in_use);
    let images = expired.images.iter().filter(|it| due(&it.tags));
    let images = images.map(|it| deregister(&it.id));
    let snapshots = expired.snapshots.iter().filter(|it| due(&it.tags));
    let snapshots = snapshots.map(|it| delete_snapshot(it, &expired.images));
    let heads = heads(templates);
    let spent = |it: &&Instance| is_spare(it, &heads) && due(&it.tags);
    let spares = protected.iter().filter(spent);
    let spares = spares.map(|it| Action::Terminate {
        instance: it.id.clone(),
    });
    let claims = templates.iter().filter(|it| is_claim(it));
    let served = claims.filter(|it| !busy.contains(it.tags[tags::RESCUE].as_str()));
    let served = served.map(|it| Action::DeleteTemplate {
        template: it.id.clone(),
    });
    // The launch template of an instance that vanished two weeks ago.
    let forgotten = templates.iter().filter(|it| !is_claim(it) && due(&it.tags));
    let forgotten = forgotten.map(|it| Action::DeleteTemplate {
        template: it.id.clone(),
    });
    let volumes = volumes.chain(on_record);
    let gone: Vec<Step> = volumes.flat_map(|it| past_the_bin(it, expired)).collect();
    interfaces
        .chain(spares)
        .chain(served)
        .chain(forgotten)
        .chain(used)
        .map(|it| Step::new(it.to_string(), it))
        .chain(gone)
        .chain(images)
        .chain(snapshots)
        .collect()
}

/// The Recycle Bin would keep it, at the price of the volume: its mark is taken back first. Overwritten, because the role
/// may remove no tag of a volume.
fn past_the_bin(deletion: Action, expired: &Expired) -> Vec<Step> {
    let delete = Step::new(deletion.to_string(), deletion);
    let mut all = expired.volumes.iter().chain(&expired.recorded);
    let of_it = |it: &&Volume| matches!(&delete.action, Action::DeleteVolume { volume } if *volume == it.id);
    let marked = all
        .find(of_it)
        .filter(|it| it.tags.get(tags::RECYCLE).is_some_and(|it| it == "on"));
    let Some(volume) = marked else {
        return vec![delete];
    };
    let action = Action::Tag {
        resources: vec![volume.id.to_string()],
        tags: Tags::from([(tags::RECYCLE.to_owned(), "off".to_owned())]),
    };
    let unmark = Step::new(action.to_string(), action);
    let delete = delete.after(&unmark.id);
    vec![unmark, delete]
}

/// Volumes that have expired by the record of a lineage that is not in a rescue.
fn recorded(now: Timestamp, templates: &[Template], busy: &BTreeSet<&str>) -> BTreeSet<VolumeId> {
    let rescue = |it: &Template| it.tags.get(tags::RESCUE).cloned();
    let settled = templates
        .iter()
        .filter(|it| rescue(it).is_some_and(|it| !busy.contains(it.as_str())));
    let all = settled.flat_map(|it| expiring_from(&it.tags));
    let due = all.filter(|it| it.at < now && now < it.at + tidy::GRACE);
    due.map(|it| it.volume).collect()
}

/// The volumes that have to be read for that.
#[must_use]
pub fn on_record(now: Timestamp, templates: &[Template]) -> Vec<VolumeId> {
    let all = recorded(now, templates, &in_rescue(templates));
    all.into_iter().collect()
}

/// A replacement that never took over: no record names it as owner. An instance that owns volumes has the tag
/// `spot-rescue:prepared` and is never terminated.
fn is_spare(instance: &Instance, heads: &BTreeSet<InstanceId>) -> bool {
    let tagged = |key| instance.tags.contains_key(key);
    let launched = tagged(tags::LAUNCHED) && tagged(tags::LAUNCHED_FROM);
    // A member of an Auto Scaling group belongs to its group.
    let member = tagged(tags::GROUP_MEMBER);
    // This tag counts even without our seal: a forged one only keeps the instance.
    let prepared = || instance.unproven.iter().any(|it| it == tags::PREPARED);
    let owner = heads.contains(&instance.id) || tagged(tags::PREPARED) || prepared() || member;
    instance.is_alive() && launched && !owner
}

/// The launch template by which a rescue claimed a member of an Auto Scaling group: it is named for the member and
/// tagged with the lineage.
fn is_claim(template: &Template) -> bool {
    let rescue = template
        .tags
        .get(tags::RESCUE)
        .and_then(|it| it.parse().ok());
    let named = rescue.is_some_and(|it: InstanceId| !template_names(&it).contains(&template.name));
    named && template.tags.contains_key(tags::GROUP)
}

fn heads(templates: &[Template]) -> BTreeSet<InstanceId> {
    let records = templates.iter().map(|it| Record::from_tags(&it.tags));
    records.filter_map(|it| it.head).collect()
}

fn in_use(resource: String) -> Action {
    // The second tag keeps the resource as well: an old expiry tag of ours could be put back by anyone who copied it.
    let marks = [
        (tags::EXPIRES_AT, IN_USE),
        (tags::KEPT, "its user has found a use for it"),
    ];
    Action::Tag {
        resources: vec![resource],
        tags: marks
            .map(|(key, value)| (key.to_owned(), value.to_owned()))
            .into(),
    }
}

fn delete_interface(it: &NetworkInterface) -> Action {
    let interface = it.id.clone();
    Action::Network(Network::Delete { interface })
}

fn deregister(image: &ImageId) -> Step {
    let image = image.clone();
    let action = Action::DeregisterImage { image };
    Step::new(action.to_string(), action)
}

/// EC2 refuses to delete a snapshot that an image uses, so the image is deregistered first.
fn delete_snapshot(snapshot: &Snapshot, images: &[Image]) -> Step {
    let action = Action::DeleteSnapshot {
        snapshot: snapshot.id.clone(),
    };
    let step = Step::new(action.to_string(), action);
    let on_it = images
        .iter()
        .filter(|it| it.root_snapshot.as_ref() == Some(&snapshot.id));
    on_it.fold(step, |step, it| step.after(&deregister(&it.id).id))
}

/// The lineages with an interrupted owner: their older copies may still be needed.
fn in_rescue(templates: &[Template]) -> BTreeSet<&str> {
    let open = templates.iter().filter(|it| {
        let record = Record::from_tags(&it.tags);
        record
            .interruption
            .is_some_and(|interruption| Some(interruption.instance) == record.head)
    });
    open.filter_map(|it| it.tags.get(tags::RESCUE))
        .map(String::as_str)
        .collect()
}

fn lineages(
    now: Timestamp,
    protected: &[Instance],
    templates: &[Template],
) -> BTreeSet<InstanceId> {
    let living = protected.iter().map(Instance::lineage);
    let doubtful = protected.iter().filter(|it| it.is_doubtful(now));
    let living = living.chain(doubtful.map(|it| it.id.clone()));
    let prepared = templates.iter().filter_map(|it| {
        let id: InstanceId = it.tags.get(tags::RESCUE)?.parse().ok()?;
        template_names(&id).contains(&it.name).then_some(id)
    });
    living.chain(prepared).collect()
}
