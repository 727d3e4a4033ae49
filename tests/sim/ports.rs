//! Ports that an orchestrator chose.

use crate::support::{function, journal, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Drain, GroupType, World};
use spot_rescue::situation::Target;
use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Where the lineage's living instance is registered, but for the two ports that it always has.
fn ports(world: &World) -> BTreeSet<u16> {
    world.look(|it| {
        let alive = it.instances.values().find(|it| it.facts.is_alive());
        let alive = alive.map(|it| it.facts.id.to_string());
        let targets = it.groups.values().flat_map(|it| &it.targets);
        let serves = |(it, drain): &(&Target, &Drain)| {
            Some(&it.id) == alive.as_ref() && **drain == Drain::No
        };
        targets
            .filter(serves)
            .filter_map(|(it, _)| it.port)
            .collect()
    })
}

/// TRAP 66: which ports the replacement is registered on.
#[tokio::test]
async fn ports_that_an_orchestrator_chose_are_left_to_it() {
    const TASK: u16 = 49_153;
    const NODE: u16 = 30_080;
    type Row = (
        &'static str,
        u16,
        u16,
        &'static [(&'static str, &'static str)],
        &'static [u16],
    );
    let table: [Row; 9] = [
        ("a dynamic host port", TASK, 80, &[], &[8080, 9090]),
        ("the group's own", TASK, TASK, &[], &[8080, 9090, TASK]),
        ("a port override", 8443, 80, &[], &[8080, 8443, 9090]),
        (
            "as asked for",
            TASK,
            80,
            &[("spot-rescue:targets", "rejoin")],
            &[8080, 9090, TASK],
        ),
        (
            "none, as asked for",
            8443,
            80,
            &[("spot-rescue:targets", "leave")],
            &[],
        ),
        (
            "a container instance",
            8443,
            80,
            &[("AmazonECSManaged", "")],
            &[],
        ),
        (
            "the group's own there",
            80,
            80,
            &[("AmazonECSManaged", "")],
            &[],
        ),
        (
            "a node port",
            NODE,
            NODE,
            &[("kubernetes.io/cluster/one", "owned")],
            &[8080, 9090],
        ),
        ("no node", NODE, NODE, &[], &[8080, 9090, NODE]),
    ];
    for (what, port, own, tags, expected) in table {
        let world = World::new(1);
        let mut function = function(&world);
        function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
        let protected = world.protected_in("eu-west-1a", tags);
        let service = world.target_group(GroupType::Instance);
        world.change(|it| it.groups.get_mut(&service).expect("it exists").port = own);
        let task = world.register(&service, protected.instance.as_str(), port);
        TOLD.take();
        settle(&world, &function).await;
        let told = TOLD
            .take()
            .iter()
            .any(|it| it.contains("by its orchestrator"));
        let asked = tags.iter().any(|it| it.0 == "spot-rescue:targets");
        let all = expected.contains(&port) || asked;
        assert_eq!(told, !all, "{what}: said while there is time");
        world.advance(3600);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 20).await;
        let left = world.look(|it| it.groups[&service].targets.get(&task).copied());
        assert_ne!(left, Some(Drain::No), "{what}: it leaves at once");
        settle(&world, &function).await;
        let expected: BTreeSet<u16> = expected.iter().copied().collect();
        assert_eq!(ports(&world), expected, "{what}\n{}", journal(&world));
    }
}

/// The orchestrator starts tasks on the replacement by itself: those are its own from then on, and nothing is
/// registered where there is no task, sweep after sweep.
#[tokio::test]
async fn the_next_owner_has_the_ports_of_its_own_tasks() {
    let world = World::new(2);
    let function = function(&world);
    let mut protected = world.protected_in("eu-west-1a", &[]);
    let service = world.target_group(GroupType::Instance);
    for (n, port) in [49_153, 49_200, 51_000].into_iter().enumerate() {
        let _ = world.task(&service, &protected.instance, port);
        world.sweep();
        settle(&world, &function).await;
        world.advance(3600);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let alive = world.look(|it| {
            let alive = it.instances.values().find(|it| it.facts.is_alive());
            alive.map(|it| it.facts.id.clone())
        });
        protected.instance = alive.expect("a replacement");
        assert_eq!(
            ports(&world),
            BTreeSet::from([8080, 9090]),
            "{n}\n{}",
            journal(&world)
        );
    }
}
