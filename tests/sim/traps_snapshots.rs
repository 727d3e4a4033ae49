//! Snapshots behave as AWS documents them.

use crate::support::{code, prepared};
use crate::traps_ebs::{create, read, snapshot_all, snapshots, state_of};
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::event::{self, InstanceAction, Trigger};
use spot_rescue::id::VolumeId;
use spot_rescue::sim::World;
use spot_rescue::situation::{SnapshotState, VolumeSettings, VolumeState};
use spot_rescue::step::{Action, Except};
use spot_rescue::tags::{self, Tags};

/// TRAP 4: `IncorrectState: Snapshot 'snap-…' is not 'completed'.`
#[tokio::test]
async fn a_pending_snapshot_cannot_be_used() {
    let (world, _, protected) = prepared(4, &[]).await;
    let set = snapshots(world.act(&snapshot_all(&protected)).await);
    let restore = create(&set[0], "eu-west-1b", 100, "t");
    assert_eq!(code(world.act(&restore).await), "IncorrectState");
    world.advance(90);
    let made = world.act(&restore).await.expect("completed");
    assert_eq!(world.act(&restore).await, Ok(made.clone()), "same token");
    let other = create(&set[0], "eu-west-1c", 100, "t");
    assert_eq!(code(world.act(&other).await), "IdempotentParameterMismatch");
    let id: VolumeId = made.parse().expect("an id");
    assert_eq!(state_of(&world, &id), Some(VolumeState::Creating));
    world.advance(4);
    assert_eq!(state_of(&world, &id), Some(VolumeState::Available));
    let small = create(&set[1], "eu-west-1a", 1, "u");
    assert_eq!(code(world.act(&small).await), "InvalidParameterValue");
}

/// TRAP 5: one request per volume in 15 s, five pending at a time.
#[tokio::test]
async fn snapshots_are_limited_per_volume() {
    let (world, _, protected) = prepared(5, &[]).await;
    world.change(|it| it.config.snapshot_seconds = 3600);
    assert!(world.snapshot(&protected.data[0]).is_some());
    let refused = world.act(&snapshot_all(&protected)).await;
    assert_eq!(code(refused), "SnapshotCreationPerVolumeRateExceeded");
    for _ in 0..4 {
        world.advance(15);
        assert!(world.snapshot(&protected.data[0]).is_some());
    }
    world.advance(15);
    let refused = world.act(&snapshot_all(&protected)).await;
    assert_eq!(code(refused), "ConcurrentSnapshotLimitExceeded");
}

/// "By default … 1 for st1 and sc1" (TRAP 5).
#[tokio::test]
async fn a_slow_volume_has_one_pending_snapshot() {
    let world = World::new(6);
    let settings = VolumeSettings {
        volume_type: "st1".to_owned(),
        size: 125,
        ..VolumeSettings::default()
    };
    let builder = world.spot_instance("m5.large", "eu-west-1a");
    let id = builder.volume_like("/dev/sdf", settings, false).run();
    let slow = world.volumes_of(&id)["/dev/sdf"].clone();
    assert!(world.snapshot(&slow).is_some());
    world.advance(20);
    assert!(world.snapshot(&slow).is_none());
}

/// "If any one snapshot of the set fails, all of the other snapshots display an error status", and
/// the event has a detail-type of its own (TRAP 28).
#[tokio::test]
async fn a_set_has_one_moment_one_fate_and_one_event() {
    for (failures, state) in [(0, SnapshotState::Completed), (1, SnapshotState::Unusable)] {
        let (world, _, protected) = prepared(7, &[]).await;
        world.change(|it| it.snapshot_failures = failures);
        let set = snapshots(world.act(&snapshot_all(&protected)).await);
        world.advance(90);
        let found = read(&world, &set).await;
        assert_eq!(found.len(), 3);
        assert!(found.iter().all(|it| it.state == state));
        assert!(found.iter().all(|it| it.started == found[0].started));
        let last = world.look(|it| it.queue.messages.last().map(|it| it.body.clone()));
        let last = last.expect("an event was sent");
        assert!(last.contains("EBS Multi-Volume Snapshots Completion Status"));
        assert_eq!(
            event::parse(&last),
            Ok(Trigger::Snapshots { snapshots: set })
        );
    }
}

/// `CopyTagsFromSource`, which moto leaves out (TRAP 37).
#[tokio::test]
async fn a_set_copies_the_tags_of_its_volumes() {
    let (world, _, protected) = prepared(8, &[]).await;
    world.retag(
        protected.data[0].as_str(),
        &[("Team", "blue"), ("aws:x", "y")],
    );
    let set = snapshots(world.act(&snapshot_all(&protected)).await);
    let found = read(&world, &set).await;
    let of_data = found.iter().find(|it| it.volume == protected.data[0]);
    let copied = &of_data.expect("one of each volume").tags;
    assert_eq!(copied.get("Team").map(String::as_str), Some("blue"));
    assert!(copied.contains_key(tags::DEVICE) && !copied.contains_key("aws:x"));
}

/// TRAP 16: the point in time is the call's; "deleting a volume has no effect on the snapshots".
#[tokio::test]
async fn a_snapshot_misses_what_is_written_after_the_call() {
    let (world, _, protected) = prepared(9, &[]).await;
    let set = snapshots(world.act(&snapshot_all(&protected)).await);
    world.advance(60);
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    world.advance(300);
    assert_eq!(state_of(&world, &protected.data[0]), None);
    let found = read(&world, &set).await;
    assert!(found.iter().all(|it| it.state == SnapshotState::Completed));
    let lost = world.look(|it| it.lost_writes(&it.snapshots[&set[0]].content));
    assert!(lost > 0);
    let kept = world.look(|it| it.lost_writes(&it.volumes[&protected.data[1]].content));
    assert_eq!(kept, 0, "the volume itself has the last write");
}

/// TRAP 27: other accounts' public snapshots are not in `owner-ids=self`.
#[tokio::test]
async fn a_planted_snapshot_is_not_shown() {
    let (world, _, protected) = prepared(11, &[]).await;
    let marks = Tags::from([(tags::RESCUE.to_owned(), protected.instance.to_string())]);
    let planted = world.planted_snapshot(&protected.data[0], marks);
    assert!(read(&world, &[planted]).await.is_empty());
    let query = Query::TagKey(tags::RESCUE);
    assert!(world.snapshots(&query).await.expect("readable").is_empty());
}

/// TRAP 30: "You cannot create snapshots from instances for which hibernation is enabled".
#[tokio::test]
async fn a_hibernating_instance_is_not_snapshotted() {
    let world = World::new(12);
    let builder = world.spot_instance("m5.large", "eu-west-1a");
    let id = builder.hibernation().protected().run();
    let action = Action::SnapshotInstance {
        description: String::new(),
        instance: id,
        tags: Tags::new(),
        copy_tags: true,
        except: Except::default(),
    };
    assert_eq!(code(world.act(&action).await), "InvalidParameterValue");
}
