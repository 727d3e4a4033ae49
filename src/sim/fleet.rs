//! `CreateFleet` of type `instant`: one attempt, at once, and the capacity errors inside an HTTP 200
//! (TRAP 8).
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html>

use super::error::refused;
use super::model::Version;
use super::tagging::check_tags;
use super::{Lagged, SimInstance, SimTemplate, State, VPC};
use crate::cloud::CloudError;
use crate::event::{InstanceAction, InstanceState};
use crate::id::{InstanceId, SubnetId, TemplateId};
use crate::situation::{
    Boot, Image, ImageState, Instance, Likeness, Market, Operated, PublicAddress, VolumeSettings,
};
use crate::step::{Launch, LaunchTemplate, RootDevice};
use crate::tags::{self, Tags};

const CALL: &str = "CreateFleet";
/// The default security group, which allows its own members in, and nothing the user meant.
pub const DEFAULT_GROUP: &str = "sg-0000000000000def0";
/// Refused as a whole: no HTTP 200 with errors in it.
const ON_TOP: &str = "CreateFleet (as a whole)";

impl State {
    pub(super) fn launch(&mut self, launch: &Launch) -> Result<String, CloudError> {
        let call = if launch.interface.is_some() {
            "RunInstances"
        } else {
            CALL
        };
        self.not_under_way(call, &launch.token)?;
        let answer = match &launch.interface {
            Some(interface) => self.run_on(launch, interface),
            None => self.fleet_once(launch),
        };
        self.answered_later(call, &launch.token, answer)
    }

    /// An answer is an answer, whether it holds an instance or errors. Whether a request that was refused as a whole
    /// is remembered as well is not documented.
    fn fleet_once(&mut self, launch: &Launch) -> Result<String, CloudError> {
        let parameters = format!("{launch:?}");
        check_tags(CALL, &launch.tags)?;
        let keeps = self.config.tokens_keep_refusals;
        let kept =
            |error: &CloudError| error.operation == CALL || (keeps && error.operation == ON_TOP);
        let answer = self.once(CALL, &launch.token, parameters, kept, |world| {
            world.fleet(launch)
        });
        answer.map_err(|it| as_of(CALL, it))
    }

    fn fleet(&mut self, launch: &Launch) -> Result<String, CloudError> {
        self.refused_on_top(CALL, launch, &launch.subnet)
            .map_err(|it| as_of(ON_TOP, it))?;
        let prepared = self.prepared(launch);
        let (template, version) = prepared.map_err(|it| as_of("CreateFleet (refused)", it))?;
        let image = self.bootable(CALL, launch, &version)?;
        self.parts_are_there(CALL, &version)?;
        self.check_tokens(launch, &version)?;
        let instance_type = self.choose_pool(launch)?;
        let mut tags = tags_of(CALL, launch, &template, &version)?;
        tags.insert(tags::FLEET_MEMBER.to_owned(), self.instant_fleet());
        let id = self.boot_up(
            &version,
            image,
            launch.market,
            instance_type,
            &launch.subnet,
            tags,
        );
        Ok(id.to_string())
    }

    /// The version a launch names. By name, the default: that is what EC2 takes when none is named.
    pub(super) fn prepared(&self, launch: &Launch) -> Result<(TemplateId, Version), CloudError> {
        let named = |it: &SimTemplate| match &launch.template {
            LaunchTemplate::Version(id, version) => (it.facts.id == *id).then_some(*version),
            LaunchTemplate::Name(name) => (it.facts.name == *name).then_some(it.facts.default),
        };
        let found = self.templates.values().find_map(|it| {
            let version = it.versions.get(&named(it)?)?;
            Some((it.facts.id.clone(), version.clone()))
        });
        found.ok_or_else(|| {
            let code = "InvalidLaunchTemplateName.NotFoundException";
            refused(CALL, code, &launch.template.to_string())
        })
    }

    pub(super) fn bootable(
        &self,
        call: &'static str,
        launch: &Launch,
        version: &Version,
    ) -> Result<Image, CloudError> {
        let image = launch.image.as_ref().or(version.image.as_ref());
        let image = image.and_then(|it| self.images.get(it)).cloned();
        let image = image.ok_or_else(|| {
            let message = "the image does not exist";
            refused(call, "InvalidAMIID.NotFound", message)
        })?;
        if image.state != ImageState::Available {
            let message = "the image cannot be used";
            return Err(refused(call, "InvalidAMIID.Unavailable", message));
        }
        if image.boot.virtualization != "hvm" || image.boot.architecture == "i386" {
            // TRAP 12
            let message = "no such type boots that";
            return Err(refused(call, "InvalidParameterValue", message));
        }
        Ok(image)
    }

