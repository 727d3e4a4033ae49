//! TRAP 64: template versions without end. An agent that stamps a tag of its instance at each of its runs changes what a
//! replacement is launched with, every few minutes.

use crate::support::{count, function, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::World;
use spot_rescue::step::Action;

fn written(world: &World) -> usize {
    count(world, |it| matches!(it, Action::WriteTemplate(_)))
}

/// Its launch template's versions, and the tags that the newest gives a replacement.
fn kept(world: &World, key: &str) -> (usize, Option<String>) {
    world.look(|it| {
        let template = it.templates.values().next().expect("it is prepared");
        let newest = template.versions.values().next_back();
        let tags = newest.map(|it| it.spec.instance_tags.clone());
        let value = tags.and_then(|it| it.get(key).cloned());
        (template.versions.len(), value)
    })
}

/// A stamp, the schedule a quarter of an hour later, and whatever comes of it.
async fn sweep(world: &World, instance: &str, tag: (&str, &str)) {
    world.retag(instance, &[tag]);
    world.advance(900);
    world.sweep();
    settle(world, &function(world)).await;
}

#[tokio::test]
async fn an_agent_that_stamps_a_tag_makes_a_version_an_hour_and_two_are_kept() {
    let (world, _, protected) = prepared(64, &[("seen", "never")]).await;
    let (before, began) = (written(&world), world.look(|it| it.now));
    for n in 0..96 {
        let stamp = format!("run {n}");
        sweep(&world, protected.instance.as_str(), ("seen", &stamp)).await;
        let (versions, value) = kept(&world, "seen");
        assert!(versions <= 2, "{versions}\n{}", journal(&world));
        // Never more than an hour old: four sweeps.
        let age = value.and_then(|it| it.strip_prefix("run ")?.parse::<i32>().ok());
        assert!(n < 4 || age.is_some_and(|it| n - it <= 4), "{n}: {age:?}");
    }
    let hours = world.look(|it| (it.now - began).whole_hours());
    let hours = usize::try_from(hours).expect("time goes on") + 2;
    let made = written(&world) - before;
    assert!((20..=hours).contains(&made), "{made} in {hours} hours");
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function(&world)).await;
    crate::support::assert_whole(&world, &protected);
}

/// What decides how it is launched, and which tags there are: at the next look, however often.
#[tokio::test]
async fn every_other_change_makes_a_version_at_once() {
    let (world, _, protected) = prepared(65, &[("seen", "never")]).await;
    let instance = protected.instance.as_str();
    sweep(&world, instance, ("seen", "once")).await;
    let before = written(&world);
    world.retag(instance, &[("seen", "twice")]);
    world.sweep();
    settle(&world, &function(&world)).await;
    assert_eq!(written(&world), before, "{}", journal(&world));
    for (n, tag) in [
        ("new", "tag"),
        ("spot-rescue:instance-types", "m5.large m5.xlarge"),
    ]
    .into_iter()
    .enumerate()
    {
        world.retag(instance, &[tag]);
        world.sweep();
        settle(&world, &function(&world)).await;
        assert_eq!(
            written(&world),
            before + n + 1,
            "{tag:?}\n{}",
            journal(&world)
        );
        assert_eq!(kept(&world, "seen").1.as_deref(), Some("twice"));
    }
}
