//! `spot-rescue:private-ip=keep`: the replacement has the original's private address.

use crate::support::{
    Function, assert_whole, code, count, function, journal, lineage, prepared, settle,
};
use serde_json::Value;
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::{InstanceId, InterfaceId};
use spot_rescue::record::Record;
use spot_rescue::sim::{Drain, GroupType, Supply, World};
use spot_rescue::situation::{Holder, Market};
use spot_rescue::step::{Action, InstanceTypes, Network};
use spot_rescue::tags;
use std::cell::RefCell;

const KEEP: (&str, &str) = ("spot-rescue:private-ip", "keep");

/// Of the instances that live, the newest.
fn head(world: &World) -> InstanceId {
    world.look(|it| {
        let living = it.instances.values().filter(|it| it.facts.is_alive());
        let ours = living.filter(|it| it.tags.current().contains_key(tags::RESCUE));
        let newest = ours.max_by_key(|it| it.facts.launch_time);
        newest.expect("one lives").facts.id.clone()
    })
}

/// The primary interface, its address, and its `DeleteOnTermination`.
fn primary(world: &World, id: &InstanceId) -> (InterfaceId, String, bool) {
    world.look(|it| {
        let primary = it.instances[id].facts.primary_interface().expect("one");
        let first = primary.addresses[0].clone();
        (primary.id.clone(), first, primary.delete_on_termination)
    })
}

fn interface_tag(world: &World, id: &InterfaceId, key: &str) -> Option<String> {
    world.look(|it| it.interfaces.get(id)?.tags.current().get(key).cloned())
}

fn launches(action: &Action) -> bool {
    matches!(action, Action::Launch(_))
}

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// The same function, with its outcomes recorded.
fn telling(function: Function) -> Function {
    TOLD.take();
    Handler {
        seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
        print: |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned())),
        ..function
    }
}

fn lines() -> Vec<Value> {
    let told = TOLD.with_borrow(Clone::clone);
    let lines = told
        .iter()
        .map(|it| serde_json::from_str(it).expect("JSON"));
    lines.collect()
}

/// The loss in the outcome.
fn told_loss() -> String {
    let lines = lines();
    let back = |it: &&Value| it["outcome"] == "incomplete";
    let outcome = lines.iter().find(back).expect("it is back");
    assert_eq!(outcome["level"], "WARN");
    let lost = outcome["private_address_lost"].as_str();
    lost.unwrap_or_default().to_owned()
}

/// The outcome reports it, and so do the looks on the way.
fn assert_lost(address: &str, why: &str) {
    let lost = told_loss();
    let sentence = format!("{address} is not kept: ");
    assert!(lost.starts_with(&sentence) && lost.contains(why), "{lost}");
    let noted = |it: &Value| it["notes"].to_string().contains(&sentence);
    assert!(lines().iter().any(noted));
}

/// Its day comes, and it is not forgotten.
async fn assert_deleted_in_time(world: &World, function: &Function, id: &InterfaceId) {
    let expiry = interface_tag(world, id, tags::EXPIRES_AT);
    assert!(expiry.is_some(), "{}", journal(world));
    for hours in [23, 2] {
        assert!(world.look(|it| it.interfaces.contains_key(id)));
        world.advance(hours * 3600);
        world.sweep();
        settle(world, function).await;
    }
    assert!(world.look(|it| !it.interfaces.contains_key(id)));
}

async fn rescue(world: &World, function: &Function, id: &InstanceId) {
    world.interrupt(id, InstanceAction::Terminate);
    settle(world, function).await;
}

#[tokio::test]
async fn the_replacement_has_the_same_address_by_the_same_interface_flag_included() {
    let (world, function, protected) = prepared(1, &[KEEP]).await;
    let before = primary(&world, &protected.instance);
    assert!(before.2, "EC2's default");
    rescue(&world, &function, &protected.instance).await;
    assert_whole(&world, &protected);
    assert_ne!(head(&world), protected.instance);
    assert_eq!(
        primary(&world, &head(&world)),
        before,
        "{}",
        journal(&world)
    );
}

