//! A replacement is like its original where AWS, left to itself, would make it another: a public address that the
//! original did not have, volumes without their user's tags, a key that the role may not use.

use crate::support::{assert_whole, count, function, journal, prepared, settle};
use crate::told::{notes, watched};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{FailingCloud, Protected, SimInstance, Supply, World};
use spot_rescue::situation::{Cpu, Market, PublicAddress, Unlike};
use spot_rescue::step::{Action, TemplateSpec};
use spot_rescue::tags::{self, Tags};

const ALLOCATION: &str = "eipalloc-0123456789abcdef0";

fn change(world: &World, id: &InstanceId, change: impl FnOnce(&mut SimInstance)) {
    world.change(|it| change(it.instances.get_mut(id).expect("it is there")));
}

fn give_to_all_in_its_subnet(world: &World, id: &InstanceId) {
    world.change(|it| {
        let subnet = it.instances[id].facts.subnet.clone().expect("it has one");
        it.public_subnets.insert(subnet);
    });
}

/// The instance that runs now in its place.
fn replacement(world: &World, of: &Protected) -> SimInstance {
    world.look(|it| {
        let others = it
            .instances
            .values()
            .filter(|it| it.facts.id != of.instance);
        let mut living = others.filter(|it| it.facts.is_alive());
        living.next().expect("one lives").clone()
    })
}

async fn rescued(world: &World, protected: &Protected) -> SimInstance {
    let function = function(world);
    world.sweep();
    settle(world, &function).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(world, &function).await;
    assert_whole(world, protected);
    replacement(world, protected)
}

/// The newest version of the only prepared rescue.
fn spec(world: &World) -> TemplateSpec {
    world.look(|it| {
        let template = it.templates.values().next().expect("prepared");
        let newest = template.versions.values().last();
        newest.expect("a version").spec.clone()
    })
}

/// TRAP 53: whether the original has a public address counts, not the subnet's default. The table: public or not, the
/// subnet's default, and what the replacement has.
#[tokio::test]
async fn a_private_instance_stays_private_and_a_public_one_public() {
    for (public, default) in [(false, true), (false, false), (true, false), (true, true)] {
        let (world, _, protected) = prepared(31, &[]).await;
        world.change(|it| it.addresses.clear());
        change(&world, &protected.instance, |it| {
            it.facts.auto_public_address = public;
        });
        if default {
            give_to_all_in_its_subnet(&world, &protected.instance);
        }
        let function = function(&world);
        world.sweep();
        settle(&world, &function).await;
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let now = replacement(&world, &protected).facts.auto_public_address;
        assert_eq!(now, public, "{public} {default}\n{}", journal(&world));
    }
}

/// One with an Elastic IP reaches the internet while it boots, if the original could.
#[tokio::test]
async fn with_an_elastic_ip_the_subnet_decides_until_it_is_there() {
    let (world, _, protected) = prepared(32, &[]).await;
    assert!(world.look(|it| it.public_address(&protected.instance).is_some()));
    assert_eq!(spec(&world).public_address, None, "{ALLOCATION}");
    world.change(|it| it.addresses.values_mut().for_each(|it| *it = None));
    world.sweep();
    settle(&world, &function(&world)).await;
    assert_eq!(spec(&world).public_address, Some(PublicAddress::Refused));
}

fn root_of(world: &World, id: &InstanceId) -> VolumeId {
    world.look(|it| {
        it.instances[id]
            .facts
            .root()
            .expect("a root")
            .volume
            .clone()
    })
}

fn users() -> Tags {
    let pairs = [
        ("backup", "daily"),
        ("team", "db"),
        ("aws:cloudformation:x", "y"),
    ];
    pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .into()
}

