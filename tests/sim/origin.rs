//! Proof of origin: what an instance is launched from, and which instance is taken for a replacement. The attacker
//! has every right that is not the function's own (`src/sim/attacker.rs`).

use crate::support::{assert_whole, count, failing, journal, lineage, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, TemplateId};
use spot_rescue::sim::{Attacker, Fault, Kind, On, Protected, World};
use spot_rescue::step::{Action, LaunchTemplate};
use spot_rescue::tags::{self, Tags, template_name};

pub const ZONE: &str = "eu-west-1a";

pub fn template_of(world: &World, protected: &Protected) -> TemplateId {
    let name = template_name(&protected.instance);
    let found = world.look(|it| {
        let mut all = it.templates.values();
        all.find(|it| it.facts.name == name)
            .map(|it| it.facts.id.clone())
    });
    found.expect("the rescue is prepared")
}

/// What the function has launched, the newest last.
pub fn launched(world: &World) -> Vec<InstanceId> {
    world.look(|it| {
        let done = it.journal.iter();
        let done = done.filter(|it| matches!(it.action, Action::Launch(_)));
        done.filter_map(|it| it.outcome.as_ref().ok()?.parse().ok())
            .collect()
    })
}

/// The marks that a replacement was launched with.
fn creation_tags(world: &World, id: &InstanceId) -> Tags {
    world.look(|it| {
        let mut launches = it.journal.iter().filter_map(|it| match &it.action {
            Action::Launch(launch) if it.outcome.as_deref() == Ok(id.as_str()) => {
                Some(launch.tags.clone())
            }
            _ => None,
        });
        launches.next().expect("it was launched by the function")
    })
}

pub fn pairs(tags: &Tags) -> Vec<(&str, &str)> {
    let pairs = tags.iter();
    pairs
        .map(|(key, value)| (key.as_str(), value.as_str()))
        .collect()
}

/// C1: with the victim's role and the version of our own making, whenever another version was added.
#[tokio::test]
async fn a_version_added_by_another_caller_is_not_launched() {
    for afterwards in [false, true] {
        let (world, function, protected) = prepared(301, &[]).await;
        let template = template_of(&world, &protected);
        let attacker = world.attacker();
        if !afterwards {
            attacker.add_version(&template, "administrator");
        }
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        if afterwards {
            attacker.add_version(&template, "administrator");
        }
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let ours = |it: &Action| {
            let first = LaunchTemplate::Version(template.clone(), 1);
            matches!(it, Action::Launch(it) if it.template == first)
        };
        assert_eq!(count(&world, ours), 1, "{}", journal(&world));
    }
}

/// The same with the rescue of an own instance, which the attacker interrupts.
#[tokio::test]
async fn an_attackers_own_rescue_lends_it_no_role() {
    let (world, function, protected) = prepared(302, &[]).await;
    let attacker = world.attacker();
    let own = attacker.run(ZONE, &[("spot-rescue", "on")]);
    settle(&world, &function).await;
    let template = world.look(|it| {
        let name = template_name(&own);
        let mut all = it.templates.values();
        all.find(|it| it.facts.name == name)
            .map(|it| it.facts.id.clone())
    });
    let template = template.expect("prepared like any other");
    attacker.add_version(&template, "administrator");
    world.interrupt(&own, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_eq!(launched(&world).len(), 1, "{}", journal(&world));
    assert_whole(&world, &protected);
}

/// C2: a caller that may launch can launch from the victim's prepared rescue.
#[tokio::test]
async fn an_instance_launched_by_another_from_the_prepared_rescue_is_given_nothing() {
    for ahead in [false, true] {
        let (world, function, protected) = prepared(303, &[]).await;
        let template = template_of(&world, &protected);
        let attacker = world.attacker();
        let victim = protected.instance.as_str();
        let claims = [
            (tags::RESCUE, victim),
            (tags::REPLACES, victim),
            (tags::LAUNCHED, "yes"),
        ];
        let launch = || attacker.launch(&template, 1, ZONE, &claims);
        if ahead {
            launch().expect("launched");
            world.advance(60);
        }
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        if !ahead {
            let _ = world.run_for(&function, 40).await;
            launch().expect("launched");
        }
        sweep_for_an_hour(&world, &function).await;
        assert_whole(&world, &protected);
    }
}

pub async fn sweep_for_an_hour(world: &World, function: &crate::support::Function) {
    settle(world, function).await;
    for _ in 0..4 {
        world.advance(900);
        world.sweep();
        settle(world, function).await;
    }
}

/// With every tag that the real replacement was launched with, and those it has by now.
#[tokio::test]
async fn the_marks_of_a_real_replacement_fit_no_other_instance() {
    let (world, function, protected) = prepared(304, &[]).await;
    let template = template_of(&world, &protected);
    let attacker = world.attacker();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 10).await;
    let real = launched(&world).pop().expect("launched at once");
    thief_like(&world, &attacker, &template, &real);
    let another = thief_like(&world, &attacker, &template, &real);
    attacker.copy_tags(real.as_str(), another.as_str());
    sweep_for_an_hour(&world, &function).await;
    assert_whole(&world, &protected);
}

fn thief_like(
    world: &World,
    attacker: &Attacker,
    template: &TemplateId,
    real: &InstanceId,
) -> InstanceId {
    let copied = creation_tags(world, real);
    let thief = attacker.launch(template, 1, ZONE, &pairs(&copied));
    thief.expect("launched")
}

/// The first calls to seal the marks fail: until they are sealed, the first that bears them counts.
#[tokio::test]
async fn a_copy_is_never_the_first_although_no_mark_could_be_sealed() {
    let (world, _, protected) = prepared(305, &[]).await;
    let template = template_of(&world, &protected);
    let attacker = world.attacker();
    let fault = Fault {
        on: On::Every("CreateTags"),
        kind: Kind::Code("InternalError"),
    };
    let function = failing(&world, vec![fault]);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 10).await;
    let real = launched(&world).pop().expect("launched at once");
    thief_like(&world, &attacker, &template, &real);
    let _ = world.run_for(&function, 60).await;
    assert!(!function.cloud.struck().is_empty());
    function.cloud.disarm();
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    sweep_for_an_hour(&world, &crate::support::function(&world)).await;
    assert_whole(&world, &protected);
    assert_eq!(lineage(&world, &protected).live, 1);
}

/// The marks of the real one are written over, so that the copy is the only one that bears them.
#[tokio::test]
async fn a_copy_is_given_nothing_once_the_marks_of_the_real_one_are_junk() {
    for seconds in [2, 30, 125] {
        let (world, function, protected) = prepared(306, &[]).await;
        let template = template_of(&world, &protected);
        let attacker = world.attacker();
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, seconds).await;
        let real = launched(&world).pop().expect("launched at once");
        thief_like(&world, &attacker, &template, &real);
        for key in [tags::LAUNCHED, tags::REPLACES] {
            attacker.tag(real.as_str(), &[(key, "junk")]);
        }
        sweep_for_an_hour(&world, &function).await;
        assert_whole(&world, &protected);
    }
}
