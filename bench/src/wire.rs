//! What comes over the wire, asked of the simulator: the calls of a rescue, and an empty answer for
//! any other read.

pub mod query;
pub mod xml;

use query::Parameters;
use spot_rescue::cloud::{Class, Cloud, CloudError, Query};
use spot_rescue::sim::World;
use spot_rescue::situation::{Balancing, Instance, Market, Target, TargetGroup, VolumeSettings};
use spot_rescue::step::{
    Action, CreateVolume, Except, InstanceTypes, Launch, LaunchTemplate, Network,
};
use spot_rescue::tags::{self, Tags};
use std::collections::BTreeSet;
use std::str::FromStr;
use std::sync::{Mutex, PoisonError};
use xml::{element, items, wrapped};

/// An answer, or the error AWS would answer with.
pub type Answer = Result<String, CloudError>;

pub async fn ec2(world: &World, action: &str, p: &Parameters) -> Answer {
    let inner = match action {
        "DescribeInstances" => {
            let all = world.instances(&selection(p)).await?;
            page(p, &all, "reservationSet", reservation)
        }
        "DescribeVolumes" => {
            let all = world.volumes(&selection(p)).await?;
            page(p, &all, "volumeSet", xml::volume)
        }
        "DescribeSnapshots" => {
            let all = world.snapshots(&selection(p)).await?;
            page(p, &all, "snapshotSet", xml::snapshot)
        }
        "DescribeLaunchTemplates" => {
            let all = world.templates(&selection(p)).await?;
            page(p, &all, "launchTemplates", xml::template)
        }
        "DescribeAddresses" => {
            let all = world.addresses().await?;
            page(p, &all, "addressesSet", xml::address)
        }
        "DescribeImages" => {
            let all = world.images(&selection(p)).await?;
            page(p, &all, "imagesSet", xml::image)
        }
        "GetLaunchTemplateData" => {
            let data = element("instanceType", "m5.large");
            format!("<launchTemplateData>{data}</launchTemplateData>")
        }
        "CreateLaunchTemplateVersion" => again(world, p.get("LaunchTemplateId")),
        // The baseline's launch: the simulator knows fleets only.
        "RunInstances" => items(
            "instancesSet",
            std::iter::once(element("instanceId", "i-0aaaaaaaaaaaaaaaa")),
        ),
        _ if action.starts_with("Describe") || action.starts_with("GetEbs") => String::new(),
        _ => change(world, action, p).await?,
    };
    Ok(xml::ec2(action, &inner))
}

fn reservation(it: &Instance) -> String {
    element("reservationId", "r-0123456789abcdef0")
        + &element("ownerId", xml::ACCOUNT)
        + &items("instancesSet", std::iter::once(xml::instance(it)))
}

async fn change(world: &World, action: &str, p: &Parameters) -> Answer {
    let Some(step) = step(action, p) else {
        return Err(CloudError::new("bench", "InvalidAction", action, None));
    };
    let made = match world.act(&step).await {
        // A fleet tells in its answer that there is no capacity.
        Err(error) if action == "CreateFleet" && error.class == Class::Capacity => {
            let error = element("errorCode", error.code) + &element("errorMessage", error.message);
            return Ok(element("fleetId", "fleet-0") + &items("errorSet", std::iter::once(error)));
        }
        other => other?,
    };
    Ok(match action {
        "CreateSnapshots" => {
            let ids = made.split_whitespace();
            items("snapshotSet", ids.map(|it| element("snapshotId", it)))
        }
        "CreateSnapshot" => element("snapshotId", made),
        "CreateVolume" => element("volumeId", made),
        "CreateFleet" => {
            let ids = format!("<instanceIds><item>{made}</item></instanceIds>");
            element("fleetId", "fleet-0") + &items("fleetInstanceSet", std::iter::once(ids))
        }
        _ => element("return", true),
    })
}

