//! Instances and launches behave as AWS documents them.

use crate::support::{code, function, prepared};
use spot_rescue::clock::Clock;
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::event::{self, InstanceAction, InstanceState, Trigger};
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Protected, Supply, World};
use spot_rescue::situation::{Instance, Market};
use spot_rescue::step::{Action, InstanceTypes, Launch, LaunchTemplate};
use spot_rescue::tags::{self, Tags};

pub async fn seen(world: &World, id: &InstanceId) -> Option<Instance> {
    let query = Query::Instances(vec![id.clone()]);
    let found = world.instances(&query).await.expect("it can be read");
    found.into_iter().next()
}

pub fn launch(world: &World, protected: &Protected, token: &str) -> Launch {
    Launch {
        template: LaunchTemplate::Name(format!("spot-rescue-{}", protected.instance)),
        market: Market::Spot,
        instance_types: InstanceTypes::Named(vec!["m5.large".to_owned()]),
        subnet: world.subnet("eu-west-1a"),
        interface: None,
        image: None,
        tags: Tags::from([(
            tags::RESCUE.to_owned(),
            protected.instance.as_str().to_owned(),
        )]),
        attempt: 0,
        token: token.to_owned(),
    }
}

/// "arn:aws:ec2:<availability-zone>:instance/<id>" (TRAP 1).
#[tokio::test]
async fn the_arn_of_a_warning_has_the_zone_in_place_of_the_region() {
    let world = World::new(1);
    let id = world.spot_instance("m5.large", "eu-west-1a").run();
    world.interrupt(&id, InstanceAction::Terminate);
    let bodies = world.look(|it| {
        let all = it.queue.messages.iter();
        all.map(|it| it.body.clone()).collect::<Vec<_>>()
    });
    let warning = bodies.last().expect("a warning was sent");
    assert!(warning.contains(&format!("arn:aws:ec2:eu-west-1a:instance/{id}")));
    assert!(matches!(
        event::parse(warning),
        Ok(Trigger::Interruption(it)) if it.instance == id && it.at == world.now()
    ));
}

/// Two minutes for terminate and stop, "hibernation begins immediately" (TRAP 3).
#[tokio::test]
async fn the_end_comes_when_the_warning_says() {
    for (action, after, state) in [
        (InstanceAction::Terminate, 119, InstanceState::Running),
        (InstanceAction::Terminate, 120, InstanceState::ShuttingDown),
        (InstanceAction::Terminate, 130, InstanceState::Terminated),
        (InstanceAction::Stop, 119, InstanceState::Running),
        (InstanceAction::Stop, 120, InstanceState::Stopping),
        (InstanceAction::Stop, 140, InstanceState::Stopped),
        (InstanceAction::Hibernate, 0, InstanceState::Stopping),
    ] {
        let world = World::new(2);
        let id = world.spot_instance("m5.large", "eu-west-1a").run();
        world.interrupt(&id, action);
        world.advance(after);
        let instance = seen(&world, &id).await.expect("it is visible");
        assert_eq!(instance.state, state, "{action} after {after} s");
    }
}

/// TRAP 14: "tags and volumes are gradually disassociated", visible for about an hour.
#[tokio::test]
async fn an_ended_instance_loses_its_fields_then_its_tags_then_its_entry() {
    let (world, _, protected) = prepared(3, &[]).await;
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    world.advance(130);
    let ended = seen(&world, &protected.instance).await.expect("visible");
    assert!(ended.devices.is_empty() && ended.subnet.is_none());
    assert!(ended.private_addresses.is_empty() && ended.security_groups.is_empty());
    assert!(ended.image.is_some() && ended.root_device.is_some());
    assert!(ended.tags.contains_key(tags::OPT_IN));
    let reason = ended.state_reason.as_deref();
    assert_eq!(reason, Some("Server.SpotInstanceTermination"));
    world.advance(1800);
    let bare = seen(&world, &protected.instance).await.expect("visible");
    assert!(bare.tags.is_empty());
    world.advance(1800);
    assert_eq!(seen(&world, &protected.instance).await, None);
}

/// A start gives a stopped instance a new launch time, and clears the reason.
#[tokio::test]
async fn a_stopped_instance_comes_back_with_its_volumes_and_a_new_launch_time() {
    let world = World::new(4);
    let id = world.spot_instance("m5.large", "eu-west-1a").run();
    let first = seen(&world, &id).await.expect("visible");
    world.interrupt(&id, InstanceAction::Stop);
    world.advance(1000);
    let stopped = seen(&world, &id).await.expect("visible");
    let reason = stopped.state_reason.as_deref();
    assert_eq!(reason, Some("Server.SpotInstanceShutdown"));
    assert_eq!(stopped.devices, first.devices);
    world.resume(&id);
    world.advance(20);
    let back = seen(&world, &id).await.expect("visible");
    assert_eq!(back.state, InstanceState::Running);
    assert!(back.launch_time > first.launch_time && back.state_reason.is_none());
}

