//! Instances with a tag that only looks like an opt-in.

use crate::support::{function, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::World;
use std::cell::RefCell;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn told() -> Vec<serde_json::Value> {
    let lines = TOLD.take();
    let lines = lines
        .iter()
        .map(|it| serde_json::from_str(it).expect("JSON"));
    lines
        .filter(|it: &serde_json::Value| it["MisspeltOptIns"] == 1)
        .collect()
}

/// TRAP 63
#[tokio::test]
async fn a_misspelt_opt_in_is_said_when_it_runs_and_when_it_is_taken_and_nothing_is_changed() {
    let table = [
        ("spot-rescue", "true", true),
        ("spot-rescue", "On", true),
        ("spot-rescue", "", true),
        ("spot-rescue", " on", true),
        ("spot-rescue", "yes", true),
        ("Spot-Rescue", "on", true),
        ("spot_rescue", "on", true),
        ("spot-rescue ", "on", true),
        ("spot-rescue", "off", false),
        ("Name", "spot-rescue", false),
    ];
    for (key, value, is_meant) in table {
        let world = World::new(1);
        let mut function = function(&world);
        function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
        let instance = world.spot_instance("m5.large", "eu-west-1a");
        let instance = instance.tags(&[(key, value)]).run();
        settle(&world, &function).await;
        let runs = told();
        world.interrupt(&instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let taken = told();
        let acts = world.look(|it| it.journal.len());
        assert_eq!(acts, 0, "{key:?}={value:?}");
        assert_eq!(runs.len(), usize::from(is_meant), "{key:?}={value:?}");
        assert_eq!(taken.len(), usize::from(is_meant), "{key:?}={value:?}");
        for (line, end) in runs
            .iter()
            .map(|it| (it, "NOT protected"))
            .chain(taken.iter().map(|it| (it, "NOT rescued")))
        {
            let message = line["message"].as_str().expect("a text");
            assert!(message.contains(instance.as_str()) && message.contains(end));
            let says = message.contains("\"on\"") || message.contains("\"spot-rescue\"");
            assert!(says, "{message}");
            let metric = &line["_aws"]["CloudWatchMetrics"][0];
            assert_eq!(metric["Metrics"][0]["Name"], "MisspeltOptIns");
        }
    }
}

/// TRAP 63: a tag on the Spot request is meant for its instance, and EC2 does not hand it on.
#[tokio::test]
async fn an_opt_in_on_the_spot_request_alone_is_said_by_a_sweep_and_when_it_is_taken() {
    let nothing: &[(&str, &str)] = &[];
    for (on_request, on_instance, is_meant) in [
        ([("spot-rescue", "on")], nothing, true),
        ([("spot-rescue", "true")], nothing, true),
        ([("spot-rescue", "off")], nothing, false),
        ([("Name", "web")], nothing, false),
        ([("spot-rescue", "on")], &[("spot-rescue", "off")], false),
    ] {
        let said = format!("{on_request:?} {on_instance:?}");
        let world = World::new(1);
        let mut function = function(&world);
        function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
        let instance = world.spot_instance("m5.large", "eu-west-1a");
        let instance = instance.tags(on_instance).run();
        let request = world.look(|it| it.instances[&instance].facts.request.clone());
        let request = request.expect("a Spot request");
        world.retag(request.as_str(), &on_request);
        settle(&world, &function).await;
        told();
        let sweeps = async |times: u32| {
            for _ in 0..times {
                world.sweep();
                settle(&world, &function).await;
                world.advance(900);
            }
            told()
        };
        let once = usize::from(is_meant);
        assert_eq!(sweeps(1).await.len(), once, "{said}");
        assert_eq!(sweeps(95).await.len(), 0, "{said}: once a day");
        let lines = sweeps(1).await;
        assert_eq!(lines.len(), once, "{said}: a day later");
        world.interrupt(&instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let taken = told();
        assert_eq!(taken.len(), once, "{said}");
        for (line, end) in lines
            .iter()
            .map(|it| (it, "NOT protected"))
            .chain(taken.iter().map(|it| (it, "NOT rescued")))
        {
            let message = line["message"].as_str().expect("a text");
            for word in [instance.as_str(), request.as_str(), end, "spot-rescue=on"] {
                assert!(message.contains(word), "{message}");
            }
        }
        assert_eq!(world.look(|it| it.journal.len()), 0, "{said}");
    }
}

/// A protected instance, or one without tags of ours, costs no further call when it is interrupted; a sweep costs
/// one.
#[tokio::test]
async fn spot_requests_are_read_once_a_sweep_and_only_of_those_that_are_not_protected() {
    let (world, function, protected) = crate::support::prepared(1, &[]).await;
    let asked = || {
        let calls =
            |it: &spot_rescue::sim::State| it.calls.get("DescribeSpotInstanceRequests").copied();
        world.look(calls).unwrap_or_default()
    };
    let before = asked();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let of_a_rescue = asked() - before;
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    settle(&world, &function).await;
    let before = asked();
    world.interrupt(&other, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_eq!(asked() - before, 1);
    assert!(of_a_rescue <= 2, "{of_a_rescue}");
}
