//! Who is who in a lineage: the owner (of disks, targets and addresses), those interrupted, the
//! successor that is to own everything next.

pub mod chosen;
pub mod claimed;
pub mod fleet;
pub mod live;
pub mod lost;
pub mod member;
pub mod ports;
pub mod shown;
pub mod touched;

use crate::event::{InstanceAction, InstanceState, Interruption, Risk};
use crate::id::{InstanceId, TemplateId};
use crate::policy::{Policy, PolicyWarning};
use crate::record::{Record, interruption_from};
use crate::situation::{Fact, Instance, Situation, Snapshot, Template};
use crate::tags::{self, Tags};
use std::cmp::Reverse;

/// A situation, read.
pub struct Lineage<'a> {
    pub situation: &'a Situation,
    pub record: Record,
    pub policy: Policy,
    pub warnings: Vec<PolicyWarning>,
    /// Those that belong to it, oldest first.
    pub members: Vec<&'a Instance>,
    /// Owns everything, or did when all was last well. None if AWS has forgotten it.
    pub owner: Option<&'a Instance>,
    /// The newest living instance that was launched to take over and is not interrupted itself.
    pub successor: Option<&'a Instance>,
}

impl<'a> Lineage<'a> {
    #[must_use]
    pub fn of(situation: &'a Situation) -> Self {
        let template = situation.template.known().and_then(Option::as_ref);
        let mut record = template
            .map(|it| record(it, &situation.unwritten))
            .unwrap_or_default();
        let members = member::members(situation, &record);
        let owner = owner(&situation.lineage, &members, &record);
        if situation.template == Fact::Known(None) {
            record = lost::record(owner, situation);
        }
        let (policy, warnings) = policy(situation, owner, template);
        if let Some(owner) = owner {
            live::apply(&mut record, owner, situation, &members, &policy);
            // After a hand-over the last rescue's is still written there.
            let of_owner = |it: &Interruption| it.instance == owner.id;
            if !record.interruption.as_ref().is_none_or(of_owner) {
                record.progress.clear();
            }
        }
        live::remember(&mut record, situation, owner);
        if let Some(owner) = owner {
            chosen::apply(&mut record, owner, situation, &policy);
        }
        let mut lineage = Self {
            situation,
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

    /// Those that have been read.
    #[must_use]
    pub fn snapshots(&self) -> &'a [Snapshot] {
        let known = self.situation.snapshots.known();
        known.map(Vec::as_slice).unwrap_or_default()
    }

    /// The prepared rescue, if it has been read and exists.
    #[must_use]
    pub fn template(&self) -> Option<&'a Template> {
        self.situation.template.known().and_then(Option::as_ref)
    }

    /// The Auto Scaling group, by the record or by the instance's own tag.
    #[must_use]
    pub fn group_name(&self) -> Option<&str> {
        let shown = || self.owner.and_then(Instance::group);
        self.record.group.as_deref().or_else(shown)
    }

    /// Its id, which a prepared instance also carries in a tag.
    #[must_use]
    pub fn template_id(&self) -> Option<TemplateId> {
        let known = self.template().map(|it| it.id.clone());
        known.or_else(|| Some(self.noted()?.0))
    }

    /// What is launched: the version that the owner's own mark names, which a warning's first request names as
    /// well, and that the record does not contradict; else the one on record.
    #[must_use]
    pub fn prepared(&self) -> Option<(TemplateId, u64)> {
        let noted = self.noted();
        let template = match &self.situation.template {
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

    /// The version on record was made in this rescue, because launches of the one before were refused.
    #[must_use]
    pub fn is_plain(&self) -> bool {
        let plain = self.record.plain.as_ref().zip(self.template());
        plain.is_some_and(|(plain, template)| plain.is_made(template))
    }

    /// The same of a version that says the network.
    #[must_use]
    pub fn is_networked(&self) -> bool {
        let networked = self.record.networked.as_ref().zip(self.template());
        // Of the versions since, none but the next says it.
        let next = |it: &Template| it.versions().and_then(|it| it.1);
        networked.is_some_and(|(it, template)| next(template) == Some(it.after))
    }

    fn noted(&self) -> Option<(TemplateId, u64)> {
        let mut words = self.owner?.tags.get(tags::PREPARED)?.split(' ');
        Some((words.next()?.parse().ok()?, words.next()?.parse().ok()?))
    }

    /// The interruption of one instance of the lineage, by whatever says so. The latest counts: an
    /// instance that was stopped and came back can be interrupted again. EC2's word counts before ours.
    #[must_use]
    pub fn interruption(&self, instance: &Instance) -> Option<Interruption> {
        let of_this = |it: &&Interruption| it.instance == instance.id;
        let tombstone = instance
            .tags
            .get(tags::INTERRUPTED_AT)
            .and_then(|text| interruption_from(text));
        let written = tombstone.iter().chain(&self.record.interruption);
        let told = self
            .situation
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

    /// Warnings are delivered late and twice. One from before the instance's last start, or one
    /// that a running instance has outlived by minutes, says nothing about now.
    fn is_stale(&self, notice: &Interruption, instance: &Instance) -> bool {
        let age = (self.situation.now - notice.at).whole_seconds();
        let is_over = match notice.action {
            InstanceAction::Return | InstanceAction::Terminate => instance.is_alive(),
            InstanceAction::Stop | InstanceAction::Hibernate => {
                instance.state == InstanceState::Running
            }
        };
        let outlived = age > 600 && is_over;
        // Events are timed to the second: one about a launch of this very second is not older.
        let slack = match notice.action {
            InstanceAction::Return | InstanceAction::Terminate => time::Duration::SECOND,
            InstanceAction::Stop | InstanceAction::Hibernate => time::Duration::ZERO,
        };
        notice.at < instance.launch_time - slack || outlived
    }

    /// No warning ever came, or it was lost: the state reason still tells.
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
            at: self.situation.now,
        })
    }

