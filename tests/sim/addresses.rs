//! Instances with more than one interface and one address.

use crate::support::{
    Function, assert_whole, code, count, function, journal, lineage, prepared, settle,
};
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{AllocationId, InstanceId, InterfaceId};
use spot_rescue::sim::{GroupType, Protected, Supply, World};
use spot_rescue::situation::{Holder, Market, Slot};
use spot_rescue::step::{Action, Network, PrivateAddresses};

/// Two private addresses and a second interface, an Elastic IP on each.
struct Rich {
    world: World,
    function: Function,
    protected: Protected,
    secondary: String,
    on_secondary: AllocationId,
    interface: InterfaceId,
    on_interface: AllocationId,
}

async fn rich(seed: u64) -> Rich {
    let world = World::new(seed);
    let function = function(&world);
    let protected = world.protected_instance();
    let secondary = world.secondary_address(&protected.instance);
    let primary = primary(&world, &protected.instance);
    let on_secondary = world.elastic_ip_on(&primary, &secondary);
    let interface = world.interface(&protected.instance, 1, true);
    let own = world.look(|it| it.interfaces[&interface].facts.addresses[0].clone());
    let on_interface = world.elastic_ip_on(&interface, &own);
    settle(&world, &function).await;
    world.advance(3600);
    Rich {
        world,
        function,
        protected,
        secondary,
        on_secondary,
        interface,
        on_interface,
    }
}

fn primary(world: &World, id: &InstanceId) -> InterfaceId {
    world.look(|it| it.instances[id].facts.interfaces[0].id.clone())
}

fn replacement(world: &World) -> InstanceId {
    world.look(|it| {
        let living = it.instances.values().filter(|it| it.facts.is_alive());
        living
            .max_by_key(|it| it.facts.launch_time)
            .expect("one")
            .facts
            .id
            .clone()
    })
}

/// The private address an Elastic IP is on.
fn placement(world: &World, allocation: &AllocationId) -> Option<String> {
    world.look(|it| it.addresses[allocation].clone().map(|it| it.1))
}

#[tokio::test]
async fn every_elastic_ip_comes_back_to_its_own_place() {
    let it = rich(1).await;
    let group = it.world.target_group(GroupType::Ip);
    let own = placement(&it.world, &it.on_interface).expect("it has one");
    let _ = it.world.register(&group, &own, 7000);
    it.world.sweep();
    settle(&it.world, &it.function).await;
    it.world
        .interrupt(&it.protected.instance, InstanceAction::Terminate);
    settle(&it.world, &it.function).await;
    let found = lineage(&it.world, &it.protected);
    assert_eq!(found.addresses.len(), 3, "{}", journal(&it.world));
    assert_eq!(found.interfaces.get(&1), Some(&it.interface));
    assert!(
        found.targets.contains(&(group.to_string(), 7000)),
        "{:?}",
        found.targets
    );
    assert_eq!(
        placement(&it.world, &it.on_secondary),
        Some(it.secondary.clone())
    );
    assert_eq!(placement(&it.world, &it.on_interface), Some(own));
    let head = replacement(&it.world);
    let flag = it
        .world
        .look(|state| state.interfaces[&it.interface].delete_on_termination);
    assert!(flag, "the user's flag came back");
    let usual = it
        .world
        .look(|state| state.instances[&head].facts.private_addresses[0].clone());
    assert_eq!(placement(&it.world, &it.protected.address), Some(usual));
}

