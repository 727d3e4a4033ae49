//! The prepared rescue: everything that will be needed when it counts, written down while there is
//! time. A launch template carries how to launch, its tags carry the record, the volumes say what
//! they are, and the instance's own tags name its targets, so that one `DescribeInstances` is enough.

mod instance;
mod print;
mod template;

pub use instance::{BARE, UNTAGGED};
pub use template::{named, networked};

use super::deregister::is_of;
use super::{
    Lineage, Plan, caveats, dns, group, interfaces, keep, limits, owed, pause, ports, protect,
    rehearsal, requests, risk, room, seen, stand_in, tidy, types,
};
use crate::clock::seconds_between;
use crate::event::{InstanceState, Interruption};
use crate::id::TemplateId;
use crate::policy::Types;
use crate::record::{
    LeftOpen, Place, Record, RecordedAddress, RecordedVolume, addresses_from, addresses_of,
    interfaces_from, secondary_of, targets_from, volumes_from, volumes_of,
};
use crate::situation::{
    Balancing, Fact, Instance, Registration, Shape, Target, TargetGroup, Template,
};
use crate::step::{Action, Step, token};
use crate::tags::{self, Rule, Tags, template_names};

use template::{left_open, template_tags, without_room, write};

pub const STEP: &str = "prepare";
const FORGET: &str = "forget what is past";
/// So many seconds after the warning a record with gaps is better than none.
const PATIENCE: f64 = 30.0;

/// The owner lives: keep its rescue fresh, and clear up after the last one.
pub fn plan(lineage: &Lineage) -> Plan {
    let mut plan = Plan::default();
    let Some(owner) = lineage.owner else {
        return plan;
    };
    if stand_in::is_relieved(lineage, owner) {
        stand_in::relief(lineage, owner, &mut plan);
        return plan;
    }
    if let Some(idle) = lineage.idle().next()
        && lineage.risk(owner).is_none()
    {
        // Someone is taking over, and we see no interruption: describes lag behind. What the owner
        // shows now, its flags above all, may be the rescue's doing and is not written down. If that
        // is so a minute later, the owner has come back after all.
        let what = format!("the interruption that {} is for to be visible", idle.id);
        if plan.confirmed(lineage, format!("{} is idle", idle.id), what) {
            risk::give_back(lineage, &mut plan);
        }
        return plan;
    }
    if group::newcomer(lineage, owner, &mut plan) {
        return plan;
    }
    // A spare is known for hours by its seal, or by the record.
    for spare in lineage.idle().filter(|it| room::is_tight(lineage, it)) {
        protect::seal(lineage, spare, &mut plan);
    }
    if owner.state == InstanceState::Running {
        let record = current(lineage, owner);
        let wanted = template_tags(lineage, owner, &record);
        let what = "what is on record and not to be seen to be missing still";
        let missing = forgotten(lineage, &record, &wanted);
        if missing.is_none_or(|it| plan.confirmed(lineage, it, what)) {
            types::check(lineage, &mut plan);
            detached(lineage, &record, &mut plan);
            rehearsal::tell(lineage, &record.rehearsed, &mut plan);
            template(lineage, owner, wanted, &mut plan);
            let left = instance::plan(lineage, owner, &record, &mut plan);
            owed::plan(lineage, owner, FORGET, &mut plan);
            if is_planned(&plan) {
                caveats::tell(lineage, owner, &mut plan);
                limits::tell(lineage, owner, &record.targets, &mut plan);
                ports::tell(lineage, owner, &record.left_targets, &mut plan);
                let record = without_room(lineage, owner, &record);
                room::tell(lineage, owner, &record, &left, &mut plan);
            }
        }
        requests::prepare(lineage, owner, &mut plan);
        pause::foretell(lineage, owner, &mut plan);
        dns::foretell(lineage, owner, &mut plan);
        protect::mark_volumes(lineage, &mut plan);
        interfaces::mark_all(lineage, owner, &mut plan);
        keep::always(lineage, owner, &mut plan);
    }
    risk::plan(lineage, owner, &mut plan);
    stand_in::plan(lineage, owner, &mut plan);
    pause::late(lineage, &mut plan);
    tidy::after(lineage, &mut plan);
    if owner.state == InstanceState::Running {
        rehearsal::plan(lineage, owner, &mut plan);
    }
    plan
}

fn detached(lineage: &Lineage, now: &Record, plan: &mut Plan) {
    let before = { lineage.template() }.map(|it| volumes_from(&it.tags));
    seen::detached(lineage, &before.unwrap_or_default(), &now.volumes, plan);
}