    /// What was foreseen for an instance, the latest: not what was foreseen before it was started anew,
    /// elsewhere.
    #[must_use]
    pub fn risk(&self, instance: &Instance) -> Option<Risk> {
        let all = self.situation.risks.iter().chain(&self.record.risk);
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
                && (it.tags.contains_key(tags::REPLACES) || claimed::is_claimed(self.situation, it))
                && it.is_alive()
                && self.interruption(it).is_none()
        });
        candidates.min_by_key(|it| (Reverse(it.launch_time), &it.id))
    }

    /// It was stopped, did not come back in time and was replaced: whatever EC2 does with it now, it
    /// owns nothing any more.
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

    /// Living replacements that do not own anything and are not being taken.
    pub fn idle(&self) -> impl Iterator<Item = &'a Instance> + '_ {
        let owner = self.owner.map(|it| &it.id).or(self.record.head.as_ref());
        self.members.iter().copied().filter(move |it| {
            Some(&it.id) != owner
                && it.tags.contains_key(tags::REPLACES)
                && it.is_alive()
                && self.interruption(it).is_none()
        })
    }

    /// The instance a replacement is launched for: the newest, so that a replacement that was
    /// itself interrupted, or died, leads to a request of its own and not to the old answer.
    #[must_use]
    pub fn base(&self) -> Option<&'a Instance> {
        let mut newest = self.members.iter().rev().copied();
        newest.find(|it| !self.is_retired(it)).or(self.owner)
    }

    /// Instances that are being taken away and still exist in some form, oldest first.
    pub fn interrupted(&self) -> impl Iterator<Item = (&'a Instance, Interruption)> + '_ {
        let members = self.members.iter().copied();
        members.filter_map(|it| self.interruption(it).map(|interruption| (it, interruption)))
    }

    #[must_use]
    pub fn member(&self, id: &InstanceId) -> Option<&'a Instance> {
        self.members.iter().copied().find(|it| it.id == *id)
    }

    /// Instances that carry the lineage's tag and do not belong to it.
    pub fn strangers(&self) -> impl Iterator<Item = &'a Instance> + '_ {
        let claims = |it: &&Instance| it.is_alive() && it.lineage() == self.situation.lineage;
        let tagged = self.situation.instances.iter().filter(claims);
        tagged.filter(|it| self.member(&it.id).is_none())
    }
}

/// With what it was to say and AWS would not take, unless somebody else is the head by now.
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
        // No record yet: the instance itself, or the oldest one left.
        None => lost::owner(members)
            .or_else(|| by_id(lineage))
            .or_else(|| members.first().copied()),
    }
}

/// The live instance's tags; the prepared rescue's copy once they have vanished with it (TRAP 14).
fn policy(
    situation: &Situation,
    owner: Option<&Instance>,
    template: Option<&Template>,
) -> (Policy, Vec<PolicyWarning>) {
    // A rescue that has begun is not given up because a tag is taken off what ends.
    let begun = |tags: &Tags| tags.contains_key(tags::INTERRUPTED_AT);
    let under_way = template.is_some_and(|it| begun(&it.tags));
    let live = owner.map(|it| &it.tags).filter(|tags| {
        let prepared = tags.contains_key(tags::PREPARED) && !under_way && !begun(tags);
        tags.contains_key(tags::OPT_IN) || prepared
    });
    let empty = Tags::new();
    let source = live.or(template.map(|it| &it.tags)).unwrap_or(&empty);
    let group = situation.group.known().and_then(Option::as_ref);
    let group = group.map_or(&empty, |it| &it.scaling.tags);
    Policy::layered(&situation.defaults, group, source)
}
