//! Proof of origin: names that an attacker has taken, and groups of an attacker.

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

/// All three names: that is reported, and the rest is lost no more than without a rescue.
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
async fn a_claim_is_made_although_its_name_is_taken() {
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

/// H4: the tags of an attacker's group are no other instance's policy, and its member no other's successor.
#[tokio::test]
async fn a_group_of_an_attacker_is_not_the_victims() {
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
