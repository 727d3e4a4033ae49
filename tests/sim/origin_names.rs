//! Proof of origin: names that somebody has taken, groups of one's own, and copies with other content.

use crate::origin::{ZONE, launched, sweep_for_an_hour, template_of};
use crate::support::{assert_whole, count, function, journal, lost_writes, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Protected, World};
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags, template_names};

/// H5: before anything is prepared, one name or two, with all tags of another rescue or none.
#[tokio::test]
async fn a_name_that_is_taken_is_passed_by() {
    for taken in 1..=2 {
        for tagged in [false, true] {
            let world = World::new(321);
            let function = function(&world);
            let other = world.protected_in(ZONE, &[]);
            settle(&world, &function).await;
            let protected = world.protected_in(ZONE, &[]);
            let attacker = world.attacker();
            let like = template_of(&world, &other);
            for name in template_names(&protected.instance).iter().take(taken) {
                let id = attacker.create_template(name, Some(&like), &Tags::new());
                let id = id.expect("the name was free");
                if tagged {
                    attacker.copy_tags(like.as_str(), id.as_str());
                    attacker.tag(id.as_str(), &[(tags::RESCUE, protected.instance.as_str())]);
                }
            }
            settle(&world, &function).await;
            world.advance(3600);
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            sweep_for_an_hour(&world, &function).await;
            assert_whole(&world, &protected);
            assert_whole(&world, &other);
        }
    }
}

/// The others of its names, once the rescue is prepared: nothing changes.
#[tokio::test]
async fn names_that_are_taken_afterwards_change_nothing() {
    let (world, function, protected) = prepared(322, &[]).await;
    let attacker = world.attacker();
    let template = template_of(&world, &protected);
    for name in template_names(&protected.instance).iter().skip(1) {
        let id = attacker.create_template(name, Some(&template), &Tags::new());
        attacker.copy_tags(template.as_str(), id.expect("the name was free").as_str());
    }
    for _ in 0..2 {
        let owner = owner(&world, &protected);
        world.interrupt(&owner, InstanceAction::Terminate);
        sweep_for_an_hour(&world, &function).await;
        assert_whole(&world, &protected);
    }
}

pub fn owner(world: &World, protected: &Protected) -> InstanceId {
    launched(world).pop().unwrap_or(protected.instance.clone())
}

/// All three names: it is told, and what needs no rescue is lost no more than without one.
#[tokio::test]
async fn all_names_taken_cost_the_rescue_and_no_volume() {
    let world = World::new(323);
    let function = function(&world);
    let protected = world.protected_in(ZONE, &[]);
    let attacker = world.attacker();
    for name in &template_names(&protected.instance) {
        attacker.create_template(name, None, &Tags::new());
    }
    let _ = world.run_until_quiet(&function).await;
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 3600).await;
    for id in &protected.data {
        assert!(
            world.look(|it| it.volumes.contains_key(id)),
            "{}",
            journal(&world)
        );
    }
    let out = count(&world, |it| matches!(it, Action::Deregister { .. }));
    assert!(out > 0, "{}", journal(&world));
}

/// The name of a claim to a group's new member.
#[tokio::test]
async fn a_claim_whose_name_is_taken_is_made_all_the_same() {
    let world = World::new(324);
    let function = function(&world);
    world.scaling_group("web", &[ZONE]);
    let protected = world.protected_in(ZONE, &[]);
    world.member("web", &protected.instance);
    settle(&world, &function).await;
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let attacker = world.attacker();
    for _ in 0..30 {
        let _ = world.run_for(&function, 1).await;
        let members = world.look(|it| it.instances.keys().cloned().collect::<Vec<_>>());
        for id in members.iter().filter(|it| **it != protected.instance) {
            attacker.create_template(&template_names(id)[0], None, &Tags::new());
        }
    }
    sweep_for_an_hour(&world, &function).await;
    assert_eq!(
        lost_writes(&world, &protected),
        [0, 0],
        "{}",
        journal(&world)
    );
}

