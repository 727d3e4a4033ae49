//! The effect of an action on a perfect AWS: the naive reference for "the plan comes to an end".

use super::{LINEAGE, TEMPLATE, device};
use spot_rescue::event::InstanceState;
use spot_rescue::id::{InstanceId, InterfaceId, VolumeId};
use spot_rescue::plan::{Plan, plan};
use spot_rescue::situation::*;
use spot_rescue::step::{
    Action, CopyVolume, CreateVolume, Launch, Network, PointName, PrivateAddresses, RegisterImage,
    ReplaceRoot, RootSource,
};
use spot_rescue::tags::{self, Tags};

/// Plans and acts until a plan holds nothing new. Returns the last plan, or the step it repeats.
pub fn settle(situation: &mut Situation) -> Result<Plan, String> {
    for _ in 0..30 {
        let plan = plan(situation);
        if plan.steps.is_empty() {
            return Ok(plan);
        }
        for step in &plan.steps {
            apply(situation, &step.action);
        }
        // Each look is an invocation of its own, with its notices known.
        situation.inputs.pass = 1;
    }
    Err(plan(situation).to_string())
}

/// The same, for tests that only need the settled situation.
pub fn settled(situation: &mut Situation) {
    settle(situation).map(drop).unwrap();
}

/// Does one thing, at once and completely.
pub fn apply(situation: &mut Situation, action: &Action) {
    let facts = &mut situation.facts;
    match action {
        Action::Tag { resources, tags } => {
            retag(facts, resources, |it| it.extend(tags.clone()));
        }
        Action::Untag { resources, keys } => {
            retag(facts, resources, |it| {
                it.retain(|key, _| !keys.contains(key));
            });
        }
        Action::Deregister { targets, .. } => registrations(facts, |list| {
            list.retain(|it| !targets.contains(&it.target));
        }),
        Action::Register { targets, .. } => registrations(facts, |list| {
            list.extend(targets.iter().map(registered));
        }),
        Action::SetDeleteOnTermination { instance, devices } => {
            let instance = facts.instances.iter_mut().find(|it| it.id == *instance);
            for it in instance.into_iter().flat_map(|it| &mut it.devices) {
                it.delete_on_termination =
                    *devices.get(&it.name).unwrap_or(&it.delete_on_termination);
            }
        }
        Action::SnapshotInstance {
            instance,
            description: _,
            tags,
            copy_tags,
            except: _,
        } => {
            set(situation, instance, tags, *copy_tags);
        }
        Action::SnapshotVolume {
            volume,
            description: _,
            tags,
        } => {
            let found = known(&mut facts.volumes)
                .iter()
                .find(|it| it.id == *volume)
                .cloned();
            if let Some(it) = &found {
                snapshot(situation, it, it.tags.clone(), tags);
            }
        }
        Action::Launch(launch) => launched(situation, launch),
        Action::WriteTemplate(write) => {
            let latest = match &facts.template {
                Fact::Known(Some(before)) => before.latest + 1,
                Fact::Known(None) | Fact::Unavailable { .. } | Fact::NotRead => 1,
            };
            let before = write.existing.as_ref().and_then(|it| it.1);
            let before = before.map(|it| format!(" {it}")).unwrap_or_default();
            let mut tags = write.tags.clone();
            tags.insert(tags::VERSION.to_owned(), format!("{latest}{before}"));
            facts.template = Fact::Known(Some(template(&write.name, latest, tags)));
        }
        Action::DeleteTemplate { .. } => facts.template = Fact::Known(None),
        Action::TrimTemplate { default, .. } => {
            if let Fact::Known(Some(template)) = &mut facts.template {
                template.default = *default;
            }
        }
        Action::CreateVolume(create) => created(situation, create),
        Action::CopyVolume(copy) => copied(situation, copy),
        Action::RestoreFromBin { volume: id } => {
            known(&mut facts.volumes).push(super::volume(id.as_str(), None, situation.now));
        }
        Action::Attach {
            volume,
            instance,
            device: name,
        } => {
            attached(facts, volume, instance, name);
        }
        Action::ReplaceRoot(replace) => root_replaced(situation, replace),
        Action::RegisterImage(register) => image_registered(facts, register),
        Action::DeregisterImage { image } => {
            known(&mut facts.images).retain(|it| it.id != *image);
        }
        Action::Network(change) => network(facts, change),
        Action::PointName(point) => pointed(facts, point),
        Action::DeleteVolume { volume } => {
            known(&mut facts.volumes).retain(|it| it.id != *volume);
        }
        Action::DeleteSnapshot { snapshot } => {
            known(&mut facts.snapshots).retain(|it| it.id != *snapshot);
        }
        Action::Terminate { instance } => {
            facts.instances.retain(|it| it.id != *instance);
        }
        Action::CancelRequest { request } => {
            known(&mut facts.requests).retain(|it| it.id != *request);
        }
        // The effect of these is left to the simulator.
        Action::Group(_) | Action::Rehearse(_) | Action::Wake { .. } | Action::Wakes(_) => {}
    }
}

