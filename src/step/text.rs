//! Steps as text: golden plans, log lines and reports are made of it. Sorted, and the same for the same
//! step; every field is named, so that a new one cannot be forgotten.

use super::{
    Action, CopyVolume, CreateVolume, GroupChange, GroupVerb, InstanceTypes, Launch,
    LaunchTemplate, PointName, RegisterImage, ReplaceRoot, RootDevice, RootSource, TemplateSpec,
    WriteTemplate,
};
use crate::event::Wake;
use crate::situation::{PublicAddress, Shape, Target, TargetGroup, VolumeSettings};
use crate::tags::Tags;
use std::fmt;

fn list(tags: &Tags) -> String {
    tags.iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn ports(targets: &[Target]) -> String {
    let place = |it: &Target| {
        let port = it.port.map_or(String::new(), |port| format!(":{port}"));
        format!("{}{port}", it.id)
    };
    targets.iter().map(place).collect::<Vec<_>>().join(" ")
}

/// A target group by its name: the rest of the ARN says nothing to a reader.
fn short(group: &TargetGroup) -> &str {
    group.name().split('/').next().unwrap_or_default()
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Tag { resources, tags } => {
                write!(f, "tag {} with {}", resources.join(" "), list(tags))
            }
            Self::Untag { resources, keys } => {
                write!(
                    f,
                    "remove tags {} from {}",
                    keys.join(" "),
                    resources.join(" ")
                )
            }
            Self::Deregister { group, targets } => {
                write!(f, "deregister {} from {}", ports(targets), short(group))
            }
            Self::Register { group, targets } => {
                write!(f, "register {} with {}", ports(targets), short(group))
            }
            Self::SetDeleteOnTermination { instance, devices } => {
                let flags: Vec<_> = devices
                    .iter()
                    .map(|(d, flag)| format!("{d}={flag}"))
                    .collect();
                write!(
                    f,
                    "set DeleteOnTermination of {instance}: {}",
                    flags.join(" ")
                )
            }
            Self::SnapshotInstance {
                instance,
                description: _,
                tags,
                copy_tags,
            } => {
                let only = if *copy_tags { "" } else { " only" };
                write!(
                    f,
                    "snapshot all volumes of {instance} with {}{only}",
                    list(tags)
                )
            }
            Self::SnapshotVolume {
                volume,
                description: _,
                tags,
            } => {
                write!(f, "snapshot {volume} with {}", list(tags))
            }
            Self::Launch(launch) => launch.fmt(f),
            Self::WriteTemplate(write) => write.fmt(f),
            Self::DeleteTemplate { template } => write!(f, "delete {template}"),
            Self::TrimTemplate {
                template,
                default,
                versions,
            } => {
                let all: Vec<String> = versions.iter().map(ToString::to_string).collect();
                write!(
                    f,
                    "keep version {default} of {template}, delete {}",
                    all.join(" ")
                )
            }
            Self::CreateVolume(create) => create.fmt(f),
            Self::CopyVolume(copy) => copy.fmt(f),
            Self::Attach {
                volume,
                instance,
                device,
            } => {
                write!(f, "attach {volume} to {instance} as {device}")
            }
            Self::ReplaceRoot(replace) => replace.fmt(f),
            Self::RegisterImage(register) => register.fmt(f),
            Self::DeregisterImage { image } => write!(f, "deregister {image}"),
            Self::Network(change) => change.fmt(f),
            Self::PointName(point) => point.fmt(f),
            Self::Group(change) => change.fmt(f),
            Self::DeleteVolume { volume } => write!(f, "delete {volume}"),
            Self::DeleteSnapshot { snapshot } => write!(f, "delete {snapshot}"),
            Self::Terminate { instance } => write!(f, "end {instance}"),
            Self::CancelRequest { request } => write!(f, "cancel {request}"),
            Self::Rehearse(rehearsal) => rehearsal.fmt(f),
            Self::Wake {
                wake: Wake {
                    instance, attempt, ..
                },
                delay_seconds,
            } => {
                write!(
                    f,
                    "wake {instance} in {delay_seconds} s (attempt {attempt})"
                )
            }
            Self::Wakes(wakes) => write!(f, "wake {} lineages", wakes.len()),
        }
    }
}

impl fmt::Display for PointName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            kind,
            ttl,
            address,
        } = self;
        let (kind, zone) = (kind.as_str(), name.zone());
        write!(
            f,
            "point {kind} of {} in {zone} at {address} for {ttl} s",
            name.name()
        )
    }
}

impl fmt::Display for GroupChange {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            group,
            instance,
            verb,
        } = self;
        match verb {
            GroupVerb::Detach { decrement: true } => {
                write!(
                    f,
                    "detach {instance} from group {group}, which gets smaller by one"
                )
            }
            GroupVerb::Detach { decrement: false } => {
                write!(
                    f,
                    "detach {instance} from group {group}, which launches another"
                )
            }
            GroupVerb::Attach => write!(f, "attach {instance} to group {group}"),
            GroupVerb::CompleteLaunch { hook } => {
                write!(f, "complete {hook} of group {group} for {instance}")
            }
        }
    }
}

