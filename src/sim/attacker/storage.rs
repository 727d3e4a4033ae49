//! Snapshots, volumes and images: of anything that is there, with any text on them.

use super::{Attacker, owned};
use crate::id::{ImageId, InstanceId, SnapshotId, VolumeId};
use crate::sim::Lagged;
use crate::sim::images::users_image;
use crate::situation::{SnapshotState, VolumeState};
use crate::step::{CopyVolume, CreateVolume};
use crate::tags::Tags;

impl Attacker {
    /// `CreateSnapshot` of any volume.
    pub fn snapshot(
        &self,
        volume: &VolumeId,
        description: &str,
        tags: &[(&str, &str)],
    ) -> Option<SnapshotId> {
        let tags = owned(tags);
        let made = self
            .world
            .change(|it| it.snapshot_volume(volume, description, &tags));
        let id: SnapshotId = made.ok()?.parse().ok()?;
        self.own(id.as_str());
        Some(id)
    }

    /// So many of them, taken an hour ago: nothing tells of them any more.
    ///
    /// # Panics
    /// If there is no such volume.
    pub fn flood(&self, volume: &VolumeId, number: u64, description: &str, tags: &[(&str, &str)]) {
        let first = self.snapshot(volume, description, tags).expect("a volume");
        self.world.change(|it| {
            let mut like = it.snapshots[&first].clone();
            like.facts.state = SnapshotState::Completed;
            like.facts.started -= time::Duration::HOUR;
            for _ in 0..number {
                let id: SnapshotId = it.new_id("snap-");
                like.facts.id = id.clone();
                it.snapshots.insert(id.clone(), like.clone());
                it.owned_by_attacker(id.as_str());
            }
        });
    }

    /// The same with everything that another snapshot says of itself.
    pub fn snapshot_like(&self, volume: &VolumeId, like: &SnapshotId) -> Option<SnapshotId> {
        let (description, tags) = self.world.look(|it| {
            let like = it.snapshots.get(like)?;
            Some((like.facts.description.clone(), like.tags.current().clone()))
        })?;
        let id = self.snapshot(volume, &description, &[])?;
        self.put(id.as_str(), &tags);
        Some(id)
    }

    /// `CreateVolume` of any snapshot, with other content written to it since.
    pub fn volume_of(
        &self,
        snapshot: &SnapshotId,
        zone: &str,
        tags: &[(&str, &str)],
    ) -> Option<VolumeId> {
        let create = self.world.look(|it| {
            let snapshot = it.snapshots.get(snapshot)?;
            let mut settings = crate::sim::fleet::general_purpose();
            settings.size = snapshot.size;
            Some(CreateVolume {
                snapshot: snapshot.facts.id.clone(),
                availability_zone: zone.to_owned(),
                settings,
                initialization_rate: None,
                tags: owned(tags),
                token: String::new(),
            })
        })?;
        let made = self.world.change(|it| it.volume_from(&create));
        let id: VolumeId = made.ok()?.parse().ok()?;
        self.written_by_attacker(&id);
        Some(id)
    }

    /// `CopyVolumes` of any volume, with other content written to it since.
    pub fn clone_of(&self, source: &VolumeId, tags: &[(&str, &str)]) -> Option<VolumeId> {
        let settings = self
            .world
            .look(|it| Some(it.volumes.get(source)?.facts.settings.clone()))?;
        let copy = CopyVolume {
            source: source.clone(),
            settings,
            tags: owned(tags),
            token: String::new(),
        };
        let made = self.world.change(|it| it.copied(&copy));
        let id: VolumeId = made.ok()?.parse().ok()?;
        self.written_by_attacker(&id);
        Some(id)
    }

    /// `AttachVolume` of an own volume to an own instance.
    pub fn attach(&self, volume: &VolumeId, to: &InstanceId, device: &str) -> bool {
        self.world.change(|it| {
            let own = it.attackers.contains(volume.as_str()) && it.attackers.contains(to.as_str());
            own && it.attach(volume, to, device).is_ok()
        })
    }

    /// `RegisterImage` under any name that is free.
    pub fn image(&self, name: &str, snapshot: &SnapshotId, tags: &Tags) -> Option<ImageId> {
        let id = self.world.change(|it| {
            let completed = it.snapshots.get(snapshot)?.facts.state == SnapshotState::Completed;
            if !completed || it.images.values().any(|it| it.name == name) {
                return None;
            }
            let id: ImageId = it.new_id("ami-");
            let mut image = users_image(id.clone(), crate::sim::ROOT_DEVICE, Vec::new());
            name.clone_into(&mut image.name);
            image.root_snapshot = Some(snapshot.clone());
            image.tags = tags.clone();
            it.images.insert(id.clone(), image);
            Some(id)
        })?;
        self.own(id.as_str());
        Some(id)
    }

    /// One more line in the volume: what boots from it or mounts it has other content than before.
    fn written_by_attacker(&self, id: &VolumeId) {
        self.own(id.as_str());
        self.world.change(|it| {
            let content = it.blank(id);
            if let Some(volume) = it.volumes.get_mut(id) {
                volume.content = content;
                volume.facts.state = VolumeState::Available;
                volume.tags = Lagged::new(volume.tags.current().clone());
            }
        });
    }
}