/// The same token and parameters: the old answer, even when its instance has ended; other
/// parameters: refused (TRAP 7).
#[tokio::test]
async fn a_token_gives_the_old_answer_or_a_mismatch() {
    let (world, _, protected) = prepared(5, &[]).await;
    let first = launch(&world, &protected, "token-a");
    let act = |it: &Launch| Action::Launch(it.clone());
    let id = world.act(&act(&first)).await.expect("launched");
    assert_eq!(world.act(&act(&first)).await, Ok(id.clone()));
    world.terminate(&id.parse().expect("an id"));
    world.advance(4000);
    assert_eq!(world.act(&act(&first)).await, Ok(id.clone()));
    let other = Launch {
        market: Market::OnDemand,
        ..first.clone()
    };
    let mismatch = code(world.act(&act(&other)).await);
    assert_eq!(mismatch, "IdempotentParameterMismatch");
    let second = launch(&world, &protected, "token-b");
    assert_ne!(world.act(&act(&second)).await, Ok(id));
}

/// TRAP 8: no capacity is an answer like any other; the token remembers it.
#[tokio::test]
async fn capacity_is_per_type_zone_and_market() {
    let (world, _, protected) = prepared(6, &[]).await;
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    let ask = |token: &str, market| {
        let launch = launch(&world, &protected, token);
        Action::Launch(Launch { market, ..launch })
    };
    assert!(world.act(&ask("a", Market::Spot)).await.is_ok());
    let refused = world.act(&ask("b", Market::Spot)).await;
    assert_eq!(code(refused.clone()), "InsufficientInstanceCapacity");
    world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(1));
    assert_eq!(world.act(&ask("b", Market::Spot)).await, refused);
    assert!(world.act(&ask("c", Market::Spot)).await.is_ok());
    assert!(world.act(&ask("d", Market::OnDemand)).await.is_ok());
    let quota = Supply::Refused("MaxSpotInstanceCountExceeded");
    world.supply("m5.large", "eu-west-1a", Market::Spot, quota);
    let refused = world.act(&ask("e", Market::Spot)).await;
    assert_eq!(code(refused), "MaxSpotInstanceCountExceeded");
}

/// TRAP 9: a device of the image that is not kept empty gets an empty volume.
#[tokio::test]
async fn an_image_fills_the_devices_the_template_does_not_keep_empty() {
    // One that the instance uses, and one that its user has emptied.
    let devices = ["/dev/sdf", "/dev/sdb"];
    let cases = devices.map(|device| [(device, true, 1), (device, false, 2)]);
    for (device, kept, expected) in cases.into_iter().flatten() {
        let world = World::new(7);
        let builder = world.spot_instance("m5.large", "eu-west-1a");
        let builder = builder.volume("/dev/sdf", 10, false);
        let id = builder.image_device(device).protected().run();
        let run = world.run_until_quiet(&function(&world)).await;
        assert!(run.quiet);
        if !kept {
            world.change(|it| {
                let versions = it
                    .templates
                    .values_mut()
                    .flat_map(|it| it.versions.values_mut());
                versions.for_each(|it| it.spec.empty_devices.clear());
            });
        }
        let protected = Protected {
            instance: id,
            ..World::new(0).protected_instance()
        };
        let made = world
            .act(&Action::Launch(launch(&world, &protected, "t")))
            .await;
        let made: InstanceId = made.expect("launched").parse().expect("an id");
        assert_eq!(world.volumes_of(&made).len(), expected, "{device} {kept}");
    }
}

/// An instance that EC2 has accepted may still die while booting, with a reason.
#[tokio::test]
async fn an_instance_may_die_while_it_boots() {
    let (world, _, protected) = prepared(16, &[]).await;
    world.change(|it| it.boot_failures.push("Client.InternalError"));
    let made = world
        .act(&Action::Launch(launch(&world, &protected, "t")))
        .await;
    let made: InstanceId = made.expect("launched").parse().expect("an id");
    world.advance(20);
    let dead = seen(&world, &made).await.expect("visible");
    assert_eq!(dead.state, InstanceState::Terminated);
    assert_eq!(dead.state_reason.as_deref(), Some("Client.InternalError"));
}