/// An address is free when its instance has ended: nothing is launched before, and one thing then.
#[tokio::test]
async fn nothing_is_launched_while_the_old_instance_has_the_interface() {
    let (world, function, protected) = prepared(2, &[KEEP]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 115).await;
    assert_eq!(count(&world, launches), 0, "{}", journal(&world));
    settle(&world, &function).await;
    assert_eq!(count(&world, launches), 1, "{}", journal(&world));
}

/// What stands on the address stays on it: `ip` targets, Elastic IPs, secondary addresses.
#[tokio::test]
async fn targets_that_name_the_address_are_registered_again() {
    let (world, function, protected) = prepared(3, &[KEEP]).await;
    let (_, address, _) = primary(&world, &protected.instance);
    let secondary = world.secondary_address(&protected.instance);
    let group = world.target_group(GroupType::Ip);
    for (ip, port) in [(&address, 7000), (&secondary, 7001)] {
        let _ = world.register(&group, ip, port);
    }
    world.sweep();
    settle(&world, &function).await;
    let second = world.interface(&protected.instance, 1, true);
    settle(&world, &function).await;
    world.sweep();
    settle(&world, &function).await;
    rescue(&world, &function, &protected.instance).await;
    let registered = world.look(|it| {
        let targets = it.groups[&group].targets.iter();
        let serving = targets.filter(|(_, drain)| **drain == Drain::No);
        serving
            .map(|(it, _)| (it.id.clone(), it.port))
            .collect::<Vec<_>>()
    });
    let expected = [(address, Some(7000)), (secondary, Some(7001))];
    assert_eq!(registered, expected, "{}", journal(&world));
    let found = lineage(&world, &protected);
    assert_eq!(found.interfaces.get(&1), Some(&second));
    assert!(found.addresses.contains(&protected.address));
    // The Elastic IP has never moved.
    let associates = |it: &Action| matches!(it, Action::Network(Network::Associate { .. }));
    assert_eq!(count(&world, associates), 0, "{}", journal(&world));
}

/// Types one by one, in the interface's own subnet only, Spot before On-Demand.
#[tokio::test]
async fn without_capacity_another_type_takes_the_address() {
    let types = ("spot-rescue:instance-types", "m6i.large m7i.large");
    let (world, function, protected) = prepared(4, &[KEEP, types]).await;
    let before = primary(&world, &protected.instance);
    for kind in ["m5.large", "m6i.large"] {
        world.supply(kind, "eu-west-1a", Market::Spot, Supply::Left(0));
    }
    rescue(&world, &function, &protected.instance).await;
    assert_whole(&world, &protected);
    let head = head(&world);
    let found = world.look(|it| it.instances[&head].facts.clone());
    assert_eq!(found.instance_type, "m7i.large", "{}", journal(&world));
    assert_eq!(found.market, Market::Spot);
    assert_eq!(primary(&world, &found.id), before);
    let one_by_one = |it: &Action| match it {
        Action::Launch(it) => {
            matches!(&it.instance_types, InstanceTypes::Named(names) if names.len() == 1)
        }
        _ => false,
    };
    assert_eq!(count(&world, one_by_one), 3);
}

#[tokio::test]
async fn without_spot_capacity_an_on_demand_instance_takes_the_address() {
    let (world, function, protected) = prepared(5, &[KEEP]).await;
    let before = primary(&world, &protected.instance);
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(0));
    rescue(&world, &function, &protected.instance).await;
    let head = head(&world);
    let market = world.look(|it| it.instances[&head].facts.market);
    assert_eq!(market, Market::OnDemand);
    assert_eq!(primary(&world, &head), before, "{}", journal(&world));
}

