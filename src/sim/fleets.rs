//! Fleets of users, and the `instant` ones that our own launches leave behind. One of type `maintain` launches
//! another member by itself for each that it loses (TRAP 62).
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-request-type.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/EC2-fleet-states.html>

use super::agenda::Due;
use super::model::Version;
use super::{State, World};
use crate::cloud::CloudError;
use crate::id::{InstanceId, SubnetId};
use crate::situation::{Fleet, Market};
use crate::step::TemplateSpec;
use crate::tags::{self, Tags};

/// Until a fleet notices that it is smaller than it should be.
const NOTICES: i64 = 10;

#[derive(Debug, Clone, Default)]
pub struct SimFleet {
    pub kind: &'static str,
    pub state: &'static str,
    pub size: usize,
    /// What its launch template puts on an instance.
    pub launch_tags: Tags,
    /// How many it has launched by itself.
    pub launches: usize,
}

impl World {
    /// A fleet of this type with a launch template that opts in. It has no instances yet.
    #[must_use]
    pub fn fleet(&self, kind: &'static str) -> String {
        self.make_fleet("fleet-", kind)
    }

    #[must_use]
    pub fn spot_fleet(&self, kind: &'static str) -> String {
        self.make_fleet("sfr-", kind)
    }

    fn make_fleet(&self, prefix: &str, kind: &'static str) -> String {
        let opt_in = Tags::from([(tags::OPT_IN.to_owned(), "on".to_owned())]);
        self.change(|it| it.new_fleet(prefix, kind, opt_in))
    }

    /// An instance that the fleet has launched.
    pub fn fleet_member(&self, fleet: &str, instance: &InstanceId) {
        let key = member_tag(fleet);
        self.change(|it| {
            let now = it.now;
            if let Some(of) = it.fleets.get_mut(fleet) {
                of.size += 1;
            }
            if let Some(member) = it.instances.get_mut(instance) {
                member.tags.change(now, now, |tags| {
                    tags.insert(key.to_owned(), fleet.to_owned());
                });
            }
        });
    }

    /// Its user deletes it, and its members run on.
    pub fn delete_fleet(&self, fleet: &str) {
        self.change(|it| {
            if let Some(it) = it.fleets.get_mut(fleet) {
                it.state = "deleted_running";
            }
        });
    }
}

fn member_tag(fleet: &str) -> &'static str {
    if Fleet::is_spot(fleet) {
        tags::SPOT_FLEET_MEMBER
    } else {
        tags::FLEET_MEMBER
    }
}

impl State {
    fn new_fleet(&mut self, prefix: &str, kind: &'static str, launch_tags: Tags) -> String {
        let id: String = self.new_id(prefix);
        let fleet = SimFleet {
            kind,
            state: "active",
            launch_tags,
            ..SimFleet::default()
        };
        self.fleets.insert(id.clone(), fleet);
        id
    }

    /// `CreateFleet` makes one for each of our launches.
    pub(super) fn instant_fleet(&mut self) -> String {
        self.new_fleet("fleet-", "instant", Tags::new())
    }

    pub(super) fn read_fleets(&mut self, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
        let (spot, others): (Vec<_>, Vec<_>) = ids.iter().partition(|it| Fleet::is_spot(it));
        for (ids, call) in [
            (&spot, "DescribeSpotFleetRequests"),
            (&others, "DescribeFleets"),
        ] {
            if !ids.is_empty() {
                self.admit(call)?;
            }
        }
        let shown = |id: &String| {
            let it = self.fleets.get(id)?;
            Some(Fleet::of(id, it.kind, it.state))
        };
        Ok(ids.iter().filter_map(shown).collect())
    }

    pub(super) fn fleet_member_ends(&mut self, id: &InstanceId) {
        let tags = self.instances.get(id).map(|it| it.tags.current());
        let keys = [tags::SPOT_FLEET_MEMBER, tags::FLEET_MEMBER];
        let of = keys.iter().find_map(|it| tags?.get(*it)).cloned();
        if let Some(fleet) = of.filter(|it| self.fleets[it].kind == "maintain") {
            self.schedule(NOTICES, Due::FleetLooks(fleet));
        }
    }

    pub(super) fn fleet_looks(&mut self, id: &str) {
        let Some(fleet) = self.fleets.get(id).cloned() else {
            return;
        };
        let key = member_tag(id);
        let is_member = |tags: &Tags| tags.get(key).is_some_and(|it| it == id);
        let all = self.instances.values();
        let mut all = all.filter(|it| is_member(it.tags.current()));
        let living = all.clone().filter(|it| it.facts.is_alive()).count();
        let pattern = all.next_back().map(|it| it.facts.clone());
        let launches = Fleet::of(id, fleet.kind, fleet.state).maintains && living < fleet.size;
        let Some(pattern) = pattern.filter(|_| launches) else {
            return;
        };
        let zone = &pattern.availability_zone;
        let subnet = self.subnets.iter().find(|(_, of)| *of == zone);
        let subnet: Option<SubnetId> = subnet.map(|it| it.0.clone());
        let image = pattern.image.and_then(|it| self.images.get(&it)).cloned();
        let (Some(subnet), Some(image)) = (subnet, image) else {
            return;
        };
        let version = Version {
            spec: TemplateSpec::default(),
            image: Some(image.id.clone()),
            instance_profile: None,
            key_pair: None,
            tokens_required: true,
        };
        let mut tags = fleet.launch_tags;
        tags.insert(key.to_owned(), id.to_owned());
        let kind = pattern.instance_type;
        self.boot_up(&version, image, Market::Spot, kind, &subnet, tags);
        if let Some(it) = self.fleets.get_mut(id) {
            it.launches += 1;
        }
        self.fleet_looks(id);
    }
}
