//! Planned changes in the order of time; those of one moment in the order in which they were planned.

use super::State;
use crate::clock::Timestamp;
use crate::event::InstanceAction;
use crate::id::{ImageId, InstanceId, RequestId, SnapshotId, VolumeId};
use crate::situation::Target;
use std::collections::BTreeMap;
use time::Duration;

/// Something that will happen. A `u32` is the life of the instance it was planned for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Due {
    Reclaimed(InstanceId, u32, InstanceAction),
    Booted(InstanceId, u32),
    Stopped(InstanceId, u32),
    Ended(InstanceId),
    LosesTags(InstanceId),
    Vanishes(InstanceId),
    Released(VolumeId, InstanceId),
    Attached(VolumeId, InstanceId),
    Detached(VolumeId, InstanceId),
    VolumeReady(VolumeId),
    SnapshotsSettle(Vec<SnapshotId>),
    Drained(Target),
    /// Auto Scaling groups by name.
    GroupLooks(String),
    HealthCheckFails(String, InstanceId),
    GoesIntoService(String, InstanceId),
    HookTimesOut(String, InstanceId),
    /// A fleet compares what it has with its target capacity.
    FleetLooks(String),
    /// A persistent request is fulfilled again.
    Relaunched(RequestId),
    ImageReady(ImageId),
    RootDetached(String),
    RootReplaced(String),
}

impl Due {
    /// No test waits for it: the world counts as quiet all the same.
    fn is_slow(&self) -> bool {
        matches!(
            self,
            Self::LosesTags(_) | Self::Vanishes(_) | Self::Drained(_) | Self::HookTimesOut(..)
        )
    }
}

#[derive(Debug, Default)]
pub struct Agenda {
    planned: BTreeMap<(Timestamp, u64), Due>,
    count: u64,
}

impl Agenda {
    fn pop(&mut self, until: Timestamp) -> Option<(Timestamp, Due)> {
        let first = self.planned.first_entry()?;
        let at = first.key().0;
        (at <= until).then(|| (at, first.remove()))
    }

    /// The next change that the function or a test may be waiting for.
    pub fn next(&self) -> Option<Timestamp> {
        let mut awaited = self.planned.iter().filter(|(_, due)| !due.is_slow());
        awaited.next().map(|((at, _), _)| *at)
    }
}

impl State {
    pub(super) fn schedule(&mut self, seconds: i64, due: Due) {
        let at = self.now + Duration::seconds(seconds);
        self.agenda.count += 1;
        let key = (at, self.agenda.count);
        self.agenda.planned.insert(key, due);
    }

    /// Lets time pass; everything due on the way happens at its own moment.
    pub fn advance_to(&mut self, until: Timestamp) {
        while let Some((at, due)) = self.agenda.pop(until) {
            self.move_clock(at);
            self.happen(due);
        }
        self.move_clock(until);
    }

    /// Running instances write to their volumes whenever time passes.
    fn move_clock(&mut self, to: Timestamp) {
        if to > self.now {
            self.write();
            self.now = to;
        }
    }

    fn happen(&mut self, due: Due) {
        match due {
            Due::Reclaimed(instance, life, action) => self.reclaim(&instance, life, action),
            Due::Booted(instance, life) => self.booted(&instance, life),
            Due::Stopped(instance, life) => self.stopped(&instance, life),
            Due::Ended(instance) => self.ended(&instance),
            Due::LosesTags(instance) => self.lose_tags(&instance),
            Due::Vanishes(instance) => self.vanish(&instance),
            Due::Released(volume, instance) => self.released(&volume, &instance),
            Due::Attached(volume, instance) => self.attached(&volume, &instance),
            Due::Detached(volume, instance) => self.detached(&volume, &instance),
            Due::VolumeReady(volume) => self.volume_ready(&volume),
            Due::SnapshotsSettle(set) => self.snapshots_settle(&set),
            Due::Relaunched(request) => self.relaunched(&request),
            Due::Drained(target) => self.drained(&target),
            Due::GroupLooks(group) => self.group_looks(&group),
            Due::FleetLooks(fleet) => self.fleet_looks(&fleet),
            Due::HealthCheckFails(group, id) => self.health_check_fails(&group, &id),
            Due::GoesIntoService(group, id) => self.goes_into_service(&group, &id),
            Due::HookTimesOut(group, id) => self.hook_times_out(&group, &id),
            Due::ImageReady(image) => self.image_ready(&image),
            Due::RootDetached(task) => self.root_detached(&task),
            Due::RootReplaced(task) => self.root_replaced(&task),
        }
    }
}