fn pointed(facts: &mut Facts, point: &PointName) {
    let Fact::Known(Lookup {
        found: Ok(sets), ..
    }) = &mut facts.lookup
    else {
        return;
    };
    for set in sets.iter_mut().filter(|it| it.kind == point.kind) {
        let values = vec![point.address.clone()];
        set.says = Says::Addresses {
            ttl: point.ttl,
            values,
        };
    }
}

fn network(facts: &mut Facts, change: &Network) {
    match change {
        Network::Associate {
            allocation,
            interface,
            private_address,
            take: _,
        } => {
            let mut instances = facts.instances.iter();
            let holder = instances.find(|it| it.interfaces.iter().any(|i| i.id == *interface));
            let holder = holder.map(|it| it.id.clone());
            let all = known(&mut facts.addresses).iter_mut();
            for it in all {
                if it.allocation == *allocation {
                    it.instance.clone_from(&holder);
                    it.interface = Some(interface.clone());
                    it.private_address = Some(private_address.clone());
                } else if it.interface.as_ref() == Some(interface)
                    && it.private_address.as_ref() == Some(private_address)
                {
                    (it.instance, it.interface, it.private_address) = (None, None, None);
                }
            }
        }
        Network::Assign {
            interface,
            addresses,
        } => {
            let new = match addresses {
                PrivateAddresses::These(these) => these.clone(),
                PrivateAddresses::Any(count) => {
                    (0..*count).map(|n| format!("10.0.2.{}", 100 + n)).collect()
                }
            };
            on_interface(facts, interface, |it| it.addresses.extend(new.clone()));
        }
        Network::Flag {
            interface,
            attachment: _,
            delete_on_termination,
        } => on_interface(facts, interface, |it| {
            it.delete_on_termination = *delete_on_termination;
        }),
        Network::Attach {
            interface,
            instance,
            slot,
        } => {
            let all = known(&mut facts.interfaces).iter_mut();
            for it in all.filter(|it| it.id == *interface) {
                it.holder = Holder::Instance(instance.clone());
                let mut shown = super::interface(interface.as_str(), slot.device, &[]);
                shown.delete_on_termination = false;
                shown.addresses.clone_from(&it.addresses);
                let mut instances = facts.instances.iter_mut();
                let holder = instances.find(|it| it.id == *instance).unwrap();
                holder.private_addresses.extend(shown.addresses.clone());
                holder.interfaces.push(shown);
            }
        }
        Network::Delete { interface } => {
            known(&mut facts.interfaces).retain(|it| it.id != *interface);
        }
    }
}

fn on_interface(facts: &mut Facts, id: &InterfaceId, change: impl Fn(&mut Interface)) {
    let instances = facts.instances.iter_mut();
    let all = instances.flat_map(|it| &mut it.interfaces);
    all.filter(|it| it.id == *id).for_each(change);
}

