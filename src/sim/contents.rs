//! Contents of volumes. Only counters are stored: each write to a line of volumes (the first one and all copies of
//! it) has a number, a volume knows the newest it holds, and how many it missed.
//!
//! "No written block is lost" then reads: the volume in use holds the newest, and missed none.

use super::State;
use super::model::Content;
use crate::event::InstanceState;
use crate::id::VolumeId;

impl State {
    /// A new, empty line.
    pub(super) fn blank(&mut self, volume: &VolumeId) -> Content {
        self.writes.insert(volume.clone(), 0);
        Content {
            origin: volume.clone(),
            generation: 0,
            lost: 0,
        }
    }

    /// Every running instance writes to every volume it has.
    pub(super) fn write(&mut self) {
        let running = self.instances.values().filter(|it| {
            matches!(
                it.facts.state,
                InstanceState::Running | InstanceState::Stopping
            )
        });
        let devices = running.flat_map(|it| it.facts.devices.iter());
        let volumes: Vec<VolumeId> = devices.map(|it| it.volume.clone()).collect();
        for id in volumes {
            let Some(volume) = self.volumes.get_mut(&id) else {
                continue;
            };
            let newest = self
                .writes
                .entry(volume.content.origin.clone())
                .or_default();
            let missed = newest.saturating_sub(volume.content.generation);
            volume.content.lost += missed;
            *newest += 1;
            volume.content.generation = *newest;
        }
    }

    /// How many writes of its line this content lacks: 0 is what we promise.
    #[must_use]
    pub fn lost_writes(&self, content: &Content) -> u64 {
        let newest = self.writes.get(&content.origin).copied().unwrap_or(0);
        content.lost + newest.saturating_sub(content.generation)
    }

    /// Whether another volume holds all that this volume holds.
    #[must_use]
    pub fn is_elsewhere(&self, volume: &VolumeId) -> bool {
        let Some(content) = self.volumes.get(volume).map(|it| &it.content) else {
            return true;
        };
        let as_good = |it: &Content| {
            it.origin == content.origin
                && it.generation >= content.generation
                && it.lost <= content.lost
        };
        let others = self.volumes.values().filter(|it| it.facts.id != *volume);
        content.generation == 0
            || others
                .filter(|it| it.facts.is_usable())
                .any(|it| as_good(&it.content))
    }
}
