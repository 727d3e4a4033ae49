//! Volumes and snapshots behave as AWS documents them.

use crate::support::{code, journal, prepared};
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::event::{self, InstanceAction, Trigger};
use spot_rescue::id::{InstanceId, SnapshotId, VolumeId};
use spot_rescue::sim::{DATA_DEVICES, Protected, World};
use spot_rescue::situation::{Snapshot, SnapshotState, Volume, VolumeSettings, VolumeState};
use spot_rescue::step::{Action, CreateVolume};
use spot_rescue::tags::{self, Tags};
use std::collections::BTreeMap;

async fn volume(world: &World, instance: &InstanceId, id: &VolumeId) -> Option<Volume> {
    let query = Query::Instances(vec![instance.clone()]);
    let found = world.volumes(&query).await.expect("readable");
    found.into_iter().find(|it| it.id == *id)
}

fn state_of(world: &World, id: &VolumeId) -> Option<VolumeState> {
    world.look(|it| it.volumes.get(id).map(|it| it.facts.state))
}

fn attach(volume: &VolumeId, instance: &InstanceId, device: &str) -> Action {
    Action::Attach {
        volume: volume.clone(),
        instance: instance.clone(),
        device: device.to_owned(),
    }
}

fn snapshot_all(protected: &Protected) -> Action {
    let ours = (tags::RESCUE.to_owned(), protected.instance.to_string());
    Action::SnapshotInstance {
        instance: protected.instance.clone(),
        tags: Tags::from([ours]),
    }
}

fn create(snapshot: &SnapshotId, zone: &str, size: i32, token: &str) -> Action {
    Action::CreateVolume(CreateVolume {
        snapshot: snapshot.clone(),
        availability_zone: zone.to_owned(),
        settings: VolumeSettings {
            volume_type: "gp3".to_owned(),
            size,
            ..VolumeSettings::default()
        },
        tags: Tags::new(),
        token: token.to_owned(),
    })
}

fn snapshots(made: Result<String, spot_rescue::cloud::CloudError>) -> Vec<SnapshotId> {
    let made = made.expect("it is taken");
    let ids = made.split(' ').map(str::parse);
    ids.collect::<Result<_, _>>().expect("ids")
}

async fn read(world: &World, ids: &[SnapshotId]) -> Vec<Snapshot> {
    let query = Query::Snapshots(ids.to_vec());
    world.snapshots(&query).await.expect("readable")
}

/// TRAP 15: with the flag the volume goes with its instance, without it stays; and the flag cannot
/// be changed once the instance is shutting down.
#[tokio::test]
async fn delete_on_termination_decides() {
    let (world, _, protected) = prepared(1, &[]).await;
    let flag = |flag| Action::SetDeleteOnTermination {
        instance: protected.instance.clone(),
        devices: BTreeMap::from([(DATA_DEVICES[0].to_owned(), flag)]),
    };
    assert!(world.act(&flag(false)).await.is_ok());
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    world.advance(121);
    assert_eq!(code(world.act(&flag(true)).await), "IncorrectInstanceState");
    world.advance(60);
    let kept = state_of(&world, &protected.data[0]);
    assert_eq!(kept, Some(VolumeState::Available));
    assert_eq!(state_of(&world, &protected.root), None);
}

/// TRAP 17: in use while shutting down, and for a little longer.
#[tokio::test]
async fn a_dying_instance_lets_go_late() {
    let (world, _, protected) = prepared(2, &[]).await;
    let id = &protected.data[1];
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    world.interrupt_silently(&protected.instance, InstanceAction::Terminate);
    for (after, refused) in [(125, true), (6, true), (4, false)] {
        world.advance(after);
        let tried = world.act(&attach(id, &other, "/dev/sdh")).await;
        assert_eq!(tried.is_err(), refused, "{}", journal(&world));
        assert!(tried.is_ok() || code(tried) == "VolumeInUse");
    }
    let fresh = volume(&world, &other, id).await.expect("attached");
    assert!(!fresh.attached_to(&other), "attaching takes a moment");
    assert!(!fresh.attachment.expect("attached").delete_on_termination);
    world.advance(2);
    let settled = volume(&world, &other, id).await.expect("attached");
    assert!(settled.attached_to(&other));
}

