//! What EC2 answers to a launch, and what a launch request's token remembers of it.

use crate::support::{code, prepared};
use crate::traps::{launch, seen};
use spot_rescue::cloud::{Cloud, CloudError};
use spot_rescue::event::InstanceState;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Launches, Protected, World};
use spot_rescue::situation::Market;
use spot_rescue::step::{Action, InstanceTypes, Launch};

const GONE: &str = "InvalidKeyPair.NotFound";

async fn asked(world: &World, launch: Launch) -> Result<String, CloudError> {
    world.act(&Action::Launch(launch)).await
}

/// On an interface of the instance's that has outlived it.
async fn on_interface(token: &str) -> (World, Launch) {
    let keep = [("spot-rescue:private-ip", "keep")];
    let (world, _, protected) = prepared(21, &keep).await;
    let interface = world.interface(&protected.instance, 1, false);
    world.terminate(&protected.instance);
    world.advance(60);
    let launch = Launch {
        interface: Some(interface),
        ..launch(&world, &protected, token)
    };
    (world, launch)
}

/// TRAP 43.
#[tokio::test]
async fn a_refusal_inside_the_answer_is_remembered_with_its_token() {
    let (world, _, protected) = prepared(21, &[]).await;
    world.refuse_launches(Launches::All, GONE);
    let refused = asked(&world, launch(&world, &protected, "a")).await;
    assert_eq!(code(refused.clone()), GONE);
    world.mend_launches();
    let again = asked(&world, launch(&world, &protected, "a")).await;
    assert_eq!(again, refused);
    assert!(asked(&world, launch(&world, &protected, "b")).await.is_ok());
}

/// Whether it is remembered is not documented by AWS.
#[tokio::test]
async fn a_request_refused_as_a_whole_is_remembered_or_not() {
    for remembered in [false, true] {
        let (world, _, protected) = prepared(21, &[]).await;
        world.change(|it| it.config.tokens_keep_refusals = remembered);
        world.refuse_requests(Launches::Of(Market::Spot), GONE);
        let refused = asked(&world, launch(&world, &protected, "a")).await;
        assert!(refused.as_ref().is_err_and(|it| it.refused.is_empty()));
        assert_eq!(code(refused), GONE);
        world.mend_launches();
        let again = asked(&world, launch(&world, &protected, "a")).await;
        assert_eq!(again.is_err(), remembered);
    }
}

/// TRAP 44: the other pools answer the same as an empty one.
#[tokio::test]
async fn a_fleet_tries_three_pools() {
    let (world, _, protected) = prepared(21, &[]).await;
    let subnet = world.subnet("eu-west-1a");
    let types = ["c5.large", "m5.large", "m6i.large", "r5.large", "m4.large"];
    for (kind, market) in types
        .iter()
        .flat_map(|it| [Market::Spot, Market::OnDemand].map(|market| (*it, market)))
    {
        let pool = Launches::Pool(kind.to_owned(), subnet.clone(), market);
        world.refuse_launches(pool, "InsufficientInstanceCapacity");
    }
    for (market, token) in [(Market::Spot, "s"), (Market::OnDemand, "o")] {
        let refused = asked(&world, of_types(&world, &protected, &types, market, token)).await;
        let codes = refused.expect_err("none is to be had").refused;
        let untried = codes.values().filter(|it| *it == "UnfulfillableCapacity");
        assert_eq!((codes.len(), untried.count()), (5, 2), "{codes:?}");
    }
    // The fourth has capacity, and is not tried.
    let free = ["c5.large", "m5.large", "m6i.large", "t3.large"];
    let missed = asked(
        &world,
        of_types(&world, &protected, &free, Market::OnDemand, "m"),
    )
    .await;
    assert_eq!(
        missed.expect_err("untried").refused["t3.large"],
        "UnfulfillableCapacity"
    );
}

fn of_types(
    world: &World,
    protected: &Protected,
    types: &[&str],
    market: Market,
    token: &str,
) -> Launch {
    let names = types.iter().map(|it| (*it).to_owned()).collect();
    Launch {
        market,
        instance_types: InstanceTypes::Named(names),
        ..launch(world, protected, token)
    }
}

/// TRAP 45: a fleet names the dead one again.
#[tokio::test]
async fn the_token_of_an_instance_that_has_ended_names_it_for_ever() {
    let (world, _, protected) = prepared(21, &[]).await;
    let made = asked(&world, launch(&world, &protected, "a"))
        .await
        .expect("made");
    world.terminate(&made.parse().expect("an id"));
    world.advance(2 * 3600);
    let again = asked(&world, launch(&world, &protected, "a")).await;
    assert_eq!(again, Ok(made));
}

/// The same of `RunInstances`, since January 2025.
#[tokio::test]
async fn run_instances_says_that_what_its_token_made_has_ended() {
    for later in [60, 2 * 3600] {
        let (world, launch) = on_interface("a").await;
        let made = asked(&world, launch.clone()).await.expect("made");
        assert_eq!(asked(&world, launch.clone()).await.as_ref(), Ok(&made));
        world.terminate(&made.parse().expect("an id"));
        world.advance(later);
        let again = asked(&world, launch).await;
        assert_eq!(code(again), "IdempotentInstanceTerminated");
    }
}

#[tokio::test]
async fn a_launch_under_way_elsewhere_is_answered_when_that_one_is() {
    let (world, _, protected) = prepared(21, &[]).await;
    world.next_launch_takes(5);
    for _ in 0..2 {
        let early = asked(&world, launch(&world, &protected, "a")).await;
        assert_eq!(code(early), "IdempotentCallInProgress");
    }
    let other = asked(&world, launch(&world, &protected, "b")).await;
    world.advance(5);
    let made = asked(&world, launch(&world, &protected, "a")).await;
    assert!(made.is_ok() && made != other, "{made:?}, {other:?}");
}

/// Of two that send it at the same moment, one is told that it is under way, and both get the same instance in the
/// end.
#[tokio::test]
async fn a_launch_may_take_seconds() {
    let (world, _, protected) = prepared(21, &[]).await;
    world.change(|it| it.config.launch_millis = 2500);
    let ask = || asked(&world, launch(&world, &protected, "a"));
    let (first, second) = tokio::join!(ask(), ask());
    assert_eq!(code(second), "IdempotentCallInProgress");
    assert_eq!(ask().await, first);
}

#[tokio::test]
async fn a_number_of_instances_or_all_die_booting_until_it_is_mended() {
    let (world, _, protected) = prepared(21, &[]).await;
    let dead = async |token: &str| {
        let made = asked(&world, launch(&world, &protected, token)).await;
        let made: InstanceId = made.expect("made").parse().expect("an id");
        world.advance(20);
        let seen = seen(&world, &made).await.expect("it is seen");
        (seen.state == InstanceState::Terminated).then_some(seen.state_reason?)
    };
    world.die_booting("Server.InternalError", 1);
    assert_eq!(dead("a").await.as_deref(), Some("Server.InternalError"));
    assert_eq!(dead("b").await, None);
    world.all_die_booting("Client.VolumeLimitExceeded");
    for token in ["c", "d"] {
        assert_eq!(
            dead(token).await.as_deref(),
            Some("Client.VolumeLimitExceeded")
        );
    }
    world.mend_booting();
    assert_eq!(dead("e").await, None);
}
