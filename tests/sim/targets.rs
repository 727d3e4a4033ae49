//! Targets of every kind: all come back, and one that fails holds up no other.

use crate::support::{assert_whole, count, function, journal, lineage, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Drain, FailingCloud, Fault, GroupType, Kind, On, Protected, World};
use spot_rescue::situation::{Instance, Target, TargetGroup};
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags};
use std::cell::RefCell;

const V6: [&str; 2] = ["2001:db8::a", "2001:db8::b"];

/// So many pairs of group and port there are below.
const ALL: usize = 9;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// A function that records its outcomes, with these faults.
fn failing(world: &World, faults: Vec<Fault>) -> Handler<FailingCloud<World>, World> {
    LINES.with_borrow_mut(Vec::clear);
    Handler {
        cloud: FailingCloud::new(world.clone(), faults),
        clock: world.clone(),
        defaults: Tags::new(),
        seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
        print: |line| {
            if line.contains("\"outcome\"") {
                LINES.with_borrow_mut(|it| it.push(line.to_owned()));
            }
        },
    }
}

/// The targets the last outcome names as missing.
fn missing() -> Vec<String> {
    let line = LINES.with_borrow(|it| it.last().cloned());
    let line: serde_json::Value = serde_json::from_str(&line.expect("told")).expect("JSON");
    let names = line["targets_missing"].as_array().cloned();
    let names = names.unwrap_or_default().into_iter();
    names
        .map(|it| it.as_str().unwrap_or_default().to_owned())
        .collect()
}

fn every(call: &'static str, code: &'static str) -> Fault {
    Fault {
        on: On::Every(call),
        kind: Kind::Code(code),
    }
}

/// One more protected instance, with an address of each family more, and a target of every kind.
struct Served {
    world: World,
    protected: Protected,
    targets: Vec<Target>,
}

async fn served(seed: u64) -> Served {
    let world = World::new(seed);
    let protected = world.protected_instance();
    let id = protected.instance.as_str();
    let facts = |change: fn(&mut Instance)| {
        world.change(|it| {
            let facts = it
                .instances
                .get_mut(&protected.instance)
                .map(|it| &mut it.facts);
            facts.map(change)
        })
    };
    facts(|it| {
        it.private_addresses
            .extend(["10.0.9.2".into(), V6[0].into(), V6[1].into()]);
    });
    let address = address(&world, &protected.instance, 0);
    let (appliance, by_ip) = (
        world.target_group(GroupType::Instance),
        world.target_group(GroupType::Ip),
    );
    let (classic, lattice) = (
        world.classic_load_balancer(),
        world.lattice_group(GroupType::Instance),
    );
    let lattice_ip = world.lattice_group(GroupType::Ip);
    let targets = vec![
        world.register(&appliance, id, 6081),
        world.register(&by_ip, &address, 9000),
        world.register(&by_ip, &address, 9001),
        world.register(&by_ip, "10.0.9.2", 9000),
        world.register(&by_ip, V6[1], 9000),
        world.register(&classic, id, 0),
        world.register(&lattice, id, 80),
        world.register(&lattice, id, 8080),
        world.register(&lattice_ip, &address, 80),
    ];
    settle(&world, &function(&world)).await;
    world.advance(3600);
    Served {
        world,
        protected,
        targets,
    }
}

fn address(world: &World, id: &InstanceId, place: usize) -> String {
    world.look(|it| it.instances[id].facts.private_addresses[place].clone())
}

/// The replacement, with as many addresses as the original had.
fn addressed(world: &World, protected: &Protected) {
    world.change(|it| {
        let of_others = |id: &InstanceId| *id != protected.instance;
        let others = it.instances.iter_mut().filter(|(id, _)| of_others(id));
        for (_, replacement) in others {
            let all = &mut replacement.facts.private_addresses;
            if all.len() == 1 {
                all.extend(["10.0.9.5", "2001:db8::c", "2001:db8::d"].map(str::to_owned));
            }
        }
    });
}

fn serves(world: &World, group: &TargetGroup, id: &str, port: Option<u16>) -> bool {
    let target = Target {
        group: group.clone(),
        id: id.to_owned(),
        port,
    };
    world.look(|it| it.groups[group].targets.get(&target) == Some(&Drain::No))
}

/// TRAP 19: several ports, several services, addresses of both families, each in its own place.
#[tokio::test]
async fn targets_of_every_kind_leave_at_once_and_come_back() {
    let Served {
        world,
        protected,
        targets,
    } = served(1).await;
    let function = failing(&world, Vec::new());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 5).await;
    for target in &targets {
        assert!(
            !serves(&world, &target.group, &target.id, target.port),
            "{target}"
        );
    }
    let _ = world.run_for(&function, 30).await;
    addressed(&world, &protected);
    settle_with(&world, &function).await;
    let found = lineage(&world, &protected);
    assert_eq!(found.targets.len(), ALL, "{}", journal(&world));
    let by_ip = &targets[1].group;
    for (id, port) in [("10.0.9.5", 9000), ("2001:db8::d", 9000)] {
        assert!(
            serves(&world, by_ip, id, Some(port)),
            "{id}\n{}",
            journal(&world)
        );
    }
    assert_eq!(missing(), Vec::<String>::new());
}

