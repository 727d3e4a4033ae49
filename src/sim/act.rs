//! One action, done to the world and written down.

use super::{Entry, State};
use crate::cloud::CloudError;
use crate::event::{Wake, own};
use crate::id::{ImageId, InstanceId, InterfaceId, RequestId, VolumeId};
use crate::record::{expiring_from, volumes_from};
use crate::situation::Holder;
use crate::step::{Action, RootSource};
use crate::tags;

/// As the journal and outages name it: without the service, where no other one has a call of that name.
#[must_use]
pub fn operation(action: &Action) -> &'static str {
    let call = action.call();
    match call.split_once(':') {
        Some((service, operation)) if service != "vpc-lattice" => operation,
        Some(_) | None => call,
    }
}

/// Messages that leave in one call are noted one by one.
fn each(action: &Action) -> Vec<Action> {
    let Action::Wakes(wakes) = action else {
        return vec![action.clone()];
    };
    let alone = |(wake, delay_seconds): &(Wake, u16)| Action::Wake {
        wake: wake.clone(),
        delay_seconds: *delay_seconds,
    };
    wakes.iter().map(alone).collect()
}

impl State {
    pub fn act(&mut self, action: &Action) -> Result<String, CloudError> {
        if let Action::Rehearse(rehearsal) = action {
            return self.rehearse(rehearsal);
        }
        let foreign = self.foreign(action);
        let outcome = self
            .admit(operation(action))
            .and_then(|()| self.refused_as_managed(action))
            .and_then(|()| self.perform(action));
        for action in each(action) {
            self.journal.push(Entry {
                at: self.now,
                action,
                outcome: outcome.clone(),
                foreign: foreign.clone(),
            });
        }
        // The journal may show two replacements for a moment: it is searched once, in the end.
        if matches!(action, Action::Launch(_)) {
            let broken = super::invariants::one_launched(self);
            self.violations.extend(broken);
        }
        outcome
    }

    fn perform(&mut self, action: &Action) -> Result<String, CloudError> {
        match action {
            Action::Tag { resources, tags } => self.tag(resources, tags),
            Action::Untag { resources, keys } => self.untag(resources, keys),
            Action::Deregister { group, targets } => self.deregister(group, targets),
            Action::Register { group, targets } => self.register(group, targets),
            Action::SetDeleteOnTermination { instance, devices } => {
                self.set_delete_on_termination(instance, devices)
            }
            Action::SnapshotInstance {
                instance,
                description,
                tags,
                copy_tags,
                except,
            } => self.snapshot_instance(instance, description, tags, *copy_tags, except),
            Action::SnapshotVolume {
                volume,
                description,
                tags,
            } => self.snapshot_volume(volume, description, tags),
            Action::Launch(launch) => self.launch(launch),
            Action::WriteTemplate(write) => self.write_template(write),
            Action::DeleteTemplate { template } => self.delete_template(template),
            Action::TrimTemplate {
                template,
                default,
                versions,
            } => self.trim_template(template, *default, versions),
            Action::CreateVolume(create) => self.create_volume(create),
            Action::CopyVolume(copy) => self.copy_volume(copy),
            Action::RestoreFromBin { volume } => self.restore_from_bin(volume),
            Action::Attach {
                volume,
                instance,
                device,
            } => self.attach(volume, instance, device),
            Action::ReplaceRoot(replace) => self.replace_root(replace),
            Action::RegisterImage(register) => self.register_image(register),
            Action::DeregisterImage { image } => self.deregister_image(image),
            Action::Network(change) => self.change_network(change),
            Action::PointName(point) => self.point_name(point),
            Action::Group(change) => self.change_group(change),
            Action::DeleteVolume { volume } => self.delete_volume(volume),
            Action::DeleteSnapshot { snapshot } => self.delete_snapshot(snapshot),
            Action::Terminate { instance } => self.terminate(instance),
            Action::CancelRequest { request } => self.cancel_request(request),
            Action::Rehearse(rehearsal) => self.rehearse(rehearsal),
            Action::Wake {
                wake,
                delay_seconds,
            } => self.send(own::wake(wake), i64::from(*delay_seconds)),
            Action::Wakes(wakes) => self.send_together(wakes),
        }
    }

