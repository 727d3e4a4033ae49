//! What somebody else in the account may try: every right of `src/sim/attacker.rs`. The model hears nothing of
//! it, because nothing may come of it.

use crate::play::{Play, at};
use spot_rescue::clock::Clock;
use spot_rescue::id::{InstanceId, SnapshotId, TemplateId, VolumeId};
use spot_rescue::sim::{State, World, deleted_others};
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags, template_names};

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
const KEYS: [&str; 26] = [
    tags::RESCUE,
    tags::HEAD,
    tags::VERSION,
    tags::PLACE,
    tags::ATTEMPTS,
    tags::FINGERPRINT,
    tags::REQUEST,
    tags::SHAPE,
    tags::INTERRUPTED_AT,
    tags::PROGRESS,
    tags::PREPARED,
    tags::REPLACES,
    tags::LAUNCHED,
    tags::DEVICE,
    tags::VOLUME,
    tags::COPY_OF,
    tags::EXPIRES_AT,
    tags::RESTORE,
    tags::SET,
    tags::GROUP,
    tags::TAKEN_BY,
    tags::AT_RISK,
    "spot-rescue:volume-1",
    "spot-rescue:target-1",
    "spot-rescue:address-1",
    "spot-rescue:private-address-1",
];

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

fn copy_tags(play: &Play, which: u16, other: u16) {
    let ids = ids(&play.world);
    if let (Some(from), Some(to)) = (at(which, &ids), at(other, &ids))
        && from != to
    {
        // What the user says of another instance is not what he says of this one.
        let seen = play.attacker.seen().into_iter().filter(|it| it.0 == *from);
        for (_, key, value) in seen {
            play.attacker.put_back(to, key, value);
        }
    }
}

/// On the very resource, of whatever age.
fn put_back(play: &Play, which: u16, other: u16) {
    let ids = ids(&play.world);
    let Some(id) = at(which, &ids) else {
        return;
    };
    let seen = play.attacker.seen().into_iter().filter(|it| it.0 == *id);
    let seen: Vec<_> = seen.collect();
    if let Some((_, key, value)) = at(other, &seen) {
        play.attacker.put_back(id, key, value);
    }
}

fn junk(play: &Play, which: u16, other: u16) {
    let key = KEYS[usize::from(other) % KEYS.len()];
    if let Some(id) = at(which, &ids(&play.world)) {
        play.attacker.tag(id, &[(key, "junk")]);
    }
}

fn junk_seal(play: &Play, which: u16, other: u16) {
    let key = tags::proof_of(KEYS[usize::from(other) % KEYS.len()]);
    if let Some(id) = at(which, &ids(&play.world)) {
        play.attacker.tag(id, &[(&key, "junk")]);
    }
}

fn expire(play: &Play, which: u16, other: u16) {
    let (ids, known) = (ids(&play.world), instances(&play.world));
    if let (Some(id), Some(lineage)) = (at(which, &ids), at(other, &known)) {
        let marks = [
            (tags::RESCUE, lineage.as_str()),
            (tags::LAUNCHED, "yes"),
            (tags::EXPIRES_AT, "2020-01-01T00:00:00Z"),
        ];
        play.attacker.tag(id, &marks);
    }
}

fn tombstone(play: &Play, which: u16, other: u16) {
    let known = instances(&play.world);
    let action = ["terminate", "stop", "hibernate", "return"][usize::from(other) % 4];
    if let Some(id) = at(which, &known) {
        let now = spot_rescue::clock::format(play.world.now());
        let text = format!("{id} {now} {action}");
        play.attacker
            .tag(id.as_str(), &[(tags::INTERRUPTED_AT, &text)]);
    }
}

fn snapshot(play: &Play, which: u16, other: u16) {
    let (volumes, known) = (volumes(&play.world), instances(&play.world));
    if let (Some(volume), Some(lineage)) = (at(which, &volumes), at(other, &known)) {
        let marks = [
            (tags::RESCUE, lineage.as_str()),
            (tags::SET, "closing"),
            (tags::DEVICE, "/dev/sdf"),
        ];
        play.attacker
            .snapshot(volume, "spot-rescue: by hand", &marks);
    }
}

