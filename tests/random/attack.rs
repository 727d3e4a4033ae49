//! What an attacker in the account may try: every right of `src/sim/attacker.rs`. The model hears nothing of it,
//! because nothing may come of it.

mod marks;
mod things;

use crate::play::{Play, at};
use marks::{copy_tags, expire, index, junk, junk_seal, put_back, tombstone};
use spot_rescue::id::{InstanceId, SnapshotId, TemplateId, VolumeId};
use spot_rescue::sim::{State, World, deleted_others};
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags, template_names};
use things::{
    attach, clone, forge_wake, group, image, send_again, snapshot, snapshot_like, volume,
};

pub type Attack = (&'static str, fn(&Play, u16, u16));

/// All of them, by name.
pub const ATTACKS: [Attack; 22] = [
    ("run, claiming a lineage", claim),
    ("launch from a template", launch),
    ("launch with a replacement's marks", launch_like),
    ("add a version", add_version),
    ("take a name", take_name),
    ("take a name with another's tags", take_name_with_tags),
    ("copy tags", copy_tags),
    ("put tags back", put_back),
    ("write junk over a tag", junk),
    ("put a seal of junk beside a tag", junk_seal),
    ("mark as expired", expire),
    ("plant a tombstone", tombstone),
    ("snapshot", snapshot),
    ("snapshot with a description of ours", snapshot_like),
    ("make a volume of a snapshot", volume),
    ("copy a volume", clone),
    ("attach an own volume", attach),
    ("register an image", image),
    ("own a group", group),
    ("forge a wake", forge_wake),
    ("send a message again", send_again),
    ("change the tag that is looked for", index),
];

const ZONE: &str = crate::start::ZONES[0];
/// Lineages with an overwritten record: what it said is lost until the next look at a healthy instance.
pub fn overwritten(world: &World) -> Vec<InstanceId> {
    world.look(|it| {
        let lost = it.templates.values().filter(|template| {
            let current = template.tags.current();
            let honest = it.honest(template.facts.id.as_str(), current);
            honest
                .iter()
                .any(|(key, value)| current.get(key) != Some(value))
        });
        let names = lost.filter_map(|it| tags::lineage_of(&it.facts.name));
        names.collect()
    })
}

/// The wrong that an attack has done.
pub fn wrong(play: &Play) -> Vec<String> {
    play.world.look(deleted_others)
}

fn ids(world: &World) -> Vec<String> {
    world.look(|it| {
        let instances = it.instances.keys().map(ToString::to_string);
        let volumes = it.volumes.keys().map(ToString::to_string);
        let snapshots = it.snapshots.keys().map(ToString::to_string);
        let templates = it.templates.keys().map(ToString::to_string);
        let interfaces = it.interfaces.keys().map(ToString::to_string);
        let images = it.images.keys().map(ToString::to_string);
        let all = instances.chain(volumes).chain(snapshots).chain(templates);
        all.chain(interfaces).chain(images).collect()
    })
}

fn instances(world: &World) -> Vec<InstanceId> {
    world.look(|it| it.instances.keys().cloned().collect())
}

fn templates(world: &World) -> Vec<TemplateId> {
    world.look(|it| it.templates.keys().cloned().collect())
}

fn volumes(world: &World) -> Vec<VolumeId> {
    world.look(|it| it.volumes.keys().cloned().collect())
}

fn snapshots(world: &World) -> Vec<SnapshotId> {
    world.look(|it| it.snapshots.keys().cloned().collect())
}

fn own_instances(state: &State) -> Vec<InstanceId> {
    let own = |it: &&InstanceId| state.attackers.contains(it.as_str());
    state.instances.keys().filter(own).cloned().collect()
}

fn claim(play: &Play, which: u16, other: u16) {
    let known = instances(&play.world);
    let Some(victim) = at(which, &known) else {
        return;
    };
    let all = [
        (tags::OPT_IN, "on"),
        (tags::RESCUE, victim.as_str()),
        (tags::REPLACES, victim.as_str()),
        (tags::LAUNCHED, "yes"),
    ];
    let some = usize::from(other) % (all.len() + 1);
    play.attacker.run(ZONE, &all[..some]);
}

fn launch(play: &Play, which: u16, other: u16) {
    let known = templates(&play.world);
    let Some(template) = at(which, &known) else {
        return;
    };
    let versions = play.world.look(|it| {
        let versions = it.templates[template].versions.keys();
        versions.copied().collect::<Vec<u64>>()
    });
    let lineage = lineage_of(&play.world, template);
    let victim = lineage.map(|it| it.to_string()).unwrap_or_default();
    let claims = [
        (tags::RESCUE, victim.as_str()),
        (tags::REPLACES, victim.as_str()),
        (tags::LAUNCHED, "yes"),
    ];
    let claims = if other.is_multiple_of(2) {
        &claims[..]
    } else {
        &[]
    };
    if let Some(version) = at(other, &versions) {
        play.attacker.launch(template, *version, ZONE, claims);
    }
}

fn lineage_of(world: &World, template: &TemplateId) -> Option<InstanceId> {
    world.look(|it| {
        let tags = it.templates.get(template)?.tags.current();
        tags.get(tags::RESCUE)?.parse().ok()
    })
}

/// From its own template, with all that it was launched with.
fn launch_like(play: &Play, which: u16, _: u16) {
    let launches = play.world.look(|it| {
        let all = it.journal.iter().filter_map(|it| match &it.action {
            Action::Launch(launch) if it.outcome.is_ok() => Some(launch.clone()),
            _ => None,
        });
        all.collect::<Vec<_>>()
    });
    let Some(launch) = at(which, &launches) else {
        return;
    };
    let spot_rescue::step::LaunchTemplate::Version(template, version) = &launch.template else {
        return;
    };
    let tags = launch.tags.iter();
    let tags: Vec<_> = tags
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect();
    play.attacker.launch(template, *version, ZONE, &tags);
}

fn add_version(play: &Play, which: u16, _: u16) {
    let known = templates(&play.world);
    at(which, &known).map(|it| play.attacker.add_version(it, "administrator"));
}

fn take_name(play: &Play, which: u16, other: u16) {
    let known = instances(&play.world);
    if let Some(victim) = at(which, &known) {
        let name = &template_names(victim)[usize::from(other) % 2];
        play.attacker.create_template(name, None, &Tags::new());
    }
}

fn take_name_with_tags(play: &Play, which: u16, other: u16) {
    let (known, like) = (instances(&play.world), templates(&play.world));
    if let (Some(victim), Some(like)) = (at(which, &known), at(other, &like)) {
        let name = &template_names(victim)[usize::from(other) % 2];
        let taken = play
            .attacker
            .create_template(name, Some(like), &Tags::new());
        if let Some(id) = taken {
            play.attacker.copy_tags(like.as_str(), id.as_str());
            play.attacker
                .tag(id.as_str(), &[(tags::RESCUE, victim.as_str())]);
        }
    }
}

/// An attacker's own instance is interrupted: its owner may cancel its request.
pub fn is_own(world: &World, id: &InstanceId) -> bool {
    world.look(|it| it.attackers.contains(id.as_str()))
}
