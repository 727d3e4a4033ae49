//! The roles in a lineage: the owner (of volumes, targets and addresses), interrupted instances, and the successor that
//! becomes the next owner.

pub mod chosen;
pub mod claimed;
pub mod fleet;
pub mod live;
pub mod lost;
pub mod member;
pub mod ports;
pub mod shown;
pub mod touched;

use crate::clock::Timestamp;
use crate::event::{InstanceAction, InstanceState, Interruption, Risk};
use crate::id::{InstanceId, TemplateId};
use crate::policy::{Policy, PolicyWarning};
use crate::record::{Record, interruption_from};
use crate::situation::{Fact, Facts, Inputs, Instance, Situation, Snapshot, Template};
use crate::tags::{self, Tags};
use std::cmp::Reverse;

/// A situation, with record, policy and roles worked out.
pub struct Lineage<'a> {
    pub id: &'a InstanceId,
    pub now: Timestamp,
    pub inputs: &'a Inputs,
    pub facts: &'a Facts,
    pub record: Record,
    pub policy: Policy,
    pub warnings: Vec<PolicyWarning>,
    /// The instances of the lineage, oldest first.
    pub members: Vec<&'a Instance>,
    /// The recorded owner. None if EC2 no longer shows it.
    pub owner: Option<&'a Instance>,
    /// The newest running instance that was launched to take over and is not interrupted itself.
    pub successor: Option<&'a Instance>,
}

impl<'a> Lineage<'a> {
    #[must_use]
    pub fn of(situation: &'a Situation) -> Self {
        let template = situation.facts.template.known().and_then(Option::as_ref);
        let mut record = template
            .map(|it| record(it, &situation.inputs.unwritten))
            .unwrap_or_default();
        let members = member::members(situation, &record);
        let owner = owner(&situation.lineage, &members, &record);
        if situation.facts.template == Fact::Known(None) {
            record = lost::record(owner, situation);
        }
        let (policy, warnings) = policy(situation, owner, template);
        if let Some(owner) = owner {
            live::apply(&mut record, owner, situation, &members, &policy);
            // After a hand-over the record still has the progress of the last rescue. A replacement that is interrupted in
            // turn belongs to this one.
            let is_newer = |id: &InstanceId| {
                let mut members = members.iter();
                members.any(|it| it.id == *id && it.launch_time > owner.launch_time)
            };
            let of_this = |it: &Interruption| it.instance == owner.id || is_newer(&it.instance);
            if !record.interruption.as_ref().is_none_or(of_this) {
                record.progress.clear();
            }
        }
        live::remember(&mut record, situation, owner);
        if let Some(owner) = owner {
            chosen::apply(&mut record, owner, situation, &policy);
        }
        let mut lineage = Self {
            id: &situation.lineage,
            now: situation.now,
            inputs: &situation.inputs,
            facts: &situation.facts,
            record,
            policy,
            warnings,
            members,
            owner,
            successor: None,
        };
        lineage.successor = lineage.find_successor();
        lineage
    }