fn snapshot_like(play: &Play, which: u16, other: u16) {
    let (volumes, snapshots) = (volumes(&play.world), snapshots(&play.world));
    if let (Some(volume), Some(like)) = (at(which, &volumes), at(other, &snapshots)) {
        play.attacker.snapshot_like(volume, like);
    }
}

fn volume(play: &Play, which: u16, _: u16) {
    let known = snapshots(&play.world);
    let Some(snapshot) = at(which, &known) else {
        return;
    };
    let of = play
        .world
        .look(|it| it.snapshots[snapshot].facts.volume.clone());
    let marks = [
        (tags::COPY_OF, of.as_str()),
        (tags::RESTORED_FROM, snapshot.as_str()),
    ];
    if let Some(made) = play.attacker.volume_of(snapshot, ZONE, &marks) {
        play.attacker.copy_tags(of.as_str(), made.as_str());
    }
}

fn clone(play: &Play, which: u16, _: u16) {
    let known = volumes(&play.world);
    if let Some(of) = at(which, &known) {
        let marks = [(tags::COPY_OF, of.as_str()), (tags::TAKEN_BY, "i-0")];
        if let Some(made) = play.attacker.clone_of(of, &marks) {
            play.attacker.copy_tags(of.as_str(), made.as_str());
        }
    }
}

fn attach(play: &Play, which: u16, other: u16) {
    let own = play.world.look(own_instances);
    let volumes = volumes(&play.world);
    if let (Some(instance), Some(volume)) = (at(which, &own), at(other, &volumes)) {
        play.attacker.attach(volume, instance, "/dev/sdy");
    }
}

fn image(play: &Play, which: u16, other: u16) {
    let snapshots = snapshots(&play.world);
    let names = play.world.look(|it| {
        let all = it.images.values().map(|it| it.name.clone());
        all.collect::<Vec<_>>()
    });
    if let (Some(snapshot), Some(like)) = (at(which, &snapshots), at(other, &names)) {
        let name = format!("{like}-2");
        play.attacker.image(&name, snapshot, &Tags::new());
    }
}

fn group(play: &Play, which: u16, other: u16) {
    let known = instances(&play.world);
    let Some(victim) = at(which, &known) else {
        return;
    };
    let name = format!("mine-{}", other % 3);
    let policy = [
        ("spot-rescue:data", "none"),
        ("spot-rescue:replace", "none"),
    ];
    if play.world.look(|it| !it.scaling_groups.contains_key(&name)) {
        play.attacker.group(&name, ZONE, &policy);
    }
    let claims = [(tags::RESCUE, victim.as_str()), (tags::GROUP, &name)];
    let member = play.attacker.run(ZONE, &claims);
    play.attacker.join(&name, &member);
    play.attacker.tag(victim.as_str(), &[(tags::GROUP, &name)]);
}

fn forge_wake(play: &Play, which: u16, other: u16) {
    let known = instances(&play.world);
    if let Some(id) = at(which, &known) {
        let ended = format!("{id} has ended");
        let seal = other.is_multiple_of(2).then_some("AAAAAAAAAAAAAAAA");
        play.attacker.forge_wake(id, &ended, play.world.now(), seal);
    }
}

fn send_again(play: &Play, which: u16, _: u16) {
    let heard = play.attacker.heard();
    // A warning sent again is the model's to hear of: duplicates and stale warnings are ops of their own.
    let own = heard.into_iter().filter(|it| it.contains("\"Wake\""));
    let own: Vec<_> = own.collect();
    if let Some(body) = at(which, &own) {
        play.attacker.send_again(body);
    }
}

fn index(play: &Play, which: u16, other: u16) {
    let (ids, known) = (ids(&play.world), instances(&play.world));
    if let (Some(id), Some(lineage)) = (at(which, &ids), at(other, &known)) {
        play.attacker.tag(id, &[(tags::RESCUE, lineage.as_str())]);
    }
}

/// An own instance is interrupted: whoever has one may stop paying for it.
pub fn is_own(world: &World, id: &InstanceId) -> bool {
    world.look(|it| it.attackers.contains(id.as_str()))
}