async fn settle_with(world: &World, function: &Handler<FailingCloud<World>, World>) {
    let run = world.run_until_quiet(function).await;
    assert!(run.quiet, "{run:?}\n{}", journal(world));
    let broken = world.look(spot_rescue::sim::invariants::at_quiescence);
    assert!(broken.is_empty(), "{broken:#?}\n{}", journal(world));
}

/// Where targets cannot be read the instance's record counts: they leave and come back, and services other than its
/// own are unharmed.
#[tokio::test]
async fn a_service_that_cannot_be_listed_keeps_what_is_on_record() {
    for (call, code) in [
        ("vpc-lattice:ListTargetGroups", "AccessDeniedException"),
        ("vpc-lattice:ListTargetGroups", "Dispatch"),
        ("DescribeLoadBalancers", "Throttling"),
        ("DescribeTargetGroups", "AccessDenied"),
    ] {
        let Served {
            world, protected, ..
        } = served(2).await;
        let function = failing(&world, vec![every(call, code)]);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 30).await;
        addressed(&world, &protected);
        settle_with(&world, &function).await;
        let found = lineage(&world, &protected);
        assert_eq!(found.targets.len(), ALL, "{call}\n{}", journal(&world));
    }
}

/// A look while nothing happens must not forget what it could not see.
#[tokio::test]
async fn a_sweep_that_cannot_read_forgets_nothing() {
    let Served {
        world, protected, ..
    } = served(3).await;
    let before = world.look(|it| {
        it.templates
            .values()
            .next()
            .map(|it| it.tags.current().clone())
    });
    let faults = vec![
        every("vpc-lattice:ListTargets", "AccessDeniedException"),
        every("DescribeLoadBalancers", "AccessDenied"),
    ];
    let mut function = failing(&world, faults);
    let off = (tags::REHEARSAL.to_owned(), "off".to_owned());
    function.defaults.extend([off]);
    for _ in 0..3 {
        world.sweep();
        settle_with(&world, &function).await;
        world.advance(900);
    }
    let after = world.look(|it| {
        it.templates
            .values()
            .next()
            .map(|it| it.tags.current().clone())
    });
    assert_eq!(before, after, "{}", journal(&world));
    assert_eq!(lineage(&world, &protected).targets.len(), ALL);
}

/// A quota, a VPC, a permission: tried for a while, named in the end; the others do not wait.
#[tokio::test]
async fn a_target_that_is_refused_is_named_and_holds_up_no_other() {
    let Served {
        world,
        protected,
        targets,
    } = served(4).await;
    let function = failing(&world, Vec::new());
    let bad = targets[0].group.clone();
    world.change(|it| {
        let group = it.groups.get_mut(&bad);
        group.map(|it| it.refuses = Some("TooManyRegistrationsForTargetId"))
    });
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 30).await;
    addressed(&world, &protected);
    let _ = world.run_for(&function, 170).await;
    let found = lineage(&world, &protected);
    assert_eq!(found.targets.len(), ALL - 1, "{}", journal(&world));
    settle_with(&world, &function).await;
    let missing = missing();
    assert!(
        missing.len() == 1 && missing[0].starts_with(bad.as_str()),
        "{missing:?}"
    );
    assert_whole_but_targets(&world, &protected);
}

fn assert_whole_but_targets(world: &World, protected: &Protected) {
    let found = lineage(world, protected);
    assert_eq!(found.live, 1);
    assert!(found.addresses.contains(&protected.address));
    assert_eq!(found.volumes.len(), 2);
}

/// Elastic Load Balancing refuses the whole call for one bad target of it.
#[tokio::test]
async fn one_bad_address_does_not_keep_the_others_of_its_group_out() {
    let Served {
        world,
        protected,
        targets,
    } = served(5).await;
    let function = failing(&world, Vec::new());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    // The replacement gets one address and no more: two of the group's targets have no place.
    settle_with(&world, &function).await;
    let by_ip = &targets[1].group;
    let replacement = replacement(&world, &protected);
    let primary = address(&world, &replacement, 0);
    for port in [9000, 9001] {
        assert!(
            serves(&world, by_ip, &primary, Some(port)),
            "{}",
            journal(&world)
        );
    }
    assert_eq!(missing().len(), 2, "{:?}", missing());
}

fn replacement(world: &World, protected: &Protected) -> InstanceId {
    let living = world.look(|it| {
        let mut all = it.instances.values().map(|it| &it.facts);
        all.find(|it| it.id != protected.instance && it.is_alive())
            .map(|it| it.id.clone())
    });
    living.expect("one lives")
}

#[tokio::test]
async fn a_group_that_is_deleted_meanwhile_is_not_waited_for() {
    let Served {
        world,
        protected,
        targets,
    } = served(6).await;
    let function = failing(&world, Vec::new());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 30).await;
    addressed(&world, &protected);
    for gone in [0, 5, 6] {
        world.change(|it| it.groups.remove(&targets[gone].group));
    }
    settle_with(&world, &function).await;
    assert_eq!(
        lineage(&world, &protected).targets.len(),
        ALL - 4,
        "{}",
        journal(&world)
    );
    assert_eq!(missing(), Vec::<String>::new());
}

