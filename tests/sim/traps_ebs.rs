//! Volumes behave as AWS documents them.

use crate::support::{code, journal, prepared};
use spot_rescue::cloud::{Cloud, Query};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{InstanceId, SnapshotId, VolumeId};
use spot_rescue::sim::{DATA_DEVICES, Protected, World};
use spot_rescue::situation::{Snapshot, Volume, VolumeSettings, VolumeState};
use spot_rescue::step::{Action, CreateVolume, Except};
use spot_rescue::tags::{self, Tags};
use std::collections::BTreeMap;

async fn volume(world: &World, instance: &InstanceId, id: &VolumeId) -> Option<Volume> {
    let query = Query::Instances(vec![instance.clone()]);
    let found = world.volumes(&query).await.expect("readable");
    found.into_iter().find(|it| it.id == *id)
}

pub fn state_of(world: &World, id: &VolumeId) -> Option<VolumeState> {
    world.look(|it| it.volumes.get(id).map(|it| it.facts.state))
}

fn attach(volume: &VolumeId, instance: &InstanceId, device: &str) -> Action {
    Action::Attach {
        volume: volume.clone(),
        instance: instance.clone(),
        device: device.to_owned(),
    }
}

pub fn snapshot_all(protected: &Protected) -> Action {
    let ours = (tags::RESCUE.to_owned(), protected.instance.to_string());
    Action::SnapshotInstance {
        description: String::new(),
        instance: protected.instance.clone(),
        tags: Tags::from([ours]),
        copy_tags: true,
        except: Except::default(),
    }
}

pub fn create(snapshot: &SnapshotId, zone: &str, size: i32, token: &str) -> Action {
    Action::CreateVolume(CreateVolume {
        snapshot: snapshot.clone(),
        availability_zone: zone.to_owned(),
        settings: VolumeSettings {
            volume_type: "gp3".to_owned(),
            size,
            ..VolumeSettings::default()
        },
        initialization_rate: None,
        tags: Tags::new(),
        token: token.to_owned(),
    })
}

pub fn snapshots(made: Result<String, spot_rescue::cloud::CloudError>) -> Vec<SnapshotId> {
    let made = made.expect("it is taken");
    let ids = made.split(' ').map(str::parse);
    ids.collect::<Result<_, _>>().expect("ids")
}

pub async fn read(world: &World, ids: &[SnapshotId]) -> Vec<Snapshot> {
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
    assert!(
        !fresh
            .attachment(&other)
            .expect("attached")
            .delete_on_termination
    );
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
async fn a_refused_deletion_says_why() {
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