    /// A fresh root from the image, and an empty volume for every other device of the image that
    /// the template does not keep empty (TRAP 9).
    pub(super) fn boot_up(
        &mut self,
        version: &Version,
        image: Image,
        market: Market,
        instance_type: String,
        subnet: &SubnetId,
        tags: Tags,
    ) -> InstanceId {
        let zone = self.subnets.get(subnet).cloned().unwrap_or_default();
        let root_device = image.root_device.clone();
        let id: InstanceId = self.new_id("i-");
        let facts = Instance {
            id: id.clone(),
            state: InstanceState::Pending,
            launch_time: self.now,
            availability_zone: zone.clone(),
            vpc: Some(VPC.to_owned()),
            subnet: Some(subnet.clone()),
            instance_type,
            image: Some(image.id.clone()),
            market,
            request: None,
            root_device: root_device.clone(),
            devices: Vec::new(),
            private_addresses: vec![self.new_address()],
            interfaces: Vec::new(),
            public_address: None,
            auto_public_address: self.gets_public_address(version, subnet),
            forwards: false,
            security_groups: groups_of(version),
            key_pair: version.key_pair.clone(),
            instance_profile: version.instance_profile.clone(),
            state_reason: None,
            hibernation: false,
            boot: Boot {
                imds: false,
                ..image.boot.clone()
            },
            operated: Operated::default(),
            likeness: Likeness::default(),
            tags: Tags::new(),
            unproven: Vec::new(),
            placed: false,
            sealed: false,
        };
        self.add_instance(facts, tags);
        self.tag_primary(&id, &version.spec.interface_tags);
        if let Some(made) = self.instances.get_mut(&id) {
            made.tokens_required = version.tokens_required;
        }
        if market == Market::Spot {
            self.request_for(&id, false, InstanceAction::Terminate);
        }
        if let Some(device) = root_device {
            self.add_root(&id, &image, &device, version);
        }
        let empty = &version.spec.empty_devices;
        for device in image.devices {
            let taken = self.instances[&id].facts.devices.iter();
            if !empty.contains(&device) && taken.clone().all(|it| it.name != device) {
                let volume = self.blank_volume(&zone, general_purpose());
                self.put(&volume, &id, &device, true, true);
            }
        }
        self.start(&id, true);
        id
    }

    /// The template's setting counts, and else the default of the subnet (TRAP 53).
    fn gets_public_address(&self, version: &Version, subnet: &SubnetId) -> bool {
        let said = version.spec.public_address.filter(|_| !version.spec.bare);
        let by_default = || self.public_subnets.contains(subnet);
        said.map_or_else(by_default, |it| it == PublicAddress::Given)
    }

    pub(super) fn add_instance(&mut self, facts: Instance, tags: Tags) {
        let instance = SimInstance {
            tags: Lagged::new(tags),
            visible_from: self.seen_from(),
            doomed: false,
            tokens_required: false,
            life: 0,
            facts,
        };
        let id = instance.facts.id.clone();
        self.instances.insert(id.clone(), instance);
        self.add_primary_interface(&id);
    }

    fn add_root(&mut self, id: &InstanceId, image: &Image, device: &str, version: &Version) {
        let spec = version.spec.root.as_ref();
        let spec: Option<&RootDevice> = spec.filter(|it| it.device == device);
        let zone = self.instances[id].facts.availability_zone.clone();
        let volume = self.volume_of_image(image, &zone);
        if let (Some(volume), Some(spec)) = (self.volumes.get_mut(&volume), spec) {
            volume.facts.settings = spec.settings.clone();
        }
        if let Some(volume) = self.volumes.get_mut(&volume) {
            volume.tags = Lagged::new(version.spec.volume_tags.clone());
        }
        let delete = spec.is_none_or(|it| it.delete_on_termination);
        self.put(&volume, id, device, delete, true);
    }
}

/// The default one of the VPC, where none is named.
fn groups_of(version: &Version) -> Vec<String> {
    if version.spec.bare {
        return vec![DEFAULT_GROUP.to_owned()];
    }
    version.spec.security_groups.clone()
}

/// The token remembers a refusal or not, depending on which part of the call it came from.
pub(super) fn as_of(operation: &'static str, error: CloudError) -> CloudError {
    CloudError { operation, ..error }
}

/// The user's tags, ours, and EC2's own, which is added after the check: no caller can set that one.
pub(super) fn tags_of(
    call: &'static str,
    launch: &Launch,
    template: &TemplateId,
    version: &Version,
) -> Result<Tags, CloudError> {
    let mut tags = version.spec.instance_tags.clone();
    tags.extend(launch.tags.clone());
    check_tags(call, &tags)?;
    tags.insert(tags::LAUNCHED_FROM.to_owned(), template.to_string());
    Ok(tags)
}

/// What a volume gets when neither image nor template says otherwise.
pub(super) fn general_purpose() -> VolumeSettings {
    VolumeSettings {
        volume_type: "gp3".to_owned(),
        size: 8,
        iops: Some(3000),
        throughput: Some(125),
        encrypted: false,
        kms_key: None,
        multi_attach: false,
    }
}
