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