/// No instance could have the address beside the stand-in.
#[tokio::test]
async fn a_stand_in_with_the_address_does_not_give_way_to_spot() {
    let (world, function, protected) =
        prepared(25, &[KEEP, ("spot-rescue:return-to-spot", "1h")]).await;
    let before = primary(&world, &protected.instance);
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(0));
    rescue(&world, &function, &protected.instance).await;
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(9));
    for _ in 0..3 {
        world.advance(7200);
        world.sweep();
        settle(&world, &function).await;
    }
    let head = head(&world);
    let market = world.look(|it| it.instances[&head].facts.market);
    assert_eq!(market, Market::OnDemand, "{}", journal(&world));
    assert_eq!(primary(&world, &head), before);
}

/// No other pool has capacity: the address is worth waiting for.
#[tokio::test]
async fn without_capacity_anywhere_the_address_is_waited_for() {
    let (world, function, protected) = prepared(6, &[KEEP]).await;
    let before = primary(&world, &protected.instance);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 600).await;
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(9));
    settle(&world, &function).await;
    assert_eq!(
        primary(&world, &head(&world)),
        before,
        "{}",
        journal(&world)
    );
}

/// Lost, reported, and not left over for ever.
#[tokio::test]
async fn without_capacity_in_the_zone_the_rescue_goes_on_with_a_new_address_and_says_so() {
    let (world, function, protected) = prepared(7, &[KEEP]).await;
    let (interface, address, _) = primary(&world, &protected.instance);
    let elsewhere = world.subnet("eu-west-1b");
    let id = protected.instance.as_str();
    world.retag(id, &[("spot-rescue:subnets", elsewhere.as_str())]);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    let function = telling(function);
    rescue(&world, &function, &protected.instance).await;
    let found = lineage(&world, &protected);
    assert_eq!(found.zone.as_deref(), Some("eu-west-1b"));
    assert!(found.addresses.contains(&protected.address));
    assert_lost(&address, "there is no capacity in subnet-");
    assert_deleted_in_time(&world, &function, &interface).await;
}

#[tokio::test]
async fn an_interface_of_another_instance_stays_with_it_and_that_is_reported() {
    let (world, function, protected) = prepared(8, &[KEEP]).await;
    let (interface, address, _) = primary(&world, &protected.instance);
    let stranger = world.spot_instance("m5.large", "eu-west-1a").run();
    let function = telling(function);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 110).await;
    let taken = || Holder::Instance(stranger.clone());
    world.change(|it| {
        let taken = taken();
        it.interfaces
            .get_mut(&interface)
            .expect("kept")
            .facts
            .holder = taken;
    });
    settle(&world, &function).await;
    assert_lost(&address, "is in use by i-");
    assert_eq!(lineage(&world, &protected).live, 1);
    assert_eq!(
        world.look(|it| it.interfaces[&interface].facts.holder.clone()),
        taken()
    );
    assert_eq!(interface_tag(&world, &interface, tags::EXPIRES_AT), None);
}

/// A user sets the flag back, and EC2 deletes the interface with its instance.
async fn rescue_without_interface(world: &World, function: &Function, id: &InstanceId) {
    let (interface, ..) = primary(world, id);
    world.interrupt(id, InstanceAction::Terminate);
    let _ = world.run_for(function, 119).await;
    world.change(|it| {
        let found = it.interfaces.get_mut(&interface).expect("there");
        found.delete_on_termination = true;
    });
    settle(world, function).await;
    assert!(world.look(|it| !it.interfaces.contains_key(&interface)));
}

#[tokio::test]
async fn when_the_interface_is_gone_the_address_is_lost_and_that_is_told() {
    let (world, function, protected) = prepared(9, &[KEEP]).await;
    let (_, address, _) = primary(&world, &protected.instance);
    let function = telling(function);
    rescue_without_interface(&world, &function, &protected.instance).await;
    assert_lost(&address, "is gone");
    assert_whole(&world, &protected);
}