fn known<T>(fact: &mut Fact<T>) -> &mut T {
    match fact {
        Fact::Known(value) => value,
        Fact::Unavailable { .. } | Fact::NotRead => panic!("changed something it could not read"),
    }
}

fn registered(target: &Target) -> Registration {
    Registration {
        target: target.clone(),
        vpc: Some(super::VPC.to_owned()),
        draining: false,
        answering: true,
    }
}

fn registrations(facts: &mut Facts, change: impl FnOnce(&mut Vec<Registration>)) {
    change(known(&mut facts.registrations).list_mut());
}

fn retag(facts: &mut Facts, resources: &[String], change: impl Fn(&mut Tags)) {
    let named = |id: &str| resources.iter().any(|it| it == id);
    facts
        .instances
        .iter_mut()
        .filter(|it| named(it.id.as_str()))
        .for_each(|it| change(&mut it.tags));
    if let Fact::Known(Some(it)) = &mut facts.template
        && named(it.id.as_str())
    {
        change(&mut it.tags);
    }
    if let Fact::Known(all) = &mut facts.volumes {
        all.iter_mut()
            .filter(|it| named(it.id.as_str()))
            .for_each(|it| change(&mut it.tags));
    }
    if let Fact::Known(all) = &mut facts.requests {
        all.iter_mut()
            .filter(|it| named(it.id.as_str()))
            .for_each(|it| change(&mut it.tags));
    }
    if let Fact::Known(all) = &mut facts.interfaces {
        all.iter_mut()
            .filter(|it| named(it.id.as_str()))
            .for_each(|it| change(&mut it.tags));
    }
    if let Fact::Known(all) = &mut facts.snapshots {
        all.iter_mut()
            .filter(|it| named(it.id.as_str()))
            .for_each(|it| change(&mut it.tags));
    }
}

fn template(name: &str, latest: u64, tags: Tags) -> Template {
    Template {
        id: TEMPLATE.parse().unwrap(),
        name: name.to_owned(),
        tags,
        created_by: None,
        latest,
        default: latest.min(1),
        ours: true,
        unproven: Vec::new(),
    }
}

/// Of all volumes of an instance.
fn set(situation: &mut Situation, instance: &InstanceId, tags: &Tags, copy_tags: bool) {
    let devices = situation
        .facts
        .instances
        .iter()
        .filter(|it| it.id == *instance);
    let ids: Vec<_> = devices
        .flat_map(|it| &it.devices)
        .map(|it| it.volume.clone())
        .collect();
    let all = known(&mut situation.facts.volumes).iter();
    let held: Vec<Volume> = all.filter(|it| ids.contains(&it.id)).cloned().collect();
    for it in &held {
        let copied = if copy_tags {
            it.tags.clone()
        } else {
            Tags::new()
        };
        snapshot(situation, it, copied, tags);
    }
}

fn snapshot(situation: &mut Situation, volume: &Volume, mut copied: Tags, tags: &Tags) {
    let started = situation.now;
    let all = known(&mut situation.facts.snapshots);
    copied.extend(tags.clone());
    all.push(Snapshot {
        id: format!("snap-{:017x}", 0xa0 + all.len()).parse().unwrap(),
        volume: volume.id.clone(),
        state: SnapshotState::Completed,
        started,
        completed: Some(started),
        description: String::new(),
        tags: copied,
    });
}