/// During a rescue: only if there is no template and something is left to make it from.
pub fn at_the_latest(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    // One without a version of ours holds nothing that may be launched.
    let missing = match &lineage.situation.template {
        Fact::Known(template) => template.as_ref().is_none_or(|it| it.versions().is_none()),
        Fact::Unavailable { .. } | Fact::NotRead => false,
    };
    let (true, Some(source)) = (missing, source(lineage)) else {
        return;
    };
    let (targets, addresses) = (leaving(lineage, source), addresses(lineage, source));
    let age = seconds_between(interruption.at, lineage.situation.now);
    if age < PATIENCE && (!lists_targets(lineage) || addresses.is_none()) {
        plan.wait(5, "targets and addresses to be readable, to remember them");
        return;
    }
    let mut record = lineage.record.clone();
    record.place = record.place.or_else(|| Place::of(source));
    if record.targets.is_empty() {
        record.targets = targets.unwrap_or_default();
    }
    if record.addresses.is_empty() {
        record.addresses = addresses.unwrap_or_default();
    }
    record.left_open = left_open(lineage, source);
    let tags = template_tags(lineage, source, &record);
    let Some(mut step) = write(lineage, source, tags, lineage.template()) else {
        plan.note(names_taken(lineage));
        return;
    };
    if let Action::WriteTemplate(write) = &mut step.action
        && let Some(interruption) = lineage.interruption(source)
    {
        let text = seen::over::word(lineage, &interruption).text(&interruption);
        write.tags.insert(tags::INTERRUPTED_AT.to_owned(), text);
    }
    plan.step(step);
}

/// Whose launch data can still be read.
fn source<'a>(lineage: &Lineage<'a>) -> Option<&'a Instance> {
    let lives = |it: &&Instance| it.is_alive() && !it.devices.is_empty();
    let owner = lineage.owner.filter(lives);
    owner.or(lineage.base().filter(lives))
}

/// During a rescue: a version without CPU options and with IMDSv2 required, and its fingerprint. None if there is
/// nothing to make it from.
pub fn plain(lineage: &Lineage, template: &Template) -> Option<(Step, String)> {
    let facts = &lineage.situation;
    let readable = facts.volumes.known().is_some() && facts.images.known().is_some();
    let source = source(lineage).filter(|_| readable)?;
    template::plain(lineage, source, template)
}

pub fn is_planned(plan: &Plan) -> bool {
    plan.steps.iter().any(|step| step.id == STEP)
}

/// What the record should say now. What could not be read stays as it was.
fn current(lineage: &Lineage, owner: &Instance) -> Record {
    let known = &lineage.record;
    let owed = &owed::open(lineage, owner);
    let targets = targets(lineage, owner).unwrap_or_else(|| known.targets.clone());
    let addresses = addresses(lineage, owner).unwrap_or_else(|| known.addresses.clone());
    Record {
        head: Some(owner.id.clone()),
        group: owner.group().map(str::to_owned),
        place: known.place.clone(),
        volumes: keep::flagged(lineage, volumes_of(owner)),
        original: known.original.clone(),
        left_targets: ports::of(lineage, owner, &targets),
        fleet: known.fleet.clone(),
        targets: with_owed(targets, owed.iter().flat_map(|it| &it.targets)),
        addresses: with_owed(addresses, owed.iter().flat_map(|it| &it.addresses)),
        private_addresses: known.private_addresses.clone(),
        history: known.history.clone(),
        shape: shape(lineage),
        named: dns::noted(lineage),
        interfaces: known.interfaces.clone(),
        secondary: secondary_of(owner),
        left_open: left_open(lineage, owner),
        members: instance::members(lineage, owner),
        expiring: tidy::expiring(lineage),
        rehearsed: rehearsal::now(lineage),
        owed: owed.clone(),
        ..Record::default()
    }
}

/// What the type on record is like, if the policy asks for others like it.
fn shape(lineage: &Lineage) -> Option<Shape> {
    let wanted = lineage.policy.instance_types.value == Types::Like;
    let of = lineage.record.place.as_ref().filter(|_| wanted)?;
    let own = |it: &&Shape| it.instance_type == of.instance_type;
    let read = lineage.situation.shapes.known();
    let found = read.and_then(|all| all.iter().find(own));
    found.or(lineage.record.shape.as_ref().filter(own)).cloned()
}