    /// The snapshots, as far as they have been read.
    #[must_use]
    pub fn snapshots(&self) -> &'a [Snapshot] {
        let known = self.facts.snapshots.known();
        known.map(Vec::as_slice).unwrap_or_default()
    }

    /// The prepared rescue, if it has been read and exists.
    #[must_use]
    pub fn template(&self) -> Option<&'a Template> {
        self.facts.template.known().and_then(Option::as_ref)
    }

    #[must_use]
    pub fn is_claimed(&self, instance: &Instance) -> bool {
        claimed::is_claimed(self.id, self.facts, instance)
    }

    /// The Auto Scaling group, by the record or by the instance's own tag.
    #[must_use]
    pub fn group_name(&self) -> Option<&str> {
        let shown = || self.owner.and_then(Instance::group);
        self.record.group.as_deref().or_else(shown)
    }

    /// The id of the launch template, which is also in a tag of a prepared instance.
    #[must_use]
    pub fn template_id(&self) -> Option<TemplateId> {
        let known = self.template().map(|it| it.id.clone());
        known.or_else(|| Some(self.noted()?.0))
    }

    /// The launch template version to launch: the one in the owner's tag, which first aid launches, unless the record
    /// contradicts it; else the recorded one.
    #[must_use]
    pub fn prepared(&self) -> Option<(TemplateId, u64)> {
        let noted = self.noted();
        let template = match &self.facts.template {
            Fact::Known(template) => template.as_ref()?,
            Fact::Unavailable { .. } | Fact::NotRead => return noted,
        };
        let noted = noted.filter(|it| it.0 == template.id && it.1 >= template.default);
        let Some((current, before)) = template.versions() else {
            return noted;
        };
        let noted = noted.filter(|it| it.1 == current || Some(it.1) == before);
        let noted = noted.filter(|_| !self.is_plain() && !self.is_networked());
        noted.or_else(|| Some((template.id.clone(), current)))
    }

    /// The recorded version was written in this rescue, because launches of the version before were refused.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let plain = self.record.plain.as_ref().zip(self.template());
        plain.is_some_and(|(plain, template)| plain.is_made(template))
    }

    /// The recorded version was written in this rescue to name the network.
    #[must_use]
    pub fn is_networked(&self) -> bool {
        let networked = self.record.networked.as_ref().zip(self.template());
        // Only the version right after the noted one names the network.
        let next = |it: &Template| it.versions().and_then(|it| it.1);
        networked.is_some_and(|(it, template)| next(template) == Some(it.after))
    }

    fn noted(&self) -> Option<(TemplateId, u64)> {
        let mut words = self.owner?.tags.get(tags::PREPARED)?.split(' ');
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    }

    /// The interruption of an instance, from its tombstone, the record, a notice or its state reason. The latest
    /// counts: an instance that was stopped and came back can be interrupted again. EC2's interruptions count before
    /// our own.
    #[must_use]
    pub fn interruption(&self, instance: &Instance) -> Option<Interruption> {
        let of_this = |it: &&Interruption| it.instance == instance.id;
        let tombstone = instance
            .tags
            .get(tags::INTERRUPTED_AT)
            .and_then(|text| interruption_from(text));
        let written = tombstone.iter().chain(&self.record.interruption);
        let told = self
            .inputs
            .notices
            .iter()
            .filter(|it| !self.is_stale(it, instance));
        let latest = written
            .chain(told)
            .filter(of_this)
            .max_by_key(|it| (it.action != InstanceAction::Return, it.at, it.action))
            .cloned();
        latest.or_else(|| self.ended_by_spot(instance))
    }

    /// Warnings are delivered late and twice. A warning from before the instance's last start, or one that a running
    /// instance has outlived by minutes, no longer counts.
    fn is_stale(&self, notice: &Interruption, instance: &Instance) -> bool {
        let age = (self.now - notice.at).whole_seconds();
        let is_over = match notice.action {
            InstanceAction::Return | InstanceAction::Terminate => instance.is_alive(),
            InstanceAction::Stop | InstanceAction::Hibernate => {
                instance.state == InstanceState::Running
            }
        };
        let outlived = age > 600 && is_over;
        // Event times have whole seconds: a warning in the second of the launch is not older than the launch.
        let slack = match notice.action {
            InstanceAction::Return | InstanceAction::Terminate => time::Duration::SECOND,
            InstanceAction::Stop | InstanceAction::Hibernate => time::Duration::ZERO,
        };
        notice.at < instance.launch_time - slack || outlived
    }

    /// Without a warning, or after a lost one, the state reason tells of the interruption.
    fn ended_by_spot(&self, instance: &Instance) -> Option<Interruption> {
        let action = match (instance.state_reason.as_deref()?, instance.state) {
            (
                "Server.SpotInstanceTermination",
                InstanceState::ShuttingDown | InstanceState::Terminated,
            ) => InstanceAction::Terminate,
            ("Server.SpotInstanceShutdown", InstanceState::Stopping | InstanceState::Stopped) => {
                InstanceAction::Stop
            }
            _ => return None,
        };
        Some(Interruption {
            instance: instance.id.clone(),
            action,
            at: self.now,
        })
    }

    /// The latest risk of an instance since its last start, which may have moved it to another host.
    #[must_use]
    pub fn risk(&self, instance: &Instance) -> Option<Risk> {
        let all = self.inputs.risks.iter().chain(&self.record.risk);
        let of_this = all.filter(|it| {
            it.instance == instance.id && it.at >= instance.launch_time - time::Duration::SECOND
        });
        of_this.max_by_key(|it| (it.at, it.due)).cloned()
    }

    fn find_successor(&self) -> Option<&'a Instance> {
        let owner = self.owner.map(|it| &it.id).or(self.record.head.as_ref());
        let after = self.owner.map(|it| it.launch_time);
        let candidates = self.members.iter().copied().filter(|it| {
            Some(&it.id) != owner
                && after.is_none_or(|after| it.launch_time >= after)
                && (it.tags.contains_key(tags::REPLACES) || self.is_claimed(it))
                && it.is_alive()
                && self.interruption(it).is_none()
        });
        candidates.min_by_key(|it| (Reverse(it.launch_time), &it.id))
    }

    /// The instance was stopped, did not come back in time and was replaced: it owns nothing any more, even if EC2
    /// starts it again.
    #[must_use]
    pub fn is_retired(&self, instance: &Instance) -> bool {
        let replaced = self.owner.is_none_or(|it| it.id != instance.id)
            && self
                .record
                .head
                .as_ref()
                .is_some_and(|it| *it != instance.id);
        let terminated = |it: Interruption| it.action.ends();
        replaced
            && instance.is_alive()
            && !instance.tags.contains_key(tags::REPLACES)
            && !self.interruption(instance).is_some_and(terminated)
    }

    /// Running replacements that own nothing and are not interrupted.
    pub fn idle(&self) -> impl Iterator<Item = &'a Instance> + '_ {
        let owner = self.owner.map(|it| &it.id).or(self.record.head.as_ref());
        self.members.iter().copied().filter(move |it| {
            Some(&it.id) != owner
                && it.tags.contains_key(tags::REPLACES)
                && it.is_alive()
                && self.interruption(it).is_none()
        })
    }

    /// The instance that the next launch replaces: the newest, so that a replacement that was itself interrupted or
    /// died leads to a new token, and not to the instance of the old one.
    #[must_use]
    pub fn base(&self) -> Option<&'a Instance> {
        let mut newest = self.members.iter().rev().copied();
        newest.find(|it| !self.is_retired(it)).or(self.owner)
    }

    /// Interrupted instances that EC2 still shows, oldest first.
    pub fn interrupted(&self) -> impl Iterator<Item = (&'a Instance, Interruption)> + '_ {
        let members = self.members.iter().copied();
        members.filter_map(|it| self.interruption(it).map(|interruption| (it, interruption)))
    }

    #[must_use]
    pub fn member(&self, id: &InstanceId) -> Option<&'a Instance> {
        self.members.iter().copied().find(|it| it.id == *id)
    }

    /// Instances with the lineage's tag that are not members of it.
    pub fn strangers(&self) -> impl Iterator<Item = &'a Instance> + '_ {
        let claims = |it: &&Instance| it.is_alive() && it.lineage() == *self.id;
        let tagged = self.facts.instances.iter().filter(claims);
        tagged.filter(|it| self.member(&it.id).is_none())
    }
}