/// The token of a launch that has been done gives the same instance again.
fn launched(situation: &mut Situation, launch: &Launch) {
    // An instance that is not visible any more may still hold volumes.
    let volumes = situation.facts.volumes.known().into_iter().flatten();
    let holders = volumes
        .flat_map(|it| &it.attachments)
        .map(|it| &it.instance);
    let ids = situation
        .facts
        .instances
        .iter()
        .map(|it| &it.id)
        .chain(holders);
    let taken: Vec<String> = ids.map(ToString::to_string).collect();
    let used = |it: &String| taken.contains(it);
    let mut ids = (1..=9).map(|n| format!("i-0bbbbbbbbbbbbbbb{n}"));
    let id = ids.find(|it| !used(it)).unwrap();
    let number = &id[id.len() - 1..];
    let mut replacement = super::instance(situation.now);
    replacement.id = id.parse().unwrap();
    replacement.launch_time = situation.now;
    replacement.subnet = Some(launch.subnet.clone());
    let own = situation
        .facts
        .instances
        .iter()
        .find(|it| it.subnet == replacement.subnet);
    own.map_or(super::OTHER_ZONE, |it| it.availability_zone.as_str())
        .clone_into(&mut replacement.availability_zone);
    replacement.market = launch.market;
    let root = format!("vol-0000000000000bbb{number}");
    replacement.devices = vec![device("/dev/xvda", &root, true)];
    let address = format!("10.0.1.{number}");
    let primary = format!("eni-0bbbbbbbbbbbbbbb{number}");
    replacement.interfaces = vec![super::interface(&primary, 0, &[&address])];
    replacement.private_addresses = vec![address];
    if let Some(interface) = &launch.interface {
        launched_on(&mut situation.facts, &mut replacement, interface);
    }
    replacement.tags.extend(launch.tags.clone());
    // Sealed at once, or said by the mark of the launch.
    let replaces = launch.tags[tags::LAUNCHED].clone();
    replacement.tags.insert(tags::REPLACES.to_owned(), replaces);
    // EC2 says what it was launched from.
    let template = TEMPLATE.to_owned();
    replacement
        .tags
        .insert(tags::LAUNCHED_FROM.to_owned(), template);
    replacement.state = InstanceState::Running;
    let mut volume = super::volume(&root, Some((&id, "/dev/xvda")), situation.now);
    volume.tags.clear();
    if let Fact::Known(all) = &mut situation.facts.volumes {
        all.push(volume);
    }
    situation.facts.instances.push(replacement);
}

/// The interface that exists is the primary one, as it was.
fn launched_on(facts: &mut Facts, on: &mut Instance, id: &InterfaceId) {
    let all = known(&mut facts.interfaces).iter_mut();
    let found = all.into_iter().find(|it| it.id == *id).unwrap();
    assert_eq!(found.holder, Holder::Free);
    found.holder = Holder::Instance(on.id.clone());
    let primary = &mut on.interfaces[0];
    primary.id = id.clone();
    primary.delete_on_termination = false;
    primary.addresses.clone_from(&found.addresses);
    on.private_addresses.clone_from(&found.addresses);
}

fn attached(facts: &mut Facts, volume: &VolumeId, instance: &InstanceId, name: &str) {
    let found = known(&mut facts.volumes)
        .iter_mut()
        .find(|it| it.id == *volume)
        .unwrap();
    found.state = VolumeState::InUse;
    found.attachments.push(Attachment {
        instance: instance.clone(),
        device: name.to_owned(),
        settled: true,
        delete_on_termination: false,
    });
    let holder = facts
        .instances
        .iter_mut()
        .find(|it| it.id == *instance)
        .unwrap();
    holder.devices.push(device(name, volume.as_str(), false));
}

fn image_registered(facts: &mut Facts, register: &RegisterImage) {
    let all = known(&mut facts.images);
    all.push(Image {
        id: format!("ami-{:017x}", 0xd0 + all.len()).parse().unwrap(),
        name: register.name.clone(),
        state: ImageState::Available,
        root_device: Some(register.root.device.clone()),
        root_snapshot: Some(register.snapshot.clone()),
        devices: vec![register.root.device.clone()],
        boot: register.boot.clone(),
        tags: register.tags.clone(),
    });
}