/// What on record would be forgotten. At first sight that is not believed: tags are seen late, and
/// without its tombstone an instance in the middle of a rescue has lost its targets, its address and its
/// flags.
fn forgotten(lineage: &Lineage, now: &Record, wanted: &Tags) -> Option<String> {
    let before = &lineage.template()?.tags;
    let stays = |(key, value): (&String, &String)| wanted.get(key) == Some(value) || !is_kept(key);
    if before.iter().all(stays) {
        return None;
    }
    let (volumes, targets) = (volumes_from(before), targets_from(before));
    let (addresses, interfaces) = (addresses_from(before), interfaces_from(before));
    let flagged = |it: &RecordedVolume| (it.volume.clone(), it.delete_on_termination);
    let kept: Vec<_> = now.volumes.iter().map(flagged).collect();
    let volumes = volumes.iter().filter(|it| it.delete_on_termination);
    let volumes = volumes.filter(|it| !kept.contains(&flagged(it)));
    let targets = targets.iter().filter(|it| !now.targets.contains(it));
    let has = |it: &RecordedAddress| {
        let mut kept = now.addresses.iter();
        kept.any(|kept| kept.allocation == it.allocation)
    };
    let addresses = addresses.iter().filter(|it| !has(it));
    let interfaces = interfaces.iter().filter(|it| !now.interfaces.contains(it));
    let mut all: Vec<String> = volumes.map(|it| it.volume.to_string()).collect();
    all.extend(targets.map(ToString::to_string));
    all.extend(addresses.map(|it| it.allocation.to_string()));
    all.extend(interfaces.map(|it| it.interface.to_string()));
    let group = before.get(tags::GROUP);
    all.extend(group.filter(|it| now.group.as_ref() != Some(it)).cloned());
    if all.is_empty() {
        return None;
    }
    all.extend(now.head.as_ref().map(ToString::to_string));
    Some(token(&all.iter().map(String::as_str).collect::<Vec<_>>()))
}

/// The tags in which something can be forgotten.
fn is_kept(key: &str) -> bool {
    tags::rule(key, |it| (it == Rule::Guarded).then_some(())).is_some()
}

/// Where the owner serves.
fn targets(lineage: &Lineage, owner: &Instance) -> Option<Vec<Target>> {
    registered(lineage, |it| !it.draining && is_of(lineage, owner, it))
}

/// What it has, and what it is to have.
fn with_owed<'a, T: Clone + Ord + 'a>(
    mut has: Vec<T>,
    owed: impl Iterator<Item = &'a T>,
) -> Vec<T> {
    has.extend(owed.cloned());
    has.sort();
    has.dedup();
    has
}

/// Where it served until now: the deregistration at the warning may be ahead of the record.
fn leaving(lineage: &Lineage, instance: &Instance) -> Option<Vec<Target>> {
    registered(lineage, |it| is_of(lineage, instance, it))
}

/// Only a complete look at all groups of a service may shorten the list by one of them: what could
/// not be read stays on record.
fn registered(lineage: &Lineage, wanted: impl Fn(&Registration) -> bool) -> Option<Vec<Target>> {
    let found = lineage.situation.registrations.known()?;
    let seen = |it: &TargetGroup| found.complete.contains(&it.balancing()) && found.tells_of(it);
    let shown = found.list.iter().filter(|it| wanted(it));
    let unseen = lineage.record.targets.iter().filter(|it| !seen(&it.group));
    let targets = shown.map(|it| &it.target).chain(unseen);
    let mut targets: Vec<Target> = targets.cloned().collect();
    targets.sort();
    targets.dedup();
    Some(targets)
}

/// Every Region has Elastic Load Balancing; a service that is not there, or is denied, is not waited
/// for.
fn lists_targets(lineage: &Lineage) -> bool {
    let found = lineage.situation.registrations.known();
    let of_elb = |it: &TargetGroup| it.balancing() == Balancing::Elb;
    found.is_some_and(|it| it.complete.contains(&Balancing::Elb) && !it.unread.iter().any(of_elb))
}

fn addresses(lineage: &Lineage, owner: &Instance) -> Option<Vec<RecordedAddress>> {
    let found = lineage.situation.addresses.known()?;
    Some(addresses_of(owner, found))
}

