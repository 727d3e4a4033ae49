//! An instance that runs on after its warning.

use crate::support::{assert_whole, count, prepared, settle};
use spot_rescue::clock::Clock;
use spot_rescue::event::InstanceAction;
use spot_rescue::step::Action;

/// EC2 ends an instance two minutes after its warning. One that runs on for a quarter of an hour is not taken: it
/// gets back its traffic and its flags, and the replacement that waits for its disks is given back.
#[tokio::test]
async fn an_instance_that_outlives_its_warning_has_its_traffic_and_its_flags_again() {
    for tags in [&[][..], &[("spot-rescue:protect", "at-warning")][..]] {
        let (world, function, protected) = prepared(74, tags).await;
        world.warn(&protected.instance, InstanceAction::Terminate, world.now());
        let _ = world.run_for(&function, 600).await;
        let targets = world.summary().lineages[&protected.instance].targets.len();
        assert_eq!(targets, 0, "it is out for as long as it may be taken");
        for _ in 0..4 {
            world.advance(900);
            world.sweep();
            let _ = world.run_until_quiet(&function).await;
        }
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let launched = count(&world, |it| matches!(it, Action::Launch(_)));
        assert_eq!(launched, 1);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
    }
}
