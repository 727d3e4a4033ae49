//! `CreateFleet` of type `instant`: one attempt, at once, and the capacity errors inside an HTTP 200
//! (TRAP 8). Pools are (type, zone, market).
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html>

use super::model::Version;
use super::shapes::alike;
use super::state::refused;
use super::tagging::check_tags;
use super::{Lagged, SimInstance, SimTemplate, State, VPC};
use crate::cloud::{Class, CloudError, classify};
use crate::event::{InstanceAction, InstanceState};
use crate::id::{InstanceId, SubnetId, TemplateId};
use crate::situation::{Boot, Image, Instance, Market, VolumeSettings};
use crate::step::{InstanceTypes, Launch, LaunchTemplate, RootDevice};
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

const CALL: &str = "CreateFleet";

/// What a pool still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    Left(u32),
    /// Nothing, and the code that says so.
    Refused(&'static str),
}

/// Pools that are not named here have plenty.
pub type Supplies = BTreeMap<Pool, Supply>;

/// Type, zone, and whether it is Spot.
pub type Pool = (String, String, bool);

pub fn pool(instance_type: &str, zone: &str, market: Market) -> Pool {
    let spot = market == Market::Spot;
    (instance_type.to_owned(), zone.to_owned(), spot)
}

impl State {
    pub(super) fn launch(&mut self, launch: &Launch) -> Result<String, CloudError> {
        if let Some(interface) = &launch.interface {
            return self.run_on(launch, interface);
        }
        let parameters = format!("{launch:?}");
        check_tags(CALL, &launch.tags)?;
        // An answer is an answer, whether it holds an instance or errors.
        let in_answer = |error: &CloudError| error.operation == CALL;
        self.once(CALL, &launch.token, parameters, in_answer, |world| {
            world.fleet(launch)
        })
    }

    fn fleet(&mut self, launch: &Launch) -> Result<String, CloudError> {
        let (template, version) = self.prepared(launch).map_err(|error| CloudError {
            operation: "CreateFleet (refused)",
            ..error
        })?;
        let image = self.bootable(CALL, launch, &version)?;
        let instance_type = self.choose_pool(launch)?;
        let tags = tags_of(CALL, launch, &template, &version)?;
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
        if image.boot.virtualization != "hvm" || image.boot.architecture == "i386" {
            // TRAP 12
            let message = "no such type boots that";
            return Err(refused(call, "InvalidParameterValue", message));
        }
        Ok(image)
    }

    /// Spot goes where EC2 sees capacity, On-Demand to the first type that is to be had.
    fn choose_pool(&mut self, launch: &Launch) -> Result<String, CloudError> {
        let types = match &launch.instance_types {
            InstanceTypes::Named(names) => names.clone(),
            InstanceTypes::Like(shape) => alike(shape),
        };
        let distinct: BTreeSet<&String> = types.iter().collect();
        if distinct.len() < types.len() {
            let what = "The fleet configuration contains duplicate instance pools.";
            return Err(refused("CreateFleet (refused)", "InvalidFleetConfig", what));
        }
        let mut open = Vec::new();
        let mut codes = BTreeMap::new();
        for name in types {
            match self.offer(&name, &launch.subnet, launch.market) {
                Ok(()) => open.push(name),
                Err(code) => drop(codes.insert(name, code.to_owned())),
            }
        }
        if open.is_empty() {
            return Err(none_open(codes));
        }
        let chosen = match launch.market {
            Market::Spot => self.rng.index(open.len()),
            Market::OnDemand => 0,
        };
        let chosen = open.swap_remove(chosen);
        self.take_capacity(&chosen, &launch.subnet, launch.market);
        Ok(chosen)
    }

    pub(super) fn offer(
        &self,
        kind: &str,
        subnet: &SubnetId,
        market: Market,
    ) -> Result<(), &'static str> {
        let zone = self.subnets.get(subnet).ok_or("InvalidSubnetID.NotFound")?;
        if let Some(code) = self.quotas.get(&market) {
            return Err(code);
        }
        match self.supplies.get(&pool(kind, zone, market)) {
            None | Some(Supply::Left(1..)) => Ok(()),
            Some(Supply::Left(0)) => Err("InsufficientInstanceCapacity"),
            Some(Supply::Refused(code)) => Err(code),
        }
    }

    pub(super) fn take_capacity(&mut self, kind: &str, subnet: &SubnetId, market: Market) {
        let zone = self.subnets.get(subnet).cloned().unwrap_or_default();
        let pool = pool(kind, &zone, market);
        if let Some(Supply::Left(left)) = self.supplies.get_mut(&pool) {
            *left = left.saturating_sub(1);
        }
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
            auto_public_address: version.spec.public_address,
            security_groups: version.spec.security_groups.clone(),
            instance_profile: version.instance_profile.clone(),
            state_reason: None,
            hibernation: false,
            boot: Boot {
                imds: false,
                ..image.boot.clone()
            },
            tags: Tags::new(),
            unproven: Vec::new(),
            sealed: false,
        };
        self.add_instance(facts, tags);
        if market == Market::Spot {
            self.request_for(&id, false, InstanceAction::Terminate);
        }
        if let Some(device) = root_device {
            self.add_root(&id, &image, &device, version.spec.root.as_ref());
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

    pub(super) fn add_instance(&mut self, facts: Instance, tags: Tags) {
        let instance = SimInstance {
            tags: Lagged::new(tags),
            visible_from: self.seen_from(),
            doomed: false,
            life: 0,
            facts,
        };
        let id = instance.facts.id.clone();
        self.instances.insert(id.clone(), instance);
        self.add_primary_interface(&id);
    }

    fn add_root(
        &mut self,
        id: &InstanceId,
        image: &Image,
        device: &str,
        spec: Option<&RootDevice>,
    ) {
        let spec = spec.filter(|it| it.device == device);
        let zone = self.instances[id].facts.availability_zone.clone();
        let volume = self.volume_of_image(image, &zone);
        if let (Some(volume), Some(spec)) = (self.volumes.get_mut(&volume), spec) {
            volume.facts.settings = spec.settings.clone();
        }
        let delete = spec.is_none_or(|it| it.delete_on_termination);
        self.put(&volume, id, device, delete, true);
    }
}

/// The user's, ours, and EC2's own, after the check: nobody else can set that one.
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

/// `Errors[]` of the answer: a code per pool, one that allows another try first.
fn none_open(refused_pools: BTreeMap<String, String>) -> CloudError {
    let text = |(name, code): (&String, &String)| format!("{name}: {code}");
    let all: Vec<String> = refused_pools.iter().map(text).collect();
    let codes = || refused_pools.values().map(String::as_str);
    let of_capacity = || codes().filter(|it| classify(CALL, it) == Class::Capacity);
    let tried = of_capacity().find(|it| *it != "UnfulfillableCapacity");
    let code = tried
        .or(of_capacity().next())
        .or(codes().next())
        .unwrap_or("InvalidFleetConfig");
    let error = refused(CALL, code, &all.join("; "));
    CloudError {
        refused: refused_pools,
        ..error
    }
}

/// What an image asks for when nobody says otherwise.
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
