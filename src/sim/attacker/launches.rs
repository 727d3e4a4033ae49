//! Own instances, launch templates, versions, and an own Auto Scaling group.

use super::{Attacker, OUTSIDER, owned};
use crate::id::{InstanceId, TemplateId};
use crate::sim::fleet::tags_of;
use crate::sim::{State, Version, World};
use crate::situation::Market;
use crate::step::{InstanceTypes, Launch, LaunchTemplate};
use crate::tags::Tags;

impl World {
    /// `RunInstances` from any launch template.
    pub fn launch_by_hand(
        &self,
        template: &TemplateId,
        version: u64,
        zone: &str,
        tags: &[(&str, &str)],
    ) -> Option<InstanceId> {
        let launch = Launch {
            template: LaunchTemplate::Version(template.clone(), version),
            market: Market::Spot,
            instance_types: InstanceTypes::Named(vec!["m5.large".to_owned()]),
            subnet: self.subnet(zone),
            interface: None,
            image: None,
            tags: owned(tags),
            attempt: 0,
            token: String::new(),
        };
        self.change(|it| it.launch_unasked(&launch))
    }
}

impl Attacker {
    /// `RunInstances`: an own Spot Instance.
    pub fn run(&self, zone: &str, tags: &[(&str, &str)]) -> InstanceId {
        let id = self.world.spot_instance("m5.large", zone).tags(tags).run();
        self.own_instance(&id);
        id
    }

    /// `RunInstances` from any launch template, of any version. EC2 says which template it was.
    pub fn launch(
        &self,
        template: &TemplateId,
        version: u64,
        zone: &str,
        tags: &[(&str, &str)],
    ) -> Option<InstanceId> {
        let id = self.world.launch_by_hand(template, version, zone, tags)?;
        self.own_instance(&id);
        Some(id)
    }

    /// `CreateLaunchTemplateVersion`: like the newest, but with another instance profile.
    pub fn add_version(&self, template: &TemplateId, profile: &str) -> Option<u64> {
        self.world.change(|it| {
            it.attackers.insert(profile.to_owned());
            let newest = it.templates.get(template)?.versions.values().next_back()?;
            let version = Version {
                key_pair: None,
                instance_profile: Some(profile.to_owned()),
                ..newest.clone()
            };
            let answer = it.add_version(template, version).ok()?;
            answer.split_once(' ')?.1.parse().ok()
        })
    }

    /// `CreateLaunchTemplate`, like any other template, or empty.
    pub fn create_template(
        &self,
        name: &str,
        like: Option<&TemplateId>,
        tags: &Tags,
    ) -> Option<TemplateId> {
        let id: TemplateId = self.world.change(|it| {
            let like = like.and_then(|id| it.templates.get(id));
            let version = like.and_then(|it| it.versions.values().next_back().cloned());
            let version = version.unwrap_or_else(empty);
            let created = it.create_template(name, tags, version, OUTSIDER).ok()?;
            created.split_once(' ')?.0.parse().ok()
        })?;
        self.own(id.as_str());
        Some(id)
    }

    /// An own group, with tags that would be a policy.
    pub fn group(&self, name: &str, zone: &str, tags: &[(&str, &str)]) {
        self.world.scaling_group(name, &[zone]);
        let more = owned(tags);
        self.world.change_group(name, |it| {
            it.facts.tags.extend(more);
        });
    }

    /// An own instance is a member of an own group.
    pub fn join(&self, group: &str, instance: &InstanceId) {
        self.world.member(group, instance);
    }

    fn own_instance(&self, id: &InstanceId) {
        self.own(id.as_str());
        let parts = self.world.look(|it| {
            let facts = &it.instances[id].facts;
            let volumes = facts.devices.iter().map(|it| it.volume.to_string());
            let interfaces = facts.interfaces.iter().map(|it| it.id.to_string());
            volumes.chain(interfaces).collect::<Vec<_>>()
        });
        for part in &parts {
            self.own(part);
        }
    }
}

fn empty() -> Version {
    Version {
        spec: crate::step::TemplateSpec::default(),
        image: None,
        key_pair: None,
        instance_profile: None,
        tokens_required: true,
    }
}

impl State {
    /// Without a role: the attacker may not pass one.
    fn launch_unasked(&mut self, launch: &Launch) -> Option<InstanceId> {
        let (template, version) = self.prepared(launch).ok()?;
        let image = self.bootable("RunInstances", launch, &version).ok()?;
        let tags = tags_of("RunInstances", launch, &template, &version).ok()?;
        let version = Version {
            key_pair: None,
            instance_profile: None,
            ..version
        };
        let kind = "m5.large".to_owned();
        self.offer(&kind, &launch.subnet, launch.market).ok()?;
        Some(self.boot_up(&version, image, launch.market, kind, &launch.subnet, tags))
    }
}