fn template(lineage: &Lineage, owner: &Instance, wanted: Tags, plan: &mut Plan) {
    match &lineage.situation.template {
        Fact::Known(None) => match write(lineage, owner, wanted, None) {
            Some(step) => plan.step(step),
            None => plan.note(names_taken(lineage)),
        },
        Fact::Known(Some(template)) => refresh(lineage, owner, wanted, template, plan),
        Fact::Unavailable { .. } | Fact::NotRead => {
            plan.wait(30, "the prepared rescue to be readable");
        }
    }
}

fn names_taken(lineage: &Lineage) -> String {
    format!(
        "no rescue is prepared for {}: launch templates of others bear the names it could have; delete {}",
        lineage.situation.lineage,
        template_names(&lineage.situation.lineage).join(", ")
    )
}

fn refresh(
    lineage: &Lineage,
    owner: &Instance,
    mut wanted: Tags,
    template: &Template,
    plan: &mut Plan,
) {
    let facts = &lineage.situation;
    let interfaces = facts.interfaces.known().is_some();
    if facts.volumes.known().is_none() || facts.images.known().is_none() || !interfaces {
        plan.wait(
            30,
            "volumes, interfaces and image to be readable, to compare the prepared rescue with",
        );
        return;
    }
    let present = template.tags.get(tags::FINGERPRINT);
    // What is being taken is not read in whole, and compared when that is over.
    let whole = template::primary(lineage, owner).is_some() || owner.interfaces.is_empty();
    if let Some(present) = present.filter(|_| !whole) {
        wanted.insert(tags::FINGERPRINT.to_owned(), present.clone());
    }
    let versions = template.versions();
    let foreign = versions.is_none_or(|(current, _)| template.latest > current);
    if foreign {
        plan.note(format!(
            "{} has a version that the function has not made: it is not launched, and written over",
            template.id
        ));
    }
    let changed = foreign || present != wanted.get(tags::FINGERPRINT);
    if changed && let Some(step) = write(lineage, owner, wanted.clone(), Some(template)) {
        plan.step(step);
        // Only a version that was made is noted: one that was refused is made at the next look.
        let noted = wanted.remove_entry(tags::FINGERPRINT);
        let action = Action::Tag {
            resources: vec![template.id.to_string()],
            tags: noted.into_iter().collect(),
        };
        plan.step(Step::new("note the version", action).after(STEP));
        wanted.extend(present.map(|it| (tags::FINGERPRINT.to_owned(), it.clone())));
        // So long the one before is launched, which may say nothing of the network.
        if LeftOpen::from_tags(&wanted).is_none()
            && let Some(open) = &lineage.record.left_open
        {
            wanted.extend(open.to_tags());
        }
    }
    trim(template, plan);
    let version = template.tags.get_key_value(tags::VERSION);
    wanted.extend(version.map(|(key, value)| (key.clone(), value.clone())));
    correct(&template.id, &template.tags, &wanted, plan);
}

/// So many versions one call deletes at most.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteLaunchTemplateVersions.html>
const MOST_TRIMMED: u64 = 200;

/// Versions hold the user data of the instance, and everybody may read them who may describe them: two are
/// kept, the one to be launched and the one that an instance's own mark may still name. That there are more
/// is told by the default, which is the one of the last time.
fn trim(template: &Template, plan: &mut Plan) {
    let Some((current, before)) = template.versions() else {
        return;
    };
    if template.default == current {
        return;
    }
    let kept = |it: &u64| *it == current || Some(*it) == before;
    let oldest = current.saturating_sub(MOST_TRIMMED).max(1);
    let action = Action::TrimTemplate {
        template: template.id.clone(),
        default: current,
        versions: (oldest..=current).filter(|it| !kept(it)).collect(),
    };
    plan.step(Step::new("delete old versions", action));
}

/// Writes what differs; removes what is no longer true.
fn correct(template: &TemplateId, present: &Tags, wanted: &Tags, plan: &mut Plan) {
    let differs = |(key, value): &(&String, &String)| present.get(*key) != Some(*value);
    let changed: Tags = wanted
        .iter()
        .filter(differs)
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect();
    let stale = |key: &&String| key.starts_with(tags::OPT_IN) && !wanted.contains_key(*key);
    let keys: Vec<String> = present.keys().filter(stale).cloned().collect();
    let resources = vec![template.to_string()];
    if !changed.is_empty() {
        let action = Action::Tag {
            resources: resources.clone(),
            tags: changed,
        };
        plan.step(Step::new("correct the record", action));
    }
    if !keys.is_empty() {
        let action = Action::Untag { resources, keys };
        plan.step(Step::new(FORGET, action));
    }
}