/// TRAP 17: zone, state, device.
#[tokio::test]
async fn what_does_not_fit_is_not_attached() {
    let world = World::new(3);
    let here = world.spot_instance("m5.large", "eu-west-1a");
    let here = here.volume("/dev/sdf", 10, false).run();
    let elsewhere = world.volume("eu-west-1b");
    let free = world.volume("eu-west-1a");
    let absent: VolumeId = "vol-0123456789abcdef0".parse().expect("an id");
    for (volume, device, expected) in [
        (&elsewhere, "/dev/sdg", "InvalidVolume.ZoneMismatch"),
        (&free, "/dev/sdf", "InvalidParameterValue"),
        (&absent, "/dev/sdg", "InvalidVolume.NotFound"),
    ] {
        let refused = world.act(&attach(volume, &here, device)).await;
        assert_eq!(code(refused), expected);
    }
    world.terminate(&here);
    let refused = world.act(&attach(&free, &here, "/dev/sdg")).await;
    assert_eq!(code(refused), "IncorrectState");
}

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

/// What was missed stays missed, however much is written afterwards.
#[tokio::test]
async fn a_stale_copy_does_not_catch_up_by_being_written_to() {
    let (world, _, protected) = prepared(10, &[]).await;
    let snapshot = world.snapshot(&protected.data[1]).expect("taken");
    world.advance(100);
    world.terminate(&protected.instance);
    world.advance(60);
    let made = world
        .act(&create(&snapshot, "eu-west-1a", 50, "t"))
        .await
        .expect("made");
    let copy: VolumeId = made.parse().expect("an id");
    let other = world.spot_instance("m5.large", "eu-west-1a").run();
    world.advance(4);
    assert!(world.act(&attach(&copy, &other, "/dev/sdf")).await.is_ok());
    let lost = || world.look(|it| it.lost_writes(&it.volumes[&copy].content));
    let before = lost();
    world.advance(60);
    assert!(before > 0 && lost() == before);
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
        instance: id,
        tags: Tags::new(),
    };
    assert_eq!(code(world.act(&action).await), "InvalidParameterValue");
}

/// TRAP 36: `CreateVolume` validates the key later; the volume ends in `error`.
#[tokio::test]
async fn a_key_that_cannot_be_used_shows_later() {
    let (world, _, protected) = prepared(13, &[]).await;
    let snapshot = world.snapshot(&protected.data[1]).expect("taken");
    world.advance(90);
    world.change(|it| it.broken_keys.insert("key".to_owned()));
    let Action::CreateVolume(mut wanted) = create(&snapshot, "eu-west-1a", 50, "t") else {
        return;
    };
    wanted.settings.kms_key = Some("key".to_owned());
    let made = world.act(&Action::CreateVolume(wanted)).await;
    let id: VolumeId = made.expect("accepted").parse().expect("an id");
    assert_eq!(state_of(&world, &id), Some(VolumeState::Creating));
    world.advance(4);
    assert_eq!(state_of(&world, &id), Some(VolumeState::Error));
}

/// What is gone says so; what is in use stays.
#[tokio::test]
async fn deleting_says_what_stands_against_it() {
    let (world, _, protected) = prepared(14, &[]).await;
    let delete = |volume: &VolumeId| Action::DeleteVolume {
        volume: volume.clone(),
    };
    assert_eq!(
        code(world.act(&delete(&protected.root)).await),
        "VolumeInUse"
    );
    let free = world.volume("eu-west-1a");
    assert!(world.act(&delete(&free)).await.is_ok());
    assert_eq!(
        code(world.act(&delete(&free)).await),
        "InvalidVolume.NotFound"
    );
}
