//! Proof of origin: copies made by an attacker, and tags by which resources are found.

use crate::origin::{ZONE, sweep_for_an_hour};
use crate::support::{assert_whole, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{SnapshotId, VolumeId};
use spot_rescue::sim::{Attacker, Protected, World};
use spot_rescue::situation::SnapshotState;
use spot_rescue::tags;

/// H3: made of a real snapshot of the victim's disk, by EC2's own account, and written to since.
#[tokio::test]
async fn a_copy_made_by_another_caller_is_not_preferred() {
    for policy in ["auto", "restore", "clone"] {
        for ahead in [false, true] {
            let (world, function, protected) = prepared(326, &[("spot-rescue:data", policy)]).await;
            let attacker = world.attacker();
            let plant_all = || {
                for id in &protected.data {
                    let snapshot = attacker.snapshot(id, "mine", &[]).expect("taken");
                    plant(&world, &protected, &attacker, id, &snapshot);
                }
            };
            if ahead {
                plant_all();
            }
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            let _ = world.run_for(&function, 60).await;
            if !ahead {
                plant_all();
            }
            sweep_for_an_hour(&world, &function).await;
            assert_whole(&world, &protected);
        }
    }
}

fn plant(
    world: &World,
    protected: &Protected,
    attacker: &Attacker,
    of: &VolumeId,
    snapshot: &SnapshotId,
) {
    world.change(|it| {
        let known = it.snapshots.get_mut(snapshot).expect("just taken");
        known.facts.state = SnapshotState::Completed;
    });
    let marks = [
        (tags::RESCUE, protected.instance.as_str()),
        (tags::COPY_OF, of.as_str()),
        (tags::RESTORED_FROM, snapshot.as_str()),
        (tags::DEVICE, "/dev/sdf"),
        (tags::TAKEN_BY, protected.instance.as_str()),
    ];
    let volume = attacker.volume_of(snapshot, ZONE, &marks).expect("made");
    attacker.clone_of(of, &marks).expect("made");
    attacker.copy_tags(of.as_str(), volume.as_str());
    attacker.tag(volume.as_str(), &marks);
}

/// The tag that a resource is found by says another lineage: the rescue ends as without that.
#[tokio::test]
async fn resources_found_by_their_tag_are_found_without_it() {
    for during in [false, true] {
        for policy in ["auto", "restore"] {
            let (world, function, protected) = prepared(327, &[("spot-rescue:data", policy)]).await;
            let other = world.protected_in(ZONE, &[]);
            settle(&world, &function).await;
            let attacker = world.attacker();
            let retag = || {
                let all = world.look(|it| {
                    let instances = it.instances.keys().map(ToString::to_string);
                    let volumes = it.volumes.keys().map(ToString::to_string);
                    let snapshots = it.snapshots.keys().map(ToString::to_string);
                    instances
                        .chain(volumes)
                        .chain(snapshots)
                        .collect::<Vec<_>>()
                });
                for id in &all {
                    attacker.tag(id, &[(tags::RESCUE, other.instance.as_str())]);
                }
            };
            if !during {
                retag();
            }
            world.interrupt(&protected.instance, InstanceAction::Terminate);
            if during {
                for seconds in [1, 20, 100, 10, 30] {
                    let _ = world.run_for(&function, seconds).await;
                    retag();
                }
            }
            sweep_for_an_hour(&world, &function).await;
            assert_whole(&world, &protected);
            assert_whole(&world, &other);
        }
    }
}
