//! An instance that is opted out while its rescue is prepared: the prepared rescue is deleted, and nothing is
//! launched for it, however it ends.

use crate::support::{Function, count, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::World;
use spot_rescue::step::Action;

type Deed = fn(&World, &InstanceId);

const OUT: [(&str, Deed); 3] = [
    ("off", |world, it| {
        world.retag(it.as_str(), &[("spot-rescue", "off")]);
    }),
    ("misspelt", |world, it| {
        world.retag(it.as_str(), &[("spot-rescue", "true")]);
    }),
    ("no tag", |world, it| {
        world.change(|state| {
            let now = state.now;
            if let Some(instance) = state.instances.get_mut(it) {
                let tags = &mut instance.tags;
                tags.change(now, now, |it| drop(it.remove("spot-rescue")));
            }
        });
    }),
];
const ENDS: [(&str, Deed); 4] = [
    ("lives", |_, _| ()),
    ("warned", |world, it| {
        world.interrupt(it, InstanceAction::Terminate);
    }),
    ("taken", |world, it| {
        world.interrupt_silently(it, InstanceAction::Terminate);
    }),
    ("ended", |world, it| world.terminate(it)),
];

/// Targets go on naming it: that is its user's business now.
async fn hours(world: &World, function: &Function) {
    for _ in 0..12 {
        let _ = world.run_until_quiet(function).await;
        world.advance(900);
        world.sweep();
    }
    let _ = world.run_until_quiet(function).await;
}

fn templates(world: &World) -> usize {
    world.look(|it| it.templates.len())
}

#[tokio::test]
async fn an_instance_that_was_opted_out_is_not_rescued_and_nothing_stays_prepared() {
    for (how, out) in OUT {
        for (end, ends) in ENDS {
            for seen_before in [true, false] {
                let (world, function, protected) = prepared(17, &[]).await;
                let volumes = world.volumes_of(&protected.instance);
                out(&world, &protected.instance);
                if seen_before {
                    world.sweep();
                    settle(&world, &function).await;
                }
                ends(&world, &protected.instance);
                hours(&world, &function).await;
                let case = format!("{how}, {end}, {seen_before}\n{}", journal(&world));
                let launches = count(&world, |it| matches!(it, Action::Launch(_)));
                assert_eq!(launches, 0, "{case}");
                assert_eq!(templates(&world), 0, "{case}");
                let deleted = count(&world, |it| matches!(it, Action::DeleteVolume { .. }));
                assert_eq!(deleted, 0, "{case}");
                let kept = end != "lives" || world.volumes_of(&protected.instance) == volumes;
                assert!(kept, "{case}");
            }
        }
    }
}

#[tokio::test]
async fn an_instance_that_is_opted_in_again_is_prepared_again() {
    for (how, out) in OUT {
        let (world, function, protected) = prepared(18, &[]).await;
        out(&world, &protected.instance);
        world.sweep();
        settle(&world, &function).await;
        assert_eq!(templates(&world), 0, "{how}");
        world.retag(protected.instance.as_str(), &[("spot-rescue", "on")]);
        world.advance(900);
        world.sweep();
        settle(&world, &function).await;
        assert_eq!(templates(&world), 1, "{how}\n{}", journal(&world));
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        let launches = count(&world, |it| matches!(it, Action::Launch(_)));
        assert_eq!(launches, 1, "{how}\n{}", journal(&world));
    }
}

/// The tag is taken off the instance that ends, as it may be by a tool: the rescue ends as it began. Set to anything but
/// `on`, the rescue stops, and its record stays.
#[tokio::test]
async fn a_rescue_that_has_begun_keeps_its_record_whatever_becomes_of_the_tag() {
    for (how, out) in OUT {
        for seconds in [10, 60, 125] {
            let (world, function, protected) = prepared(18, &[]).await;
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            let _ = world.run_for(&function, seconds).await;
            out(&world, &protected.instance);
            hours(&world, &function).await;
            assert_eq!(templates(&world), 1, "{how} {seconds}\n{}", journal(&world));
            if how == "no tag" {
                crate::support::assert_whole(&world, &protected);
            }
        }
    }
}