/// TRAP 54: tags that backup plans and policies go by, on the fresh root and interface; no tags of ours or of AWS.
#[tokio::test]
async fn a_fresh_root_and_interface_have_their_users_tags() {
    let (world, _, protected) = prepared(33, &[]).await;
    let root = root_of(&world, &protected.instance);
    world.change(|it| {
        let now = it.now;
        let volume = it.volumes.get_mut(&root).expect("there");
        volume.tags.change(now, now, |it| it.extend(users()));
        let primary = it.instances[&protected.instance].facts.primary_interface();
        let primary = primary.expect("one").id.clone();
        let interface = it.interfaces.get_mut(&primary).expect("there");
        interface.tags.change(now, now, |it| it.extend(users()));
    });
    let made = rescued(&world, &protected).await;
    let root = root_of(&world, &made.facts.id);
    world.look(|it| {
        let primary = &made.facts.primary_interface().expect("one").id;
        let of_root = it.volumes[&root].tags.current();
        let of_interface = it.interfaces[primary].tags.current();
        for tags in [of_root, of_interface] {
            let own = tags.iter().filter(|(key, _)| !tags::is_own(key));
            let own: Vec<&str> = own.map(|(key, _)| key.as_str()).collect();
            assert_eq!(own, ["backup", "team"], "{tags:?}");
        }
    });
    let spec = spec(&world);
    assert!(spec.volume_tags.keys().all(|it| !tags::is_own(it)));
}

fn tag_interface(world: &World, of: &InstanceId) {
    world.change(|it| {
        let now = it.now;
        let primary = it.instances[of].facts.primary_interface();
        let primary = primary.expect("one").id.clone();
        let interface = it.interfaces.get_mut(&primary).expect("there");
        interface.tags.change(now, now, |it| it.extend(users()));
    });
}

/// TRAP 54: a version that is written in a rescue says what the prepared one says of a new interface. The table: an
/// account that enforces IMDSv2 now, and a private address that cannot be kept for want of capacity in its zone.
#[tokio::test]
async fn an_interface_launched_from_a_version_of_the_rescue_has_its_users_tags() {
    for keep in [false, true] {
        let policy = [("spot-rescue:private-ip", "keep")];
        let policy: &[(&str, &str)] = if keep { &policy } else { &[] };
        let (world, function, protected) = prepared(41, policy).await;
        tag_interface(&world, &protected.instance);
        if keep {
            let elsewhere = world.subnet("eu-west-1b");
            let subnets = [("spot-rescue:subnets", elsewhere.as_str())];
            world.retag(protected.instance.as_str(), &subnets);
        }
        world.sweep();
        settle(&world, &function).await;
        world.advance(3600);
        if keep {
            for market in [Market::Spot, Market::OnDemand] {
                world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
            }
        } else {
            world.enforce_tokens(true);
        }
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let made = replacement(&world, &protected).facts;
        let versions = |it: &Action| match it {
            Action::WriteTemplate(it) => it.spec.plain || it.extends,
            _ => false,
        };
        assert_eq!(count(&world, versions), 1, "{}", journal(&world));
        let primary = &made.primary_interface().expect("one").id;
        let tags = world.look(|it| it.interfaces[primary].tags.current().clone());
        let own = tags.keys().filter(|it| !tags::is_own(it));
        assert_eq!(own.collect::<Vec<_>>(), ["backup", "team"], "keep {keep}");
    }
}

/// TRAP 54: and so have copies, in another zone or at once.
#[tokio::test]
async fn a_volume_made_again_has_its_users_tags() {
    for clone in [true, false] {
        let (world, function, protected) = prepared(39, &[]).await;
        let elsewhere = world.subnet("eu-west-1b");
        let policy = if clone {
            ("spot-rescue:data", "clone")
        } else {
            ("spot-rescue:subnets", elsewhere.as_str())
        };
        world.retag(protected.instance.as_str(), &[policy]);
        world.change(|it| {
            let now = it.now;
            for id in &protected.data {
                let volume = it.volumes.get_mut(id).expect("there");
                volume.tags.change(now, now, |it| it.extend(users()));
            }
        });
        if !clone {
            for market in [Market::Spot, Market::OnDemand] {
                world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
            }
        }
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        let made = replacement(&world, &protected).facts;
        let volumes = made.devices.iter().filter(|it| !made.is_root(&it.name));
        let ids: Vec<&VolumeId> = volumes.map(|it| &it.volume).collect();
        assert!(ids.len() == 2 && ids.iter().all(|it| !protected.data.contains(it)));
        for id in ids {
            let tags = world.look(|it| it.volumes[id].tags.current().clone());
            let own = tags.keys().filter(|it| !tags::is_own(it));
            assert_eq!(own.collect::<Vec<_>>(), ["backup", "team"], "{tags:?}");
        }
    }
}