impl fmt::Display for Launch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            template,
            market,
            instance_types,
            subnet,
            interface,
            image,
            tags,
            attempt: _,
            token: _,
        } = self;
        write!(
            f,
            "launch 1 {market:?} from {template} as {instance_types} in {subnet}"
        )?;
        if let Some(interface) = interface {
            write!(f, " on {interface}")?;
        }
        if let Some(image) = image {
            write!(f, " of {image}")?;
        }
        write!(f, " with {}", list(tags))
    }
}

impl fmt::Display for InstanceTypes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Named(types) => f.write_str(&types.join(" | ")),
            Self::Like(Shape {
                instance_type,
                vcpus,
                memory_mib,
                ..
            }) => write!(f, "like {instance_type} ({vcpus} vCPU, {memory_mib} MiB)"),
        }
    }
}

impl fmt::Display for LaunchTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Version(id, version) => write!(f, "version {version} of {id}"),
            Self::Name(name) => name.fmt(f),
        }
    }
}

impl fmt::Display for WriteTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            name,
            existing,
            extends,
            image,
            spec,
            tags,
            token: _,
        } = self;
        let TemplateSpec {
            instance_tags,
            volume_tags,
            interface_tags,
            security_groups,
            public_address,
            empty_devices,
            root,
            one_type: _,
            plain,
            bare,
        } = spec;
        let verb = existing.as_ref().map_or("create".to_owned(), |(id, _)| {
            format!("new version of {id}")
        });
        write!(f, "{verb} {name} from ")?;
        if *extends {
            write!(f, "the one before")?;
        } else {
            write!(f, "{source}: user tags [{}]", list(instance_tags))?;
        }
        let public = match public_address {
            Some(PublicAddress::Given) => "yes",
            Some(PublicAddress::Refused) => "no",
            None => "as the subnet says",
        };
        let groups = security_groups.join(" ");
        write!(f, ", groups [{groups}], public address {public}")?;
        for (of, tags) in [("root", volume_tags), ("interface", interface_tags)] {
            if !tags.is_empty() {
                write!(f, ", tags of the {of} [{}]", list(tags))?;
            }
        }
        if !*extends {
            write!(f, ", empty [{}]", empty_devices.join(" "))?;
        }
        if let Some(RootDevice {
            device,
            settings,
            delete_on_termination,
        }) = root
        {
            let VolumeSettings {
                volume_type, size, ..
            } = settings;
            write!(
                f,
                ", root {device} {volume_type} {size} GiB delete={delete_on_termination}"
            )?;
        }
        if *bare {
            write!(f, ", nothing of the network")?;
        }
        if *plain {
            write!(f, ", no CPU options, HttpTokens=required")?;
        }
        if let Some(image) = image {
            write!(f, ", image {image}")?;
        }
        write!(f, ", record [{}]", list(tags))
    }
}

impl fmt::Display for CreateVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            snapshot,
            availability_zone,
            settings,
            initialization_rate,
            tags,
            token: _,
        } = self;
        let VolumeSettings {
            volume_type, size, ..
        } = settings;
        write!(
            f,
            "create {volume_type} volume of {size} GiB from {snapshot} in {availability_zone}"
        )?;
        if let Some(rate) = initialization_rate {
            write!(f, " at {rate} MiB/s")?;
        }
        write!(f, " ({}) with {}", Rest(settings), list(tags))
    }
}

impl fmt::Display for CopyVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            source,
            settings,
            tags,
            token: _,
        } = self;
        let VolumeSettings {
            volume_type, size, ..
        } = settings;
        write!(f, "copy {source} to a {volume_type} volume of {size} GiB")?;
        write!(f, " ({}) with {}", Rest(settings), list(tags))
    }
}

/// What else is said of a volume.
struct Rest<'a>(&'a VolumeSettings);

impl fmt::Display for Rest<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let VolumeSettings {
            volume_type: _,
            size: _,
            iops,
            throughput,
            encrypted,
            kms_key,
            multi_attach,
        } = self.0;
        write!(f, "iops {iops:?}, throughput {throughput:?}")?;
        write!(f, ", encrypted {encrypted}, key {kms_key:?}")?;
        if *multi_attach {
            write!(f, ", multi-attach")?;
        }
        Ok(())
    }
}

impl fmt::Display for ReplaceRoot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            instance,
            by,
            tags,
            token: _,
        } = self;
        match by {
            RootSource::Volume(volume) => write!(f, "replace the root of {instance} by {volume}")?,
            RootSource::Image(image) => write!(f, "replace the root of {instance} from {image}")?,
        }
        write!(f, " with {}", list(tags))
    }
}

impl fmt::Display for RegisterImage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            snapshot,
            root,
            boot,
            uefi_data_of,
            tags,
        } = self;
        let RootDevice {
            device,
            settings: VolumeSettings {
                volume_type, size, ..
            },
            delete_on_termination: _,
        } = root;
        write!(
            f,
            "register {name} of {snapshot}: {boot}, root {device} {volume_type} {size} GiB"
        )?;
        if let Some(instance) = uefi_data_of {
            write!(f, ", UEFI data of {instance}")?;
        }
        write!(f, " with {}", list(tags))
    }
}