/// A twin may have planned to launch on the interface: it has come to its end when something is launched
/// without.
#[tokio::test]
async fn a_loss_is_on_record_half_a_minute_before_anything_is_launched_without() {
    let (world, function, protected) = prepared(24, &[KEEP]).await;
    rescue_without_interface(&world, &function, &protected.instance).await;
    let first = |wanted: fn(&Action) -> bool| {
        world.look(|it| {
            let found = it.journal.iter().find(|it| wanted(&it.action));
            found.expect("it happened").at
        })
    };
    let given_up = first(|it| match it {
        Action::Tag { tags, .. } => tags.contains_key(spot_rescue::tags::ADDRESS_LOST),
        _ => false,
    });
    let waited = (first(launches) - given_up).whole_seconds();
    assert!(
        (30..60).contains(&waited),
        "{waited} s\n{}",
        journal(&world)
    );
}

/// With `protect=always` it does not depend on a warning.
#[tokio::test]
async fn protected_always_the_address_is_kept_without_any_warning() {
    let always = ("spot-rescue:protect", "always");
    let (world, function, protected) = prepared(10, &[KEEP, always]).await;
    let before = primary(&world, &protected.instance);
    assert!(!before.2, "the flag is off already");
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let after = primary(&world, &head(&world));
    assert_eq!(after, before, "{}", journal(&world));
    // And when its user ends it, the interface goes a day later, as it would have gone.
    world.advance(3600);
    world.sweep();
    settle(&world, &function).await;
    world.terminate(&head(&world));
    assert!(world.run_until_quiet(&function).await.quiet);
    assert!(interface_tag(&world, &after.0, tags::EXPIRES_AT).is_some());
    world.advance(25 * 3600);
    world.sweep();
    assert!(world.run_until_quiet(&function).await.quiet);
    assert!(world.look(|it| !it.interfaces.contains_key(&after.0)));
}

/// An expired interface that its user has put to use stays with the user for good.
#[tokio::test]
async fn a_left_over_interface_in_use_again_is_never_deleted() {
    let always = ("spot-rescue:protect", "always");
    let (world, function, protected) = prepared(11, &[KEEP, always]).await;
    let (interface, ..) = primary(&world, &protected.instance);
    world.terminate(&protected.instance);
    assert!(world.run_until_quiet(&function).await.quiet);
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    let hold = |holder| {
        world.change(|it| {
            it.interfaces
                .get_mut(&interface)
                .expect("kept")
                .facts
                .holder = holder;
        });
    };
    hold(Holder::Instance(other));
    for _ in 0..2 {
        world.advance(25 * 3600);
        world.sweep();
        assert!(world.run_until_quiet(&function).await.quiet);
    }
    hold(Holder::Free);
    world.advance(25 * 3600);
    world.sweep();
    assert!(world.run_until_quiet(&function).await.quiet);
    assert!(world.look(|it| it.interfaces.contains_key(&interface)));
}

/// The replacement goes as well, before and after it took over.
#[tokio::test]
async fn the_address_passes_from_one_to_the_next() {
    let (world, function, protected) = prepared(12, &[KEEP]).await;
    let before = primary(&world, &protected.instance);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 170).await;
    for pause in [0, 1800] {
        let next = head(&world);
        assert_ne!(next, protected.instance, "{}", journal(&world));
        world.advance(pause);
        rescue(&world, &function, &next).await;
    }
    assert_whole(&world, &protected);
    assert_eq!(
        primary(&world, &head(&world)),
        before,
        "{}",
        journal(&world)
    );
}

/// A loss is the loss of one rescue: the next one keeps the address there is then.
#[tokio::test]
async fn after_a_loss_the_new_address_is_kept() {
    let (world, function, protected) = prepared(13, &[KEEP]).await;
    rescue_without_interface(&world, &function, &protected.instance).await;
    let second = primary(&world, &head(&world));
    rescue(&world, &function, &head(&world)).await;
    assert_eq!(
        primary(&world, &head(&world)),
        second,
        "{}",
        journal(&world)
    );
}