/// TRAP 57: a mark is on the volume and is given to its snapshot as well. Should EC2 refuse both together, there is a
/// set all the same, within the two minutes.
#[tokio::test]
async fn a_tag_that_may_not_be_copied_and_given_costs_no_set() {
    let (world, _, protected) = prepared(34, &[]).await;
    world.change(|it| it.tags_once = true);
    let function = function(&world);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 10).await;
    let sets = |it: &Action| {
        matches!(
            it,
            Action::SnapshotInstance {
                copy_tags: false,
                ..
            }
        )
    };
    assert_eq!(count(&world, sets), 1, "{}", journal(&world));
    assert!(
        world.look(|it| !it.snapshots.is_empty()),
        "{}",
        journal(&world)
    );
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// TRAP 58: what was to be launched on an interface says nothing of the network. Launched without it all the same, it
/// is in the groups of the original, and as private: never in the default group.
#[tokio::test]
async fn launched_without_its_interface_it_is_in_the_same_groups() {
    let keep = [("spot-rescue:private-ip", "keep")];
    for seed in 0..6 {
        let (world, function, protected) = prepared(seed, &keep).await;
        world.change(|it| {
            it.config.interleave = true;
            it.config.concurrency = 2;
            it.config.lag_seconds = i64::from(seed % 2 == 0) * 4;
        });
        assert!(spec(&world).bare && spec(&world).interface_tags.is_empty());
        give_to_all_in_its_subnet(&world, &protected.instance);
        let groups = world.look(|it| {
            let facts = &it.instances[&protected.instance].facts;
            facts.security_groups.clone()
        });
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 110).await;
        world.change(|it| {
            let facts = &it.instances[&protected.instance].facts;
            let primary = facts.primary_interface().expect("one").id.clone();
            let interface = it.interfaces.get_mut(&primary).expect("there");
            interface.delete_on_termination = true;
        });
        settle(&world, &function).await;
        let made = replacement(&world, &protected).facts;
        assert_eq!(made.security_groups, groups, "{}", journal(&world));
        let extends = |it: &Action| matches!(it, Action::WriteTemplate(it) if it.extends);
        assert_eq!(count(&world, extends), 1, "{}", journal(&world));
        // While all is well, the next one is to be launched on its interface again.
        world.advance(3600);
        world.sweep();
        settle(&world, &function).await;
        assert!(spec(&world).bare, "{}", journal(&world));
        let record = world.look(|it| {
            let template = it.templates.values().next().expect("prepared");
            template.tags.current().clone()
        });
        assert!(!record.contains_key(tags::NETWORKED), "{record:?}");
        assert!(record.contains_key("spot-rescue:network-1"), "{record:?}");
    }
}

/// Where the address is no longer to be kept, there is a version with network settings before the record forgets
/// them.
#[tokio::test]
async fn the_record_says_what_the_version_that_is_launched_does_not() {
    let (world, function, protected) = prepared(36, &[("spot-rescue:private-ip", "keep")]).await;
    change(&world, &protected.instance, |it| {
        let at = it.visible_from;
        it.tags.change(at, at, |it| {
            it.remove("spot-rescue:private-ip");
        });
    });
    world.sweep();
    settle(&world, &function).await;
    let forgets = world.look(|it| {
        let mut journal = it.journal.iter();
        let key = "spot-rescue:network-1".to_owned();
        let forgets = |it: &Action| matches!(it, Action::Untag { keys, .. } if keys.contains(&key));
        let written = |it: &Action| matches!(it, Action::WriteTemplate(it) if !it.spec.bare);
        let wrote = journal.position(|it| written(&it.action));
        wrote.is_some()
            && !it
                .journal
                .iter()
                .take(wrote.unwrap_or(0))
                .any(|it| forgets(&it.action))
    });
    assert!(forgets && !spec(&world).bare, "{}", journal(&world));
}

/// TRAP 58: the first request of a warning never names a version without network settings, whatever the policy says
/// by then.
#[tokio::test]
async fn a_policy_that_changed_a_moment_ago_leads_to_no_default_group() {
    let (world, function, protected) = prepared(40, &[("spot-rescue:private-ip", "keep")]).await;
    let groups = world.look(|it| {
        let facts = &it.instances[&protected.instance].facts;
        facts.security_groups.clone()
    });
    change(&world, &protected.instance, |it| {
        let at = it.visible_from;
        it.tags.change(at, at, |it| {
            it.remove("spot-rescue:private-ip");
        });
    });
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let made = replacement(&world, &protected).facts;
    assert_eq!(made.security_groups, groups, "{}", journal(&world));
}