/// H4: the tags of an own group are nobody else's policy, and its member nobody's successor.
#[tokio::test]
async fn a_group_of_ones_own_is_not_the_victims() {
    let (world, function, protected) = prepared(325, &[]).await;
    let attacker = world.attacker();
    let policy = [
        ("spot-rescue:data", "none"),
        ("spot-rescue:replace", "none"),
    ];
    attacker.group("mine", ZONE, &policy);
    let victim = protected.instance.as_str();
    let claims = [
        ("spot-rescue", "on"),
        (tags::RESCUE, victim),
        (tags::REPLACES, victim),
        (tags::GROUP, "mine"),
    ];
    let member = attacker.run(ZONE, &claims);
    attacker.join("mine", &member);
    let template = template_of(&world, &protected);
    let claim = template_names(&member)[0].clone();
    let claim = attacker.create_template(&claim, Some(&template), &Tags::new());
    let claim = claim.expect("the name was free");
    attacker.copy_tags(template.as_str(), claim.as_str());
    attacker.tag(
        claim.as_str(),
        &[(tags::GROUP, "mine"), (tags::RESCUE, victim)],
    );
    attacker.tag(victim, &[(tags::GROUP, "mine")]);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
}

/// H3: made of a real snapshot of the victim's disk, by EC2's own account, and written to since.
#[tokio::test]
async fn a_copy_that_somebody_has_made_is_not_preferred() {
    for policy in ["auto", "restore", "clone"] {
        for ahead in [false, true] {
            let (world, function, protected) = prepared(326, &[("spot-rescue:data", policy)]).await;
            let attacker = world.attacker();
            let plant = || {
                for id in &protected.data {
                    let snapshot = attacker.snapshot(id, "mine", &[]).expect("taken");
                    world.change(|it| it.now);
                    plant(&world, &protected, &attacker, id, &snapshot);
                }
            };
            if ahead {
                plant();
            }
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            let _ = world.run_for(&function, 60).await;
            if !ahead {
                plant();
            }
            sweep_for_an_hour(&world, &function).await;
            assert_whole(&world, &protected);
        }
    }
}

fn plant(
    world: &World,
    protected: &Protected,
    attacker: &spot_rescue::sim::Attacker,
    of: &spot_rescue::id::VolumeId,
    snapshot: &spot_rescue::id::SnapshotId,
) {
    world.change(|it| {
        let known = it.snapshots.get_mut(snapshot).expect("just taken");
        known.facts.state = spot_rescue::situation::SnapshotState::Completed;
    });
    let marks = [
        (tags::RESCUE, protected.instance.as_str()),
        (tags::COPY_OF, of.as_str()),
        (tags::RESTORED_FROM, snapshot.as_str()),
        (tags::DEVICE, "/dev/sdf"),
        (tags::TAKEN_BY, protected.instance.as_str()),
    ];
    let volume = attacker.volume_of(snapshot, ZONE, &marks).expect("made");
    attacker.clone_of(of, &marks).expect("made");
    attacker.copy_tags(of.as_str(), volume.as_str());
    attacker.tag(volume.as_str(), &marks);
}

/// The tag that a resource is found by says another lineage: the rescue ends as without that.
#[tokio::test]
async fn what_is_found_by_its_tag_is_found_without_it() {
    for during in [false, true] {
        for policy in ["auto", "restore"] {
            let (world, function, protected) = prepared(327, &[("spot-rescue:data", policy)]).await;
            let other = world.protected_in(ZONE, &[]);
            settle(&world, &function).await;
            let attacker = world.attacker();
            let retag = || {
                let all = world.look(|it| {
                    let instances = it.instances.keys().map(ToString::to_string);
                    let volumes = it.volumes.keys().map(ToString::to_string);
                    let snapshots = it.snapshots.keys().map(ToString::to_string);
                    instances
                        .chain(volumes)
                        .chain(snapshots)
                        .collect::<Vec<_>>()
                });
                for id in &all {
                    attacker.tag(id, &[(tags::RESCUE, other.instance.as_str())]);
                }
            };
            if !during {
                retag();
            }
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            if during {
                for seconds in [1, 20, 100, 10, 30] {
                    let _ = world.run_for(&function, seconds).await;
                    retag();
                }
            }
            sweep_for_an_hour(&world, &function).await;
            assert_whole(&world, &protected);
            assert_whole(&world, &other);
        }
    }
}
