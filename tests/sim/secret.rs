//! The secret of our seals cannot be read: no tag is believed, steps that need none are done, the rest as soon as it
//! can be read.

use crate::support::{assert_whole, count, function, journal, prepared, settle};
use spot_rescue::cloud::CloudError;
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::World;
use spot_rescue::step::Action;

const SECRET: &str = "what the stack has generated for it";

fn unreadable(world: &World, code: &'static str) {
    let error = CloudError::new("GetSecretValue", code, "not now", Some("simulated"));
    world.change(|it| it.secret = Err(error.clone()));
}

/// A new process, in the worst moment.
#[tokio::test]
async fn flags_are_off_before_the_secret_is_read_and_the_rescue_goes_on_after() {
    for code in [
        "ThrottlingException",
        "InternalServiceError",
        "AccessDeniedException",
    ] {
        let (world, _, protected) = prepared(71, &[]).await;
        let fresh = function(&world);
        unreadable(&world, code);
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&fresh, 10).await;
        let flagged = world.look(|it| {
            let devices = it.instances[&protected.instance].facts.devices.clone();
            devices.iter().filter(|it| it.delete_on_termination).count()
        });
        assert_eq!(flagged, 0, "{code}\n{}", journal(&world));
        let launched = count(&world, |it| matches!(it, Action::Launch(_)));
        assert_eq!(launched, 0, "{code}");
        world.change(|it| it.secret = Ok(SECRET.to_owned()));
        settle(&world, &fresh).await;
        assert_whole(&world, &protected);
    }
}

/// A stack that was made anew has another secret: no old tag is believed, and the rescue is prepared anew.
#[tokio::test]
async fn with_another_secret_the_rescue_is_prepared_anew() {
    let (world, _, protected) = prepared(72, &[]).await;
    world.change(|it| it.secret = Ok(SECRET.to_uppercase()));
    let fresh = function(&world);
    world.sweep();
    settle(&world, &fresh).await;
    assert_eq!(world.look(|it| it.templates.len()), 2);
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &fresh).await;
    assert_whole(&world, &protected);
}

#[tokio::test]
async fn a_secret_that_could_be_guessed_is_not_used() {
    let world = World::new(73);
    let function = function(&world);
    let _ = world.protected_instance();
    world.change(|it| it.secret = Ok("short".to_owned()));
    let _ = world.run_for(&function, 60).await;
    let tagged = count(&world, |it| {
        matches!(it, Action::Tag { .. } | Action::WriteTemplate(_))
    });
    assert_eq!(tagged, 0, "{}", journal(&world));
}