fn step(action: &str, p: &Parameters) -> Option<Action> {
    Some(match action {
        "CreateTags" => Action::Tag {
            resources: p.list("ResourceId"),
            tags: pairs(p, "Tag"),
        },
        "DeleteTags" => Action::Untag {
            resources: p.list("ResourceId"),
            keys: pairs(p, "Tag").into_keys().collect(),
        },
        "ModifyInstanceAttribute" => {
            let mappings = p.members("BlockDeviceMapping");
            let devices = mappings.map(|it| {
                let flag = p.get(&format!("{it}.Ebs.DeleteOnTermination")) == "true";
                (p.get(&format!("{it}.DeviceName")).to_owned(), flag)
            });
            Action::SetDeleteOnTermination {
                instance: id(p, "InstanceId")?,
                devices: devices.collect(),
            }
        }
        "CreateSnapshots" => Action::SnapshotInstance {
            instance: id(p, "InstanceSpecification.InstanceId")?,
            description: p.get("Description").to_owned(),
            tags: pairs(p, "TagSpecification.1.Tag"),
            copy_tags: p.get("CopyTagsFromSource") == "volume",
            except: Except::default(),
        },
        "CreateSnapshot" => Action::SnapshotVolume {
            volume: id(p, "VolumeId")?,
            description: p.get("Description").to_owned(),
            tags: pairs(p, "TagSpecification.1.Tag"),
        },
        "CreateFleet" => Action::Launch(launch(p)?),
        "CreateVolume" => Action::CreateVolume(volume(p)?),
        "AttachVolume" => Action::Attach {
            volume: id(p, "VolumeId")?,
            instance: id(p, "InstanceId")?,
            device: p.get("Device").to_owned(),
        },
        "AssociateAddress" => Action::Network(Network::Associate {
            allocation: id(p, "AllocationId")?,
            interface: id(p, "NetworkInterfaceId")?,
            private_address: p.get("PrivateIpAddress").to_owned(),
            take: p.get("AllowReassociation") == "true",
        }),
        "DeleteVolume" => Action::DeleteVolume {
            volume: id(p, "VolumeId")?,
        },
        "DeleteSnapshot" => Action::DeleteSnapshot {
            snapshot: id(p, "SnapshotId")?,
        },
        "DeleteLaunchTemplate" => Action::DeleteTemplate {
            template: id(p, "LaunchTemplateId")?,
        },
        _ => return None,
    })
}

fn launch(p: &Parameters) -> Option<Launch> {
    let config = "LaunchTemplateConfigs.1";
    let named = p.get(&format!(
        "{config}.LaunchTemplateSpecification.LaunchTemplateName"
    ));
    let template = id(
        p,
        &format!("{config}.LaunchTemplateSpecification.LaunchTemplateId"),
    );
    let version = p.get(&format!("{config}.LaunchTemplateSpecification.Version"));
    let version = version.parse().unwrap_or_default();
    let overrides: Vec<String> = p.members(&format!("{config}.Overrides")).collect();
    let each = |field: &str| -> BTreeSet<String> {
        let of = |it: &String| p.get(&format!("{it}.{field}")).to_owned();
        overrides.iter().map(of).collect()
    };
    let spot = p.get("TargetCapacitySpecification.DefaultTargetCapacityType") == "spot";
    Some(Launch {
        template: template.map_or_else(
            || LaunchTemplate::Name(named.to_owned()),
            |id| LaunchTemplate::Version(id, version),
        ),
        market: if spot { Market::Spot } else { Market::OnDemand },
        instance_types: InstanceTypes::Named(each("InstanceType").into_iter().collect()),
        subnet: each("SubnetId").iter().find_map(|it| it.parse().ok())?,
        interface: None,
        image: each("ImageId").iter().find_map(|it| it.parse().ok()),
        tags: pairs(p, "TagSpecification.1.Tag"),
        attempt: 0,
        token: p.get("ClientToken").to_owned(),
    })
}

fn volume(p: &Parameters) -> Option<CreateVolume> {
    let number = |name: &str| p.get(name).parse().ok();
    let key = p.get("KmsKeyId");
    Some(CreateVolume {
        snapshot: id(p, "SnapshotId")?,
        availability_zone: p.get("AvailabilityZone").to_owned(),
        settings: VolumeSettings {
            volume_type: p.get("VolumeType").to_owned(),
            size: number("Size")?,
            iops: number("Iops"),
            throughput: number("Throughput"),
            encrypted: p.get("Encrypted") == "true",
            kms_key: (!key.is_empty()).then(|| key.to_owned()),
            multi_attach: p.get("MultiAttachEnabled") == "true",
        },
        initialization_rate: number("VolumeInitializationRate"),
        tags: pairs(p, "TagSpecification.1.Tag"),
        token: p.get("ClientToken").to_owned(),
    })
}

/// A new version, like the last.
fn again(world: &World, id: &str) -> String {
    world.change(|it| {
        let template = it
            .templates
            .values_mut()
            .find(|it| it.facts.id.as_str() == id);
        if let Some(template) = template {
            let last = template.versions.values().next_back().cloned();
            template.facts.latest += 1;
            let number = template.facts.latest;
            template.versions.extend(last.map(|it| (number, it)));
        }
    });
    let number = world.look(|it| {
        let mut all = it.templates.values();
        let found = all.find(|it| it.facts.id.as_str() == id);
        found.map_or(0, |it| it.facts.latest)
    });
    format!(
        "<launchTemplateVersion>{}{}</launchTemplateVersion>",
        element("launchTemplateId", id),
        element("versionNumber", number.to_string())
    )
}

pub async fn elb(world: &World, action: &str, p: &Parameters) -> Answer {
    let group = TargetGroup::Elb(p.get("TargetGroupArn").into());
    let inner = match action {
        "DescribeTargetGroups" => {
            let all = world.target_groups(Balancing::Elb).await?.groups;
            wrapped("TargetGroups", "member", all.iter().map(xml::target_group))
        }
        "DescribeTargetHealth" => {
            let all = world.targets(&group).await?;
            wrapped(
                "TargetHealthDescriptions",
                "member",
                all.iter().map(xml::health),
            )
        }
        "DeregisterTargets" | "RegisterTargets" => {
            let targets = targets(p);
            let action = if action == "RegisterTargets" {
                Action::Register { group, targets }
            } else {
                Action::Deregister { group, targets }
            };
            world.act(&action).await?
        }
        _ => String::new(),
    };
    Ok(xml::elb(action, &inner))
}