/// What cannot be read is registered all the same, and named: it is unknown whether it was registered.
#[tokio::test]
async fn a_group_that_cannot_be_read_does_not_keep_the_rescue_open_for_ever() {
    let Served {
        world, protected, ..
    } = served(7).await;
    let function = failing(
        &world,
        vec![every("vpc-lattice:ListTargets", "AccessDeniedException")],
    );
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 30).await;
    addressed(&world, &protected);
    settle_with(&world, &function).await;
    assert_eq!(
        lineage(&world, &protected).targets.len(),
        ALL,
        "{}",
        journal(&world)
    );
    assert_eq!(missing().len(), 3, "{:?}", missing());
}

#[tokio::test]
async fn a_stopped_instance_gets_its_targets_of_every_kind_back() {
    let Served {
        world, protected, ..
    } = served(8).await;
    let function = failing(&world, Vec::new());
    world.interrupt(&protected.instance, InstanceAction::Stop);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    assert!(
        lineage(&world, &protected).targets.is_empty(),
        "{}",
        journal(&world)
    );
    world.resume(&protected.instance);
    settle_with(&world, &function).await;
    assert_eq!(
        lineage(&world, &protected).targets.len(),
        ALL,
        "{}",
        journal(&world)
    );
}

/// A resumed instance that one group refuses is reported as back, without that target.
#[tokio::test]
async fn a_return_does_not_wait_for_ever_for_one_target() {
    let Served {
        world,
        protected,
        targets,
    } = served(9).await;
    let function = failing(&world, Vec::new());
    world.interrupt(&protected.instance, InstanceAction::Stop);
    assert!(world.run_until_quiet(&function).await.quiet);
    let bad = targets[6].group.clone();
    world.change(|it| {
        let group = it.groups.get_mut(&bad);
        group.map(|it| it.refuses = Some("ServiceQuotaExceeded"))
    });
    world.resume(&protected.instance);
    settle_with(&world, &function).await;
    assert_eq!(
        lineage(&world, &protected).targets.len(),
        ALL - 2,
        "{}",
        journal(&world)
    );
    assert_eq!(missing().len(), 2);
}

/// Addresses mean something only within a VPC: another one's load balancer keeps its target.
#[tokio::test]
async fn the_same_address_in_another_vpc_is_a_strangers() {
    let world = World::new(10);
    let function = function(&world);
    let protected = world.protected_instance();
    let group = world.target_group(GroupType::Ip);
    world.change(|it| {
        let group = it.groups.get_mut(&group);
        group.map(|it| it.vpc = "vpc-0fedcba9876543210".to_owned())
    });
    let address = address(&world, &protected.instance, 0);
    let _ = world.register(&group, &address, 443);
    settle(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    assert!(run.quiet);
    assert!(
        serves(&world, &group, &address, Some(443)),
        "{}",
        journal(&world)
    );
    let named = |action: &Action| match action {
        Action::Deregister { group: it, .. } | Action::Register { group: it, .. } => *it == group,
        _ => false,
    };
    assert_eq!(count(&world, named), 0);
}

/// Three listings per batch when it begins, none while it waits.
#[tokio::test]
async fn waiting_costs_no_listing() {
    let (world, function, protected) = prepared(11, &[]).await;
    let listings = || {
        let calls = world.look(|it| it.calls.clone());
        let of = |call| calls.get(call).copied().unwrap_or(0);
        [
            of("DescribeTargetGroups"),
            of("DescribeLoadBalancers"),
            of("vpc-lattice:ListTargetGroups"),
        ]
    };
    let before = listings();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    for (after, before) in listings().into_iter().zip(before) {
        assert!(after - before <= 2, "{after} {before}");
    }
}

/// The Auto Scaling group's own list counts where listing fails: its members' targets are found.
#[tokio::test]
async fn a_groups_traffic_sources_are_found_without_any_listing() {
    let world = World::new(12);
    let listings = [
        every("DescribeTargetGroups", "AccessDenied"),
        every("vpc-lattice:ListTargetGroups", "AccessDeniedException"),
    ];
    let function = failing(&world, listings.to_vec());
    let member = world.spot_instance("m5.large", "eu-west-1a").protected();
    let member = member.run();
    world.scaling_group("web", &["eu-west-1a"]);
    world.member("web", &member);
    let sources = [
        world.target_group(GroupType::Instance),
        world.lattice_group(GroupType::Instance),
    ];
    for source in &sources {
        world.traffic_source("web", source);
        let _ = world.register(source, member.as_str(), 80);
    }
    let _ = world.run_for(&function, 60).await;
    let tags = world.look(|it| it.instances[&member].tags.current().clone());
    let found = spot_rescue::record::Record::from_tags(&tags).targets;
    let groups: Vec<&TargetGroup> = found.iter().map(|it| &it.group).collect();
    for source in &sources {
        assert!(groups.contains(&source), "{source}\n{}", journal(&world));
    }
}