/// TRAP 49. The table: default key, the keys named in the stack, whether the volumes have keys of their own, and
/// whether it is reported.
#[tokio::test]
async fn a_default_key_that_is_not_named_is_told() {
    const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0f0f";
    for (default, named, own, told) in [
        (Some(KEY), "", false, true),
        (Some(KEY), KEY, false, false),
        (Some("alias/aws/ebs"), "", false, false),
        (None, "", false, false),
        (
            Some(KEY),
            "arn:aws:kms:eu-west-1:123456789012:key/1234",
            true,
            false,
        ),
    ] {
        let world = World::new(35);
        let protected = world.protected_instance();
        world.change(|it| {
            it.default_key = default.map(str::to_owned);
            let key = own.then(|| "arn:aws:kms:eu-west-1:123456789012:key/1234".to_owned());
            for volume in it.volumes.values_mut() {
                volume.facts.settings.encrypted = own;
                volume.facts.settings.kms_key.clone_from(&key);
            }
        });
        let mut function = watched(FailingCloud::new(world.clone(), vec![]));
        function.defaults = Tags::from([(tags::KMS_KEYS.to_owned(), named.to_owned())]);
        let _ = world.run_until_quiet(&function).await;
        let said = notes().join("\n");
        let is_told = said.contains(KEY) && said.contains("KmsKeyArns");
        assert_eq!(is_told, told, "{default:?} {named} {protected:?}\n{said}");
    }
}

/// Everything a replacement will lack is reported when its rescue is prepared, each by a word of its own.
#[tokio::test]
async fn what_a_replacement_will_lack_is_reported_beforehand() {
    let all = [
        (Unlike::Accelerator, "Elastic Graphics"),
        (
            Unlike::Capacity("cr-0123456789abcdef0".to_owned()),
            "cr-0123456789abcdef0",
        ),
        (Unlike::ConnectionTracking, "idle timeouts"),
        (
            Unlike::Host("h-0123456789abcdef0".to_owned()),
            "h-0123456789abcdef0",
        ),
        (Unlike::InterfaceType("efa".to_owned()), "type efa"),
        (Unlike::Ipv6(vec!["2001:db8::1".to_owned()]), "2001:db8::1"),
        (Unlike::Outpost("arn:outpost".to_owned()), "arn:outpost"),
        (Unlike::Prefixes, "prefixes"),
        (Unlike::SecondaryInterfaces, "secondary network"),
    ];
    for with in [true, false] {
        let world = World::new(37);
        let types = [("spot-rescue:instance-types", "m5.xlarge")];
        let protected = world.protected_in("eu-west-1a", &types);
        change(&world, &protected.instance, |it| {
            let likeness = &mut it.facts.likeness;
            likeness.unlike = all.iter().filter(|_| with).map(|it| it.0.clone()).collect();
            let (cores, threads_per_core) = (1, if with { 1 } else { 2 });
            likeness.cpu = Some(Cpu {
                cores,
                threads_per_core,
                special: false,
            });
        });
        let function = watched(FailingCloud::new(world.clone(), vec![]));
        let _ = world.run_until_quiet(&function).await;
        let said = notes().join("\n");
        for word in all.iter().map(|it| it.1).chain(["CPU options"]) {
            assert_eq!(said.contains(word), with, "{word}\n{said}");
        }
    }
}

/// What its user changes while it runs is in the next version, once.
#[tokio::test]
async fn a_setting_that_is_changed_while_it_runs_is_prepared_anew() {
    let (world, function, protected) = prepared(38, &[]).await;
    let versions = |world: &World| count(world, |it| matches!(it, Action::WriteTemplate(_)));
    let before = versions(&world);
    for (settings, made) in [
        ("tokens=Required", 1),
        ("tokens=Required", 1),
        ("tokens=Optional", 2),
    ] {
        change(&world, &protected.instance, |it| {
            it.facts.likeness.settings = settings.to_owned();
        });
        world.advance(900);
        world.sweep();
        settle(&world, &function).await;
        assert_eq!(versions(&world), before + made, "{}", journal(&world));
    }
}