/// The record with the tags that AWS has refused to write, unless the recorded owner has changed since.
fn record(template: &Template, unwritten: &Tags) -> Record {
    let record = Record::from_tags(&template.tags);
    let wanted = Record::from_tags(unwritten);
    if unwritten.is_empty() || (wanted.head.is_some() && wanted.head != record.head) {
        return record;
    }
    let mut tags = template.tags.clone();
    tags.extend(unwritten.clone());
    Record::from_tags(&tags)
}

fn owner<'a>(
    lineage: &InstanceId,
    members: &[&'a Instance],
    record: &Record,
) -> Option<&'a Instance> {
    let by_id = |id: &InstanceId| members.iter().copied().find(|it| it.id == *id);
    match &record.head {
        Some(head) => by_id(head),
        // Without a record it is the instance itself, or the oldest member left.
        None => lost::owner(members)
            .or_else(|| by_id(lineage))
            .or_else(|| members.first().copied()),
    }
}

/// The policy from the owner's tags, or from the prepared rescue once EC2 no longer shows the tags (TRAP 14).
fn policy(
    situation: &Situation,
    owner: Option<&Instance>,
    template: Option<&Template>,
) -> (Policy, Vec<PolicyWarning>) {
    // A rescue that has begun goes on even if the opt-in tag is removed from the ending instance.
    let begun = |tags: &Tags| tags.contains_key(tags::INTERRUPTED_AT);
    let under_way = template.is_some_and(|it| begun(&it.tags));
    let live = owner.map(|it| &it.tags).filter(|tags| {
        let prepared = tags.contains_key(tags::PREPARED) && !under_way && !begun(tags);
        tags.contains_key(tags::OPT_IN) || prepared
    });
    let empty = Tags::new();
    let source = live.or(template.map(|it| &it.tags)).unwrap_or(&empty);
    let group = situation.facts.group.known().and_then(Option::as_ref);
    let group = group.map_or(&empty, |it| &it.scaling.tags);
    Policy::layered(&situation.inputs.defaults, group, source)
}
