//! Capacity Blocks, which say when they end their instances.

use crate::support::{assert_whole, count, journal, lost_writes, prepared, settle};
use spot_rescue::event::InstanceState;
use spot_rescue::sim::Drain;
use spot_rescue::step::Action;

/// TRAP 60: whenever it ends, it is not taken for one that has outlived its warning, and nothing is given back to it.
#[tokio::test]
async fn an_instance_that_ends_in_ten_minutes_is_rescued_then() {
    for notice in [30, 120, 600, 660, 840] {
        let (world, function, protected) = prepared(1, &[]).await;
        world.end_block(&protected.instance, notice);
        let end = notice - 1;
        let _ = world.run_for(&function, end).await;
        let shown = journal(&world);
        world.look(|it| {
            let old = &it.instances[&protected.instance];
            assert_eq!(old.facts.state, InstanceState::Running, "{notice}");
            let flagged = old.facts.devices.iter().any(|it| it.delete_on_termination);
            assert!(!flagged, "{notice}\n{shown}");
            let mut targets = it.groups.values().flat_map(|it| &it.targets);
            let serves = targets
                .any(|(it, drain)| it.id == protected.instance.as_str() && *drain == Drain::No);
            assert!(!serves, "{notice}\n{shown}");
        });
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert_eq!(lost_writes(&world, &protected), [0, 0], "{notice}");
        let launches = count(&world, |it| matches!(it, Action::Launch(_)));
        assert_eq!(launches, 1, "{notice}\n{}", journal(&world));
    }
}

/// While it lives on nothing can move, so no look comes every few seconds.
#[tokio::test]
async fn few_looks_are_made_until_it_ends() {
    let looks = |notice| async move {
        let (world, function, protected) = prepared(2, &[]).await;
        let before = world.look(|it| it.calls["DescribeInstances"]);
        world.end_block(&protected.instance, notice);
        let _ = world.run_for(&function, notice - 1).await;
        world.look(|it| it.calls["DescribeInstances"]) - before
    };
    let (spot, block) = (looks(120).await, looks(600).await);
    assert!(
        block <= spot + 10,
        "{block} looks in ten minutes, {spot} in two"
    );
}