/// The root it had is free afterwards.
fn root_replaced(situation: &mut Situation, replace: &ReplaceRoot) {
    let instance = &mut situation.facts.instances;
    let instance = instance.iter_mut().find(|it| it.id == replace.instance);
    let instance = instance.unwrap();
    let old = instance.root().unwrap().clone();
    let all = known(&mut situation.facts.volumes);
    let new = match &replace.by {
        RootSource::Volume(id) => id.clone(),
        RootSource::Image(image) => {
            instance.image = Some(image.clone());
            let volume = super::volume(&unused(all, 0xe0), None, situation.now);
            all.push(volume);
            all.last().unwrap().id.clone()
        }
    };
    for volume in all.iter_mut().filter(|it| it.id == old.volume) {
        volume.attachments.clear();
        volume.state = VolumeState::Available;
    }
    for volume in all.iter_mut().filter(|it| it.id == new) {
        let held = Some((replace.instance.as_str(), old.name.as_str()));
        let held = super::volume(new.as_str(), held, situation.now);
        volume.attachments = held.attachments;
        volume.state = held.state;
    }
    let root = instance.devices.iter_mut().find(|it| it.name == old.name);
    root.unwrap().volume = new;
    known(&mut situation.facts.root_tasks).push(RootTask {
        id: format!("replacevol-{}", replace.token),
        instance: replace.instance.clone(),
        state: RootTaskState::Succeeded,
    });
}

fn created(situation: &mut Situation, create: &CreateVolume) {
    let now = situation.now;
    let all = known(&mut situation.facts.volumes);
    let mut volume = super::volume(&unused(all, 0xc0), None, now);
    volume.created = now;
    volume.snapshot = Some(create.snapshot.clone());
    volume
        .availability_zone
        .clone_from(&create.availability_zone);
    volume.settings = create.settings.clone();
    volume.tags = create.tags.clone();
    all.push(volume);
}

fn copied(situation: &mut Situation, copy: &CopyVolume) {
    let now = situation.now;
    let all = known(&mut situation.facts.volumes);
    let mut volume = super::volume(&unused(all, 0xd0), None, now);
    volume.created = now;
    volume.source = Some(copy.source.clone());
    volume.settings = copy.settings.clone();
    volume.tags = copy.tags.clone();
    all.push(volume);
}

/// Time passes: the interrupted instance has ended and released its volumes.
pub fn end_owner(situation: &mut Situation) {
    let owner = situation
        .facts
        .instances
        .iter_mut()
        .find(|it| it.id.as_str() == LINEAGE)
        .unwrap();
    owner.state = InstanceState::Terminated;
    owner.state_reason = Some("Server.SpotInstanceTermination".to_owned());
    owner.devices.clear();
    owner.private_addresses.clear();
    owner.vpc = None;
    let interfaces = std::mem::take(&mut owner.interfaces);
    let kept = interfaces.iter().filter(|it| !it.delete_on_termination);
    let kept: Vec<_> = kept.map(|it| it.id.clone()).collect();
    owner.subnet = None;
    if let Fact::Known(all) = &mut situation.facts.volumes {
        let held = |it: &Attachment| it.instance.as_str() == LINEAGE;
        for volume in all.iter_mut().filter(|it| it.attachments.iter().any(held)) {
            volume.attachments.retain(|it| !held(it));
            if volume.attachments.is_empty() {
                volume.state = VolumeState::Available;
            }
        }
    }
    if let Fact::Known(all) = &mut situation.facts.addresses {
        all.iter_mut()
            .filter(|it| it.instance.as_ref().is_some_and(|i| i.as_str() == LINEAGE))
            .for_each(|it| {
                it.instance = None;
                if it.interface.as_ref().is_none_or(|id| !kept.contains(id)) {
                    (it.interface, it.private_address) = (None, None);
                }
            });
    }
    if let Fact::Known(all) = &mut situation.facts.interfaces {
        all.iter_mut()
            .filter(|it| kept.contains(&it.id))
            .for_each(|it| it.holder = Holder::Free);
    }
}

/// Some volumes may have been forgotten since the others were numbered.
fn unused(all: &[Volume], from: usize) -> String {
    let ids = (from + all.len()..).map(|it| format!("vol-{it:017x}"));
    let mut free = ids.filter(|id| all.iter().all(|it| it.id.as_str() != id));
    free.next().expect("numbers do not end")
}
