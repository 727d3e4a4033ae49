//! Launches with a token that was used before, for another request.

use crate::support::{assert_whole, failing, journal, prepared};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Fault, Kind, On};
use spot_rescue::step::Action;

/// TRAP 7: the token has brought no instance that can be seen, so another one is used.
#[tokio::test]
async fn a_token_that_was_used_for_another_request_is_given_up() {
    let (world, _, protected) = prepared(91, &[]).await;
    let used = |n| Fault {
        on: On::Call("CreateFleet", n),
        kind: Kind::Code("IdempotentParameterMismatch"),
    };
    let function = failing(&world, (0..6).map(used).collect());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 1800).await;
    let attempts = world.look(|it| {
        let launched = it.journal.iter().filter_map(|it| match &it.action {
            Action::Launch(launch) => Some(launch.attempt),
            _ => None,
        });
        launched.collect::<Vec<_>>()
    });
    assert!(
        attempts.len() == 1 && attempts[0] > 0,
        "{attempts:?}\n{}",
        journal(&world)
    );
    assert_whole(&world, &protected);
}