    /// Foreign resources that an action would change: no opt-in, no mutation; nothing without our tag is ever
    /// deleted.
    fn foreign(&self, action: &Action) -> Vec<String> {
        let named: Vec<String> = match action {
            Action::Tag { resources, .. } | Action::Untag { resources, .. } => resources.clone(),
            Action::Deregister { targets, .. } | Action::Register { targets, .. } => targets
                .iter()
                .filter_map(|it| self.behind(&it.id))
                .collect(),
            Action::SetDeleteOnTermination { instance, .. }
            | Action::Terminate { instance }
            | Action::SnapshotInstance { instance, .. } => vec![instance.to_string()],
            Action::WriteTemplate(write) => vec![write.source.to_string()],
            Action::SnapshotVolume { volume, .. }
            | Action::RestoreFromBin { volume }
            | Action::DeleteVolume { volume } => {
                vec![volume.to_string()]
            }
            Action::Attach {
                volume, instance, ..
            } => vec![volume.to_string(), instance.to_string()],
            Action::Network(change) => self.touched_by(change),
            Action::Group(change) => {
                let known = self.scaling_groups.get(&change.group);
                let opted_in = known.is_none_or(|it| it.facts.is_opted_in());
                let group = (!opted_in).then(|| change.group.clone());
                group
                    .into_iter()
                    .chain([change.instance.to_string()])
                    .collect()
            }
            Action::ReplaceRoot(replace) => {
                let source = match &replace.by {
                    RootSource::Volume(id) => id.to_string(),
                    RootSource::Image(id) => id.to_string(),
                };
                vec![replace.instance.to_string(), source]
            }
            Action::RegisterImage(register) => vec![register.snapshot.to_string()],
            Action::DeregisterImage { image } => vec![image.to_string()],
            Action::CreateVolume(create) => vec![create.snapshot.to_string()],
            Action::CopyVolume(copy) => vec![copy.source.to_string()],
            Action::DeleteSnapshot { snapshot } => vec![snapshot.to_string()],
            Action::DeleteTemplate { template } | Action::TrimTemplate { template, .. } => {
                vec![template.to_string()]
            }
            // A request is ours if the instance it launched first is opted in.
            Action::CancelRequest { request } => {
                let request = self.requests.get(request);
                request.map(|it| it.first.to_string()).into_iter().collect()
            }
            Action::Launch(launch) => launch.interface.iter().map(ToString::to_string).collect(),
            Action::PointName(_) | Action::Rehearse(_) | Action::Wake { .. } | Action::Wakes(_) => {
                Vec::new()
            }
        };
        let ours = |it: &String| self.is_ours(it) || self.was_ours(it);
        named.into_iter().filter(|it| !ours(it)).collect()
    }

    /// The instance a target stands for.
    fn behind(&self, target: &str) -> Option<String> {
        let mut all = self.instances.values().map(|it| &it.facts);
        let found = all.find(|it| {
            it.id.as_str() == target || it.private_addresses.iter().any(|ip| ip == target)
        });
        found.map(|it| it.id.to_string())
    }

    /// What was ours when we made or marked it stays ours, even if another caller has changed the mark since.
    fn was_ours(&self, id: &str) -> bool {
        let mut journal = self.journal.iter();
        journal.any(|it| has_made(it, id) || has_marked(it, id))
    }

    /// Opted in, or marked by us, or held by such an instance. Resources that are gone belong to no other owner.
    fn is_ours(&self, id: &str) -> bool {
        let named = id;
        let marked = |tags: &tags::Tags| self.honest(named, tags).contains_key(tags::RESCUE);
        if let Ok(id) = id.parse::<InstanceId>() {
            return self.instances.get(&id).is_none_or(|it| {
                let tags = it.tags.current();
                let opted_in = tags.get(tags::OPT_IN).is_some_and(|it| it == "on");
                opted_in || marked(tags) || !it.facts.is_alive()
            });
        }
        if let Ok(id) = id.parse::<VolumeId>() {
            return self.volumes.get(&id).is_none_or(|it| {
                let mut holders = it.facts.attachments.iter().map(|it| &it.instance);
                marked(it.tags.current())
                    || holders.any(|it| self.is_ours(it.as_str()))
                    || self.is_recorded(&id)
            });
        }
        if let Ok(id) = id.parse::<RequestId>() {
            let first = self.requests.get(&id).map(|it| it.first.to_string());
            return first.is_none_or(|it| self.is_ours(&it));
        }
        if let Ok(id) = id.parse::<InterfaceId>() {
            return self.interfaces.get(&id).is_none_or(|it| {
                let held =
                    matches!(&it.facts.holder, Holder::Instance(by) if self.is_ours(by.as_str()));
                marked(it.tags.current()) || held
            });
        }
        if let Ok(id) = id.parse::<ImageId>() {
            return self.images.get(&id).is_none_or(|it| marked(&it.tags));
        }
        let snapshot = id.parse().ok().and_then(|it| self.snapshots.get(&it));
        let template = id.parse().ok().and_then(|it| self.templates.get(&it));
        // A description of ours, copied to an attacker's own snapshot, makes it ours: that is the attacker's loss.
        let copied = |it: &super::SimSnapshot| {
            self.attackers.contains(named) && it.facts.description.starts_with("spot-rescue: ")
        };
        snapshot.is_none_or(|it| {
            copied(it)
                || it.own && (marked(it.tags.current()) || self.is_ours(it.facts.volume.as_str()))
        }) && template.is_none_or(|it| marked(it.tags.current()))
    }

    /// A volume without room for a mark is ours by the record.
    fn is_recorded(&self, volume: &VolumeId) -> bool {
        let records = self.templates.values();
        let mut records = records.map(|it| self.honest(it.facts.id.as_str(), it.tags.current()));
        records.any(|tags| {
            let mut held = volumes_from(&tags).into_iter();
            let mut expiring = expiring_from(&tags).into_iter();
            held.any(|it| it.volume == *volume) || expiring.any(|it| it.volume == *volume)
        })
    }
}

/// A volume, by EC2's own answer to its token.
fn has_made(entry: &Entry, id: &str) -> bool {
    let makes = matches!(
        entry.action,
        Action::CopyVolume(_) | Action::CreateVolume(_)
    );
    let answer = entry.outcome.as_ref().ok();
    makes && answer.is_some_and(|it| it.split(' ').any(|it| it == id))
}

fn has_marked(entry: &Entry, id: &str) -> bool {
    let marks = |resources: &[String], tags: &tags::Tags| {
        tags.contains_key(tags::RESCUE) && resources.iter().any(|it| it == id)
    };
    let done = entry.outcome.is_ok() && entry.foreign.is_empty();
    matches!(&entry.action, Action::Tag { resources, tags } if done && marks(resources, tags))
}
