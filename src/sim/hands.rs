//! Changes by users and their other tools at any moment: attach and detach, register and deregister, associate and
//! disassociate, remove tags and copy them.

use super::{State, World};
use crate::id::{AllocationId, InstanceId, InterfaceId, VolumeId};
use crate::situation::{Device, Holder, Target};
use crate::tags;

impl World {
    /// A volume of the user's is attached.
    #[must_use]
    pub fn attach_new(
        &self,
        to: &InstanceId,
        device: &str,
        delete_on_termination: bool,
    ) -> VolumeId {
        let zone = self.look(|it| it.instances[to].facts.availability_zone.clone());
        let volume = self.volume(&zone);
        self.change(|it| it.put(&volume, to, device, delete_on_termination, true));
        volume
    }

    /// A volume is detached, wherever it is.
    pub fn detach(&self, volume: &VolumeId) {
        self.change(|it| {
            for (instance, device) in it.holders(volume) {
                if let Some(holder) = it.instances.get_mut(&instance) {
                    holder.facts.devices.retain(|held| held.volume != *volume);
                }
                it.released(&device.volume, &instance);
            }
        });
    }

    /// A target is registered again, on the port it had.
    pub fn register_again(&self, target: &Target) {
        let _ = self.register(&target.group, &target.id, target.port.unwrap_or_default());
    }

    /// An Elastic IP is put on the primary address of an instance, past all rules.
    pub fn associate_with(&self, allocation: &AllocationId, instance: &InstanceId) {
        self.change(|it| {
            let seat = it.primary_seat(instance);
            for other in it.addresses.values_mut() {
                other.take_if(|held| Some(&*held) == seat.as_ref());
            }
            it.addresses.insert(allocation.clone(), seat);
        });
    }

    pub fn dissociate(&self, allocation: &AllocationId) {
        self.change(|it| it.addresses.insert(allocation.clone(), None));
    }

    pub fn detach_interface(&self, id: &InterfaceId) {
        self.change(|it| {
            let Some(interface) = it.interfaces.get_mut(id) else {
                return;
            };
            let held = std::mem::replace(&mut interface.facts.holder, Holder::Free);
            if let Holder::Instance(instance) = held {
                it.show_network(&instance);
            }
        });
    }

    /// A tag governor, or a tool that knows only its own tags: ours are taken off.
    pub fn strip(&self, id: &str) {
        self.change(|it| {
            let now = it.now;
            if let Some(present) = it.tags_of(id) {
                present.change(now, now, |it| {
                    it.retain(|key, _| !key.starts_with(tags::PREFIX));
                });
            }
        });
    }

    /// "Launch more like this": an instance with all tags of another one, but those that AWS sets.
    #[must_use]
    pub fn launch_like(&self, other: &InstanceId) -> InstanceId {
        let (zone, copied) = self.look(|it| {
            let other = &it.instances[other];
            let tags = other.tags.current().clone();
            (other.facts.availability_zone.clone(), tags)
        });
        let copied = copied.iter().filter(|(key, _)| !key.starts_with("aws:"));
        let copied: Vec<(&str, &str)> = copied
            .map(|(key, value)| (key.as_str(), value.as_str()))
            .collect();
        let like = self
            .spot_instance("m5.large", &zone)
            .volume("/dev/sdf", 20, true);
        like.tags(&copied).run()
    }
}

impl State {
    fn holders(&self, volume: &VolumeId) -> Vec<(InstanceId, Device)> {
        let all = self.instances.values();
        let held = all.flat_map(|it| {
            let devices = it
                .facts
                .devices
                .iter()
                .filter(|held| held.volume == *volume);
            devices.map(|held| (it.facts.id.clone(), held.clone()))
        });
        held.collect()
    }
}
