//! Auto Scaling groups to begin a test with.

use super::images::users_image;
use super::{ROOT_DEVICE, ScalingGroup, World};
use crate::id::{ImageId, InstanceId};
use crate::situation::{Lifecycle, Member, TargetGroup};
use crate::tags::{self, Tags};

impl World {
    /// A group of `m5.large` that is opted in and passes that on. It has no members yet.
    pub fn scaling_group(&self, name: &str, zones: &[&str]) {
        for zone in zones {
            let _ = self.subnet(zone);
        }
        let opt_in = Tags::from([(tags::OPT_IN.to_owned(), "on".to_owned())]);
        self.change(|it| {
            let image: ImageId = it.new_id("ami-");
            let of_image = users_image(image.clone(), ROOT_DEVICE, Vec::new());
            it.images.insert(image.clone(), of_image);
            let mut group = ScalingGroup {
                instance_type: "m5.large".to_owned(),
                image: Some(image),
                launch_tags: opt_in.clone(),
                port: 80,
                ..ScalingGroup::default()
            };
            name.clone_into(&mut group.facts.name);
            group.facts.max_size = 10;
            group.facts.tags = opt_in;
            group.facts.propagates_opt_in = true;
            let zones = zones.iter().map(|it| (*it).to_owned());
            group.facts.availability_zones = zones.collect();
            it.scaling_groups.insert(name.to_owned(), group);
        });
    }

    /// Changes anything about a group.
    pub fn change_group<T>(
        &self,
        name: &str,
        change: impl FnOnce(&mut ScalingGroup) -> T,
    ) -> Option<T> {
        self.change(|it| it.scaling_groups.get_mut(name).map(change))
    }

    /// An instance that has been a member since it was launched; the group is as large as before and
    /// one more.
    pub fn member(&self, group: &str, instance: &InstanceId) {
        self.change(|it| {
            it.mark_member(instance, Some(group));
            if let Some(group) = it.scaling_groups.get_mut(group) {
                group.facts.desired_capacity += 1;
                group.facts.members.push(Member {
                    instance: instance.clone(),
                    lifecycle: Lifecycle::InService,
                });
            }
        });
    }

    /// The group registers its members there from now on.
    pub fn traffic_source(&self, group: &str, source: &TargetGroup) {
        let source = source.clone();
        self.change_group(group, |it| it.facts.traffic_sources.insert(source));
    }
}
