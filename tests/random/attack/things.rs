//! Snapshots, volumes, images, groups and messages that look like ours.

use super::{ZONE, instances, own_instances, snapshots, volumes};
use crate::play::{Play, at};
use spot_rescue::clock::Clock;
use spot_rescue::tags::{self, Tags};

pub fn snapshot(play: &Play, which: u16, other: u16) {
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

pub fn snapshot_like(play: &Play, which: u16, other: u16) {
    let (volumes, snapshots) = (volumes(&play.world), snapshots(&play.world));
    if let (Some(volume), Some(like)) = (at(which, &volumes), at(other, &snapshots)) {
        play.attacker.snapshot_like(volume, like);
    }
}

pub fn volume(play: &Play, which: u16, _: u16) {
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

pub fn clone(play: &Play, which: u16, _: u16) {
    let known = volumes(&play.world);
    if let Some(of) = at(which, &known) {
        let marks = [(tags::COPY_OF, of.as_str()), (tags::TAKEN_BY, "i-0")];
        if let Some(made) = play.attacker.clone_of(of, &marks) {
            play.attacker.copy_tags(of.as_str(), made.as_str());
        }
    }
}

pub fn attach(play: &Play, which: u16, other: u16) {
    let own = play.world.look(own_instances);
    let volumes = volumes(&play.world);
    if let (Some(instance), Some(volume)) = (at(which, &own), at(other, &volumes)) {
        play.attacker.attach(volume, instance, "/dev/sdy");
    }
}

pub fn image(play: &Play, which: u16, other: u16) {
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

pub fn group(play: &Play, which: u16, other: u16) {
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

pub fn forge_wake(play: &Play, which: u16, other: u16) {
    let known = instances(&play.world);
    if let Some(id) = at(which, &known) {
        let ended = format!("{id} has ended");
        let seal = other.is_multiple_of(2).then_some("AAAAAAAAAAAAAAAA");
        play.attacker.forge_wake(id, &ended, play.world.now(), seal);
    }
}

pub fn send_again(play: &Play, which: u16, _: u16) {
    let heard = play.attacker.heard();
    // A warning sent again is the model's to hear of: duplicates and stale warnings are ops of their own.
    let own = heard.into_iter().filter(|it| it.contains("\"Wake\""));
    let own: Vec<_> = own.collect();
    if let Some(body) = at(which, &own) {
        play.attacker.send_again(body);
    }
}
