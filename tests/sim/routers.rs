//! Machines that others route through.

use crate::support::{assert_whole, function, journal, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::World;
use spot_rescue::situation::Instance;
use std::cell::RefCell;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn living(world: &World) -> Instance {
    world.look(|it| {
        let alive = it.instances.values().find(|it| it.facts.is_alive());
        alive.expect("one lives").facts.clone()
    })
}

/// TRAP 65: the interface is what others route to, and what has the check off.
#[tokio::test]
async fn a_router_goes_on_routing_on_its_own_interface_or_its_loss_is_reported_beforehand() {
    for (forwards, keep, told) in [
        (true, "keep", false),
        (true, "new", true),
        (false, "keep", false),
        (false, "new", false),
    ] {
        TOLD.take();
        let world = World::new(1);
        let mut function = function(&world);
        function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
        let protected = world.protected_in("eu-west-1a", &[("spot-rescue:private-ip", keep)]);
        let interface = living(&world).interfaces[0].id.clone();
        world.forward(&protected.instance, forwards);
        settle(&world, &function).await;
        let lines: Vec<String> = TOLD.take();
        let said = lines.iter().filter(|it| it.contains("source/destination"));
        let said: Vec<&String> = said.collect();
        assert_eq!(!said.is_empty(), told, "{forwards} {keep}: {lines:?}");
        assert!(said.iter().all(|it| it.contains(interface.as_str())));
        world.advance(3600);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let now = living(&world);
        let kept = now.interfaces[0].id == interface;
        let expected = (keep == "keep", forwards && keep == "keep");
        assert_eq!((kept, now.forwards), expected, "{}", journal(&world));
    }
}
