//! Steps as text: golden plans, log lines and reports are made of it. Sorted, and the same for the same
//! step; every field is named, so that a new one cannot be forgotten.

mod launches;
mod volumes;

use super::{Action, GroupChange, GroupVerb, PointName};
use crate::event::Wake;
use crate::situation::{Target, TargetGroup};
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
                except,
            } => {
                let only = if *copy_tags { "" } else { " only" };
                write!(
                    f,
                    "snapshot all volumes of {instance}{except} with {}{only}",
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
            Self::RestoreFromBin { volume } => write!(f, "take {volume} out of the Recycle Bin"),
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
