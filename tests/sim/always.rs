//! `spot-rescue:protect=always`: no volume depends on a warning.

use crate::support::{Function, count, failing, journal, lineage, lost_writes, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{Fault, Kind, On, Protected, World};
use spot_rescue::step::Action;
use spot_rescue::tags;

const ALWAYS: (&str, &str) = ("spot-rescue:protect", "always");

fn flags(world: &World, protected: &Protected) -> Vec<bool> {
    let instance = &protected.instance;
    world.look(|it| {
        let devices = it.instances[instance].facts.devices.iter();
        devices.map(|it| it.delete_on_termination).collect()
    })
}

/// The instance that has the volumes now.
fn owner(world: &World, protected: &Protected) -> InstanceId {
    world.look(|it| {
        let attachments = &it.volumes[&protected.data[0]].facts.attachments;
        attachments[0].instance.clone()
    })
}

/// An instance that its user ends stays registered with its targets: that is left to the user.
async fn rest(world: &World, function: &Function) {
    assert!(world.run_until_quiet(function).await.quiet);
}

fn sets_flags(action: &Action) -> bool {
    matches!(action, Action::SetDeleteOnTermination { .. })
}

#[tokio::test]
async fn the_flags_are_off_while_all_is_well_and_a_warning_needs_no_call_for_them() {
    let (world, function, protected) = prepared(40, &[ALWAYS]).await;
    assert_eq!(flags(&world, &protected), [false; 3], "{}", journal(&world));
    let before = count(&world, sets_flags);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 60).await;
    assert_eq!(count(&world, sets_flags), before, "{}", journal(&world));
}

#[tokio::test]
async fn without_any_warning_every_volume_moves_and_no_write_is_lost() {
    let (world, function, protected) = prepared(41, &[ALWAYS]).await;
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let found = lineage(&world, &protected);
    assert_eq!((found.live, found.volumes.len()), (1, 2));
    assert!(found.volumes.values().all(|it| !it.is_copy), "{found:#?}");
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

/// The replacement is protected likewise, and its user's flags are kept on the way.
#[tokio::test]
async fn volumes_flagged_by_the_user_expire_when_the_user_ends_the_instance() {
    let (world, function, protected) = prepared(42, &[ALWAYS]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let owner = owner(&world, &protected);
    world.advance(2 * 24 * 3600);
    world.sweep();
    settle(&world, &function).await;
    world.terminate(&owner);
    rest(&world, &function).await;
    let [first, second] = [&protected.data[0], &protected.data[1]];
    let expires = |id| {
        world.look(|it| {
            let tags = it.volumes[id].tags.current();
            tags.contains_key(tags::EXPIRES_AT)
        })
    };
    assert!(expires(first) && !expires(second), "{}", journal(&world));
    world.advance(25 * 3600);
    world.sweep();
    rest(&world, &function).await;
    let left = world.look(|it| {
        (
            it.volumes.contains_key(first),
            it.volumes.contains_key(second),
        )
    });
    assert_eq!(left, (false, true), "{}", journal(&world));
}

#[tokio::test]
async fn a_volume_that_its_user_has_put_to_use_again_is_never_deleted() {
    let (world, function, protected) = prepared(43, &[ALWAYS]).await;
    world.terminate(&protected.instance);
    rest(&world, &function).await;
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    rest(&world, &function).await;
    world.give_away(&protected.data[0], &other, "/dev/sdf");
    for _ in 0..2 {
        world.advance(25 * 3600);
        world.sweep();
        rest(&world, &function).await;
    }
    world.terminate(&other);
    rest(&world, &function).await;
    world.advance(25 * 3600);
    world.sweep();
    rest(&world, &function).await;
    assert!(world.look(|it| it.volumes.contains_key(&protected.data[0])));
}

/// Where the record cannot be written, only the flag tells the user's wish.
#[tokio::test]
async fn a_flag_goes_off_only_when_it_is_on_record() {
    let (world, usual, protected) = prepared(44, &[ALWAYS]).await;
    let added = world.flagged_volume(&protected.instance, "/dev/sdh");
    let refused = Fault {
        on: On::Every("CreateTags"),
        kind: Kind::Code("InternalError"),
    };
    let function = failing(&world, vec![refused]);
    world.sweep();
    let _ = world.run_for(&function, 120).await;
    assert!(!function.cloud.struck().is_empty());
    let flag = || {
        let attachments = world.look(|it| it.volumes[&added].facts.attachments.clone());
        attachments[0].delete_on_termination
    };
    assert!(flag(), "{}", journal(&world));
    world.advance(900);
    world.sweep();
    settle(&world, &usual).await;
    assert!(!flag(), "{}", journal(&world));
    world.terminate(&protected.instance);
    rest(&world, &usual).await;
    let expires = world.look(|it| {
        let tags = it.volumes[&added].tags.current();
        tags.contains_key(tags::EXPIRES_AT)
    });
    assert!(expires, "{}", journal(&world));
}