pub fn targets(p: &Parameters) -> Vec<Target> {
    let target = |it: String| Target {
        group: TargetGroup::Elb(p.get("TargetGroupArn").into()),
        id: p.get(&format!("{it}.Id")).to_owned(),
        port: p.get(&format!("{it}.Port")).parse().ok(),
    };
    p.members("Targets.member").map(target).collect()
}

/// The first filter decides: the function uses one at a time.
fn selection(p: &Parameters) -> Query {
    if let Some(by_ids) = by_ids(p) {
        return by_ids;
    }
    let named = p.list("InstanceId");
    let filters = p.filters();
    let Some((name, values)) = filters.first().filter(|_| named.is_empty()) else {
        return Query::Instances(parsed(&named));
    };
    match name.as_str() {
        "instance-id" | "attachment.instance-id" => Query::Instances(parsed(values)),
        "launch-template-name" => Query::Names(values.clone()),
        "volume-id" => Query::Volumes(parsed(values)),
        "snapshot-id" => Query::Snapshots(parsed(values)),
        "image-id" => Query::Images(parsed(values)),
        "tag-key" => Query::TagKey(interned(values.first().map_or("", String::as_str))),
        other => Query::Tag {
            key: interned(other.strip_prefix("tag:").unwrap_or(other)),
            values: values.clone(),
        },
    }
}

/// Never of instances, which may be named beside a filter.
fn by_ids(p: &Parameters) -> Option<Query> {
    let [volumes, snapshots, images] = ["VolumeId", "SnapshotId", "ImageId"].map(|it| p.list(it));
    if !volumes.is_empty() {
        Some(Query::Volumes(parsed(&volumes)))
    } else if !snapshots.is_empty() {
        Some(Query::Snapshots(parsed(&snapshots)))
    } else {
        (!images.is_empty()).then(|| Query::Images(parsed(&images)))
    }
}

fn parsed<T: FromStr>(texts: &[String]) -> Vec<T> {
    texts.iter().filter_map(|it| it.parse().ok()).collect()
}

fn id<T: FromStr>(p: &Parameters, name: &str) -> Option<T> {
    p.get(name).parse().ok()
}

pub fn pairs(p: &Parameters, list: &str) -> Tags {
    let pair = |it: String| {
        let (key, value) = (p.get(&format!("{it}.Key")), p.get(&format!("{it}.Value")));
        (key.to_owned(), value.to_owned())
    };
    p.members(list).map(pair).collect()
}

/// One page, as long as was asked for.
fn page<T>(p: &Parameters, all: &[T], name: &str, one: impl Fn(&T) -> String) -> String {
    let from: usize = p.get("NextToken").parse().unwrap_or(0);
    let most: usize = p.get("MaxResults").parse().unwrap_or(usize::MAX);
    let shown = all.iter().skip(from).take(most);
    let mut text = items(name, shown.map(one));
    let next = from.saturating_add(most);
    if next < all.len() {
        text += &element("nextToken", next);
    }
    text
}

/// Tag keys are few, and the code's own live for ever.
fn interned(key: &str) -> &'static str {
    static KEYS: Mutex<BTreeSet<&'static str>> = Mutex::new(BTreeSet::new());
    let known = [tags::RESCUE, tags::OPT_IN, tags::EXPIRES_AT];
    if let Some(known) = known.into_iter().find(|it| *it == key) {
        return known;
    }
    let mut keys = KEYS.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(known) = keys.get(key) {
        return known;
    }
    let new: &'static str = Box::leak(key.to_owned().into_boxed_str());
    keys.insert(new);
    new
}

/// The instances that a change is about: a storm's progress is measured by them.
pub fn about(action: &str, p: &Parameters) -> Vec<String> {
    let one = |name: &str| vec![p.get(name).to_owned()];
    match action {
        "ModifyInstanceAttribute" => one("InstanceId"),
        "CreateSnapshots" => one("InstanceSpecification.InstanceId"),
        "CreateSnapshot" => one("VolumeId"),
        "CreateFleet" | "RunInstances" => {
            let tags = pairs(p, "TagSpecification.1.Tag");
            let replaced = tags.get(tags::LAUNCHED).and_then(|it| it.split(' ').nth(1));
            replaced.into_iter().map(str::to_owned).collect()
        }
        "DeregisterTargets" | "RegisterTargets" => targets(p)
            .iter()
            .map(|it| format!("{} {:?}", it.id, it.port))
            .collect(),
        "CreateTags" => p.list("ResourceId"),
        _ => Vec::new(),
    }
}
