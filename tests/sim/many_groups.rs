//! An instance may be registered with any number of target groups: nodes behind Kubernetes services are.

use crate::support::{function, journal, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Drain, Group, GroupType, Protected, VPC, World};
use spot_rescue::situation::{Instance, TargetGroup};
use std::collections::{BTreeMap, BTreeSet};

/// With the longest names there are.
fn register(world: &World, protected: &Protected, groups: usize, ports: &[u16]) {
    for n in 0..groups {
        let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup";
        let group =
            TargetGroup::Elb(format!("{arn}/k8s-production-databases-x-{n:05}/{n:016x}").into());
        let facts = Group {
            port: 80,
            kind: GroupType::Instance,
            vpc: VPC.to_owned(),
            refuses: None,
            targets: BTreeMap::new(),
        };
        world.change(|it| it.groups.insert(group.clone(), facts));
        for port in ports {
            let _ = world.register(&group, protected.instance.as_str(), *port);
        }
    }
}

/// Group and port of whatever gets traffic, if all of it is one living instance.
fn served(world: &World) -> BTreeSet<(String, Option<u16>)> {
    world.look(|it| {
        let alive = it
            .instances
            .values()
            .map(|it| &it.facts)
            .filter(|it| it.is_alive());
        let alive: Vec<&Instance> = alive.collect();
        let [one] = alive.as_slice() else {
            return BTreeSet::new();
        };
        let targets = it.groups.values().flat_map(|it| &it.targets);
        let serving = targets.filter(|(it, drain)| **drain == Drain::No && one.answers_to(it));
        serving
            .map(|(it, _)| (it.group.to_string(), it.port))
            .collect()
    })
}

/// Groups, ports of each; twice, since the replacement's rescue is prepared as well.
#[tokio::test]
async fn every_registration_follows() {
    for (groups, ports) in [
        (1, &[80][..]),
        (14, &[30080, 30081, 30082]),
        (42, &[80]),
        (40, &[30080, 30081, 30082]),
        (100, &[80]),
    ] {
        let world = World::new(7);
        let function = function(&world);
        let protected = world.protected_instance();
        register(&world, &protected, groups, ports);
        settle(&world, &function).await;
        let before = served(&world);
        assert_eq!(before.len(), groups * ports.len() + 2);
        for round in 1..=2 {
            world.advance(900);
            world.sweep();
            settle(&world, &function).await;
            let owner = world.look(|it| {
                let mut all = it.instances.values().filter(|it| it.facts.is_alive());
                all.next().expect("it lives").facts.id.clone()
            });
            world.interrupt(&owner, InstanceAction::Terminate);
            settle(&world, &function).await;
            let after = served(&world);
            assert_eq!(
                after.len(),
                before.len(),
                "{groups} groups, round {round}\n{}",
                journal(&world)
            );
            assert_eq!(after, before);
        }
    }
}