/// EC2 was never asked before: a permanent refusal costs the address, not the rescue.
#[tokio::test]
async fn an_interface_that_ec2_does_not_launch_on_is_given_up() {
    let (world, function, protected) = prepared(14, &[KEEP]).await;
    let (_, address, _) = primary(&world, &protected.instance);
    // A prepared rescue as it was made before (TRAP 10): it says an interface 0 of its own.
    world.change(|it| {
        for template in it.templates.values_mut() {
            for version in template.versions.values_mut() {
                version.spec.bare = false;
            }
        }
    });
    let function = telling(function);
    rescue(&world, &function, &protected.instance).await;
    assert_lost(&address, "EC2 does not launch on eni-");
    assert_eq!(lineage(&world, &protected).live, 1);
}

/// Nothing was prepared: only what the instance shows at the warning is known.
#[tokio::test]
async fn an_instance_that_was_never_prepared_keeps_its_address_as_well() {
    let world = World::new(15);
    let function = function(&world);
    let protected = world.protected_in("eu-west-1a", &[KEEP]);
    world.change(|it| it.queue.messages.clear());
    let before = primary(&world, &protected.instance);
    rescue(&world, &function, &protected.instance).await;
    let after = primary(&world, &head(&world));
    assert_eq!(after, before, "{}", journal(&world));
}

/// Clones, spares, stops and groups take precedence, and are not in the way.
#[tokio::test]
async fn a_stopped_instance_keeps_its_interface() {
    let tags = [
        KEEP,
        ("spot-rescue:no-return", "restore"),
        ("spot-rescue:return-minutes", "30"),
    ];
    let (world, function, protected) = prepared(16, &tags).await;
    let before = primary(&world, &protected.instance);
    world.interrupt(&protected.instance, InstanceAction::Stop);
    for _ in 0..6 {
        let _ = world.run_until_quiet(&function).await;
        world.advance(900);
        world.sweep();
    }
    let _ = world.run_until_quiet(&function).await;
    let holder = world.look(|it| it.interfaces[&before.0].facts.holder.clone());
    assert_eq!(holder, Holder::Instance(protected.instance.clone()));
    assert_eq!(interface_tag(&world, &before.0, tags::EXPIRES_AT), None);
    let ours = world.look(|it| {
        it.instances
            .values()
            .filter(|it| it.facts.is_alive())
            .count()
    });
    assert_eq!(ours, 2, "{}", journal(&world));
}

#[tokio::test]
async fn no_spare_and_no_clone_is_made_that_could_not_be_used() {
    let tags = [
        KEEP,
        ("spot-rescue:rebalance", "replace"),
        ("spot-rescue:data", "clone"),
    ];
    let (world, function, protected) = prepared(17, &tags).await;
    let before = primary(&world, &protected.instance);
    world.recommend_rebalance(&protected.instance);
    settle(&world, &function).await;
    assert_eq!(count(&world, launches), 0, "{}", journal(&world));
    rescue(&world, &function, &protected.instance).await;
    assert_whole(&world, &protected);
    assert_eq!(primary(&world, &head(&world)), before);
    let clones = |it: &Action| matches!(it, Action::CopyVolume(_));
    assert_eq!(count(&world, clones), 0, "{}", journal(&world));
}

/// A group launches its members by itself, with interfaces of their own.
#[tokio::test]
async fn of_a_group_member_the_interface_goes_with_it() {
    let world = World::new(18);
    let function = function(&world);
    world.scaling_group("web", &["eu-west-1a"]);
    let protected = world.protected_in("eu-west-1a", &[KEEP]);
    world.member("web", &protected.instance);
    settle(&world, &function).await;
    world.advance(3600);
    let (interface, ..) = primary(&world, &protected.instance);
    rescue(&world, &function, &protected.instance).await;
    assert!(world.look(|it| !it.interfaces.contains_key(&interface)));
    assert_eq!(lineage(&world, &protected).live, 1, "{}", journal(&world));
}

