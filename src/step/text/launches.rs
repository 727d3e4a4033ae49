//! Launches, and the launch templates they are made from.

use super::list;
use crate::situation::{PublicAddress, Shape, VolumeSettings};
use crate::step::{InstanceTypes, Launch, LaunchTemplate, RootDevice, TemplateSpec, WriteTemplate};
use std::fmt;

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