/// The interface is bound to its zone; its address is not.
#[tokio::test]
async fn in_another_zone_the_interface_is_kept_and_its_address_moves() {
    let it = rich(2).await;
    let elsewhere = it.world.subnet("eu-west-1b");
    let id = it.protected.instance.as_str();
    it.world
        .retag(id, &[("spot-rescue:subnets", elsewhere.as_str())]);
    for market in [Market::Spot, Market::OnDemand] {
        it.world
            .supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    it.world
        .interrupt(&it.protected.instance, InstanceAction::Terminate);
    settle(&it.world, &it.function).await;
    let found = lineage(&it.world, &it.protected);
    assert_eq!(found.zone.as_deref(), Some("eu-west-1b"));
    assert_eq!(found.addresses.len(), 3, "{}", journal(&it.world));
    let kept = it
        .world
        .look(|state| state.interfaces[&it.interface].facts.holder.clone());
    assert_eq!(kept, Holder::Free);
}

/// TRAP 14: with its instance, an interface may vanish, or be freed and taken by another instance.
#[tokio::test]
async fn what_another_instance_has_by_now_stays_with_it() {
    let it = rich(3).await;
    let stranger = it.world.spot_instance("m5.large", "eu-west-1a").run();
    it.world
        .interrupt(&it.protected.instance, InstanceAction::Terminate);
    let _ = it.world.run_for(&it.function, 110).await;
    it.world.change(|state| {
        // The user moves the interface and the first address by hand.
        let holder = &mut state
            .interfaces
            .get_mut(&it.interface)
            .expect("kept")
            .facts
            .holder;
        *holder = Holder::Instance(stranger.clone());
        let placement = state.instances[&stranger].facts.interfaces[0].clone();
        let placement = (placement.id, placement.addresses[0].clone());
        state
            .addresses
            .insert(it.protected.address.clone(), Some(placement));
    });
    settle(&it.world, &it.function).await;
    let found = lineage(&it.world, &it.protected);
    assert!(found.interfaces.is_empty() && found.live == 1);
    assert!(
        found.addresses.contains(&it.on_secondary),
        "{}",
        journal(&it.world)
    );
    assert!(!found.addresses.contains(&it.protected.address));
    let holder = it
        .world
        .look(|state| state.address_holder(&it.protected.address));
    assert_eq!(holder, Some(stranger));
}

/// A private address that is taken is replaced by another one.
#[tokio::test]
async fn a_private_address_that_is_gone_is_replaced_by_another() {
    let it = rich(4).await;
    let stranger = it.world.spot_instance("m5.large", "eu-west-1a").run();
    it.world
        .interrupt(&it.protected.instance, InstanceAction::Terminate);
    let taken = it.secondary.clone();
    let _ = it.world.run_for(&it.function, 119).await;
    it.world.change(|state| {
        let old = state.instances[&it.protected.instance].facts.interfaces[0]
            .id
            .clone();
        let addresses = &mut state
            .interfaces
            .get_mut(&old)
            .expect("alive")
            .facts
            .addresses;
        addresses.retain(|it| *it != taken);
        let id = state.instances[&stranger].facts.interfaces[0].id.clone();
        let interface = state.interfaces.get_mut(&id).expect("it runs");
        interface.facts.addresses.push(taken.clone());
    });
    settle(&it.world, &it.function).await;
    let found = lineage(&it.world, &it.protected);
    assert!(
        found.addresses.contains(&it.on_secondary),
        "{}",
        journal(&it.world)
    );
    assert_ne!(
        placement(&it.world, &it.on_secondary),
        Some(it.secondary.clone())
    );
}

/// The replacement is interrupted as well: everything moves on to the next.
#[tokio::test]
async fn a_second_rescue_finds_everything_where_the_first_put_it() {
    let it = rich(5).await;
    for _ in 0..2 {
        let head = replacement(&it.world);
        it.world.interrupt(&head, InstanceAction::Terminate);
        settle(&it.world, &it.function).await;
        it.world.advance(1800);
    }
    assert_whole(&it.world, &it.protected);
    let found = lineage(&it.world, &it.protected);
    assert_eq!(found.addresses.len(), 3, "{}", journal(&it.world));
    assert_eq!(found.interfaces.get(&1), Some(&it.interface));
}

/// Most instances have one interface: no call is made about others, and about that one only while all is well.
#[tokio::test]
async fn an_instance_with_one_address_costs_no_call_more() {
    let (world, function, protected) = prepared(6, &[]).await;
    let asked = || world.look(|it| it.calls.get("DescribeNetworkInterfaces").copied());
    let before = asked();
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 110).await;
    assert_eq!(asked(), before);
    settle(&world, &function).await;
    assert_whole(&world, &protected);
    let others = |it: &Action| {
        matches!(
            it,
            Action::Network(Network::Flag { .. } | Network::Attach { .. } | Network::Assign { .. })
        )
    };
    assert_eq!(count(&world, others), 0);
}

/// A group's instances get their interfaces from its template; those of the old ones go with them.
#[tokio::test]
async fn the_interfaces_of_a_group_member_go_with_it() {
    let world = World::new(7);
    let function = function(&world);
    let tags = [("aws:autoscaling:groupName", "workers")];
    let protected = world.protected_in("eu-west-1a", &tags);
    let interface = world.interface(&protected.instance, 1, true);
    settle(&world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert!(world.look(|it| !it.interfaces.contains_key(&interface)));
}

/// The simulator refuses an interface in use, in another zone, or at a taken place.
#[tokio::test]
async fn an_interface_is_attached_where_it_may_be() {
    let world = World::new(8);
    let [here, there] =
        ["eu-west-1a", "eu-west-1b"].map(|it| world.spot_instance("m5.large", it).run());
    let interface = world.interface(&here, 1, false);
    let to = |on: &InstanceId, device| {
        Action::Network(Network::Attach {
            interface: interface.clone(),
            instance: on.clone(),
            slot: Slot { card: 0, device },
        })
    };
    let refused = world.act(&to(&there, 1)).await;
    assert_eq!(code(refused), "InvalidNetworkInterface.InUse");
    world.terminate(&here);
    world.advance(60);
    let refused = world.act(&to(&there, 1)).await;
    assert_eq!(code(refused), "InvalidParameterCombination");
    let neighbour = world.spot_instance("m5.large", "eu-west-1a").run();
    let refused = world.act(&to(&neighbour, 0)).await;
    assert_eq!(code(refused), "InvalidParameterValue");
    assert!(world.act(&to(&neighbour, 1)).await.is_ok());
    let more = Action::Network(Network::Assign {
        interface,
        addresses: PrivateAddresses::Any(10),
    });
    assert_eq!(
        code(world.act(&more).await),
        "PrivateIpAddressLimitExceeded"
    );
}