/// Unless the replacement is ours: then it joins the group with the address.
#[tokio::test]
async fn a_replacement_that_joins_a_group_has_the_address() {
    let world = World::new(22);
    let function = function(&world);
    world.scaling_group("web", &["eu-west-1a"]);
    let protected = world.protected_in("eu-west-1a", &[KEEP, ("spot-rescue:replace", "launch")]);
    world.member("web", &protected.instance);
    world.change_group("web", |it| (it.facts.min_size, it.facts.max_size) = (0, 1));
    settle(&world, &function).await;
    world.advance(3600);
    let before = primary(&world, &protected.instance);
    rescue(&world, &function, &protected.instance).await;
    let head = head(&world);
    assert_eq!(primary(&world, &head), before, "{}", journal(&world));
    let members = world.look(|it| it.scaling_groups["web"].facts.members.clone());
    assert!(members.iter().any(|it| it.instance == head), "{members:?}");
}

/// A policy set in the last moment is on no record.
#[tokio::test]
async fn an_address_that_was_never_on_record_is_told_as_lost() {
    let always = ("spot-rescue:protect", "always");
    let (world, function, protected) = prepared(23, &[always]).await;
    world.retag(protected.instance.as_str(), &[KEEP]);
    let function = telling(function);
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let lost = told_loss();
    assert!(lost.contains("was not launched on its interface"), "{lost}");
}

#[tokio::test]
async fn the_old_root_and_the_old_address_come_together() {
    let (world, function, protected) = prepared(19, &[KEEP, ("spot-rescue:root", "keep")]).await;
    let before = primary(&world, &protected.instance);
    rescue(&world, &function, &protected.instance).await;
    assert_whole(&world, &protected);
    assert_eq!(
        primary(&world, &head(&world)),
        before,
        "{}",
        journal(&world)
    );
    let head = head(&world);
    let root = world.look(|it| {
        let facts = &it.instances[&head].facts;
        facts.root().map(|it| it.volume.clone())
    });
    assert_eq!(root, Some(protected.root.clone()));
}

/// An instance that does not ask for it waits for nothing.
#[tokio::test]
async fn the_interface_is_on_record_only_where_the_policy_asks_for_it() {
    for (tags, expected) in [(&[KEEP][..], true), (&[], false)] {
        let (world, _, protected) = prepared(20, tags).await;
        let record = world.look(|it| {
            let template = it.templates.values().next().expect("prepared");
            Record::from_tags(template.tags.current())
        });
        let (interface, address, delete) = primary(&world, &protected.instance);
        let noted = record
            .primary()
            .map(|it| (&it.interface, it.delete_on_termination));
        assert_eq!(noted, expected.then_some((&interface, delete)));
        assert_eq!(record.private_addresses.contains(&address), expected);
    }
}

/// The simulator's `RunInstances`.
#[tokio::test]
async fn an_interface_in_use_is_not_launched_on() {
    let (world, _, protected) = prepared(21, &[KEEP]).await;
    let (interface, ..) = primary(&world, &protected.instance);
    let mut launch = crate::traps::launch(&world, &protected, "a-token");
    launch.interface = Some(interface.clone());
    let named = InstanceTypes::Named(vec!["m5.large".to_owned()]);
    launch.instance_types = named;
    let refused = world.act(&Action::Launch(launch.clone())).await;
    assert_eq!(code(refused), "InvalidNetworkInterface.InUse");
    world.change(|it| {
        let found = it.interfaces.get_mut(&interface).expect("there");
        found.delete_on_termination = false;
    });
    world.terminate(&protected.instance);
    world.advance(300);
    let first = world.act(&Action::Launch(launch.clone())).await;
    let again = world.act(&Action::Launch(launch.clone())).await;
    assert!(
        first.is_ok() && first == again,
        "the token names the same one"
    );
    launch.token = "another".to_owned();
    let refused = world.act(&Action::Launch(launch)).await;
    assert_eq!(code(refused), "InvalidNetworkInterface.InUse");
}
