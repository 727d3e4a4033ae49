//! A plan is data: steps with everything the executor needs, so that it makes no choices.

use crate::event::{Interruption, Wake};
use crate::id::{AllocationId, InstanceId, SnapshotId, SubnetId, TemplateId, VolumeId};
use crate::situation::{Market, Target, VolumeSettings};
use crate::tags::Tags;
use std::collections::BTreeMap;
use std::fmt;
use std::time::Duration;

/// One mutating call.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Unique within a plan; other steps name it in `after`.
    pub id: String,
    pub action: Action,
    /// Steps that must have succeeded first; everything else runs at once.
    pub after: Vec<String>,
    /// What to write down when AWS answers that there is no capacity.
    pub on_failure: Option<Action>,
}

/// Every call that changes something, with all its parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    Tag {
        resources: Vec<String>,
        tags: Tags,
    },
    Untag {
        resources: Vec<String>,
        keys: Vec<String>,
    },
    Deregister {
        target_group_arn: String,
        targets: Vec<Target>,
    },
    Register {
        target_group_arn: String,
        targets: Vec<Target>,
    },
    /// Device name -> the flag. Always explicit: an omitted one means true (TRAP 15).
    SetDeleteOnTermination {
        instance: InstanceId,
        devices: BTreeMap<String, bool>,
    },
    /// One crash-consistent set over all volumes of the instance.
    SnapshotInstance {
        instance: InstanceId,
        tags: Tags,
    },
    SnapshotVolume {
        volume: VolumeId,
        tags: Tags,
    },
    Launch(Launch),
    WriteTemplate(WriteTemplate),
    DeleteTemplate {
        template: TemplateId,
    },
    CreateVolume(CreateVolume),
    Attach {
        volume: VolumeId,
        instance: InstanceId,
        device: String,
    },
    Associate {
        allocation: AllocationId,
        instance: InstanceId,
    },
    DeleteVolume {
        volume: VolumeId,
    },
    DeleteSnapshot {
        snapshot: SnapshotId,
    },
    /// The delayed message that stands in for waiting.
    Wake {
        wake: Wake,
        delay_seconds: u16,
    },
}

/// One replacement from the prepared rescue.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Launch {
    pub template: LaunchTemplate,
    pub market: Market,
    pub instance_types: Vec<String>,
    pub subnets: Vec<SubnetId>,
    pub tags: Tags,
    /// How many launches have failed before.
    pub attempt: u32,
    pub token: String,
}

/// By id, so that nobody's namesake is launched; by name only while it is being created.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum LaunchTemplate {
    Id(TemplateId),
    Name(String),
}

/// The prepared rescue, made from a living instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct WriteTemplate {
    pub source: InstanceId,
    pub name: String,
    /// None creates the template; otherwise it gets a new version.
    pub existing: Option<TemplateId>,
    pub spec: TemplateSpec,
    /// Of the launch template itself: the record.
    pub tags: Tags,
    pub token: String,
}

/// What the prepared rescue must say, whatever `GetLaunchTemplateData` answers (TRAP 9).
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TemplateSpec {
    /// The user's tags, for the replacement.
    pub instance_tags: Tags,
    pub security_groups: Vec<String>,
    /// Ask for a public address: the original had one from Amazon's pool.
    pub public_address: bool,
    /// Devices that must stay empty, so that the volumes find their names free.
    pub empty_devices: Vec<String>,
    pub root: Option<RootDevice>,
    /// The replacement has the original's type: what only fits that type may stay.
    pub one_type: bool,
}

/// The replacement's own root volume: like the original's, from the image.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RootDevice {
    pub device: String,
    pub settings: VolumeSettings,
    pub delete_on_termination: bool,
}

/// A volume restored from a snapshot.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CreateVolume {
    pub snapshot: SnapshotId,
    pub availability_zone: String,
    pub settings: VolumeSettings,
    pub tags: Tags,
    pub token: String,
}

impl Step {
    #[must_use]
    pub fn new(id: impl Into<String>, action: Action) -> Self {
        Self {
            id: id.into(),
            action,
            after: Vec::new(),
            on_failure: None,
        }
    }

    #[must_use]
    pub fn after(mut self, id: &str) -> Self {
        self.after.push(id.to_owned());
        self
    }

    #[must_use]
    pub fn or_else(mut self, action: Option<Action>) -> Self {
        self.on_failure = action;
        self
    }
}

impl Action {
    /// The IAM actions the call needs, those it implies included. `template.yaml` must allow
    /// exactly the union of these and of the reads in `cloud`.
    #[must_use]
    pub fn iam_actions(&self) -> &'static [&'static str] {
        match self {
            Self::Tag { .. } => &["ec2:CreateTags"],
            Self::Untag { .. } => &["ec2:DeleteTags"],
            Self::Deregister { .. } => &["elasticloadbalancing:DeregisterTargets"],
            Self::Register { .. } => &["elasticloadbalancing:RegisterTargets"],
            Self::SetDeleteOnTermination { .. } => &["ec2:ModifyInstanceAttribute"],
            Self::SnapshotInstance { .. } => &["ec2:CreateSnapshots", "ec2:CreateTags"],
            Self::SnapshotVolume { .. } => &["ec2:CreateSnapshot", "ec2:CreateTags"],
            // A fleet launches with the caller's permissions, and its service-linked roles are
            // made on first use.
            Self::Launch(_) => &[
                "ec2:CreateFleet",
                "ec2:RunInstances",
                "ec2:CreateTags",
                "iam:PassRole",
                "iam:CreateServiceLinkedRole",
            ],
            // The four reads are what GetLaunchTemplateData does on the caller's behalf.
            Self::WriteTemplate(_) => &[
                "ec2:GetLaunchTemplateData",
                "ec2:DescribeInstances",
                "ec2:DescribeInstanceAttribute",
                "ec2:DescribeInstanceCreditSpecifications",
                "ec2:DescribeSpotInstanceRequests",
                "ec2:DescribeVolumes",
                "ec2:CreateLaunchTemplate",
                "ec2:CreateLaunchTemplateVersion",
                "ec2:CreateTags",
            ],
            Self::DeleteTemplate { .. } => &["ec2:DeleteLaunchTemplate"],
            Self::CreateVolume(_) => &["ec2:CreateVolume", "ec2:CreateTags"],
            Self::Attach { .. } => &["ec2:AttachVolume"],
            Self::Associate { .. } => &["ec2:AssociateAddress"],
            Self::DeleteVolume { .. } => &["ec2:DeleteVolume"],
            Self::DeleteSnapshot { .. } => &["ec2:DeleteSnapshot"],
            Self::Wake { .. } => &["sqs:SendMessage"],
        }
    }

    /// How long one call may take before the step counts as out of time. A fleet request is
    /// synchronous and launches; the rest answer in well under a second.
    #[must_use]
    pub fn budget(&self) -> Duration {
        match self {
            Self::Launch(_) | Self::WriteTemplate(_) => Duration::from_secs(10),
            Self::Tag { .. }
            | Self::Untag { .. }
            | Self::Deregister { .. }
            | Self::Register { .. }
            | Self::SetDeleteOnTermination { .. }
            | Self::SnapshotInstance { .. }
            | Self::SnapshotVolume { .. }
            | Self::DeleteTemplate { .. }
            | Self::CreateVolume(_)
            | Self::Attach { .. }
            | Self::Associate { .. }
            | Self::DeleteVolume { .. }
            | Self::DeleteSnapshot { .. }
            | Self::Wake { .. } => Duration::from_secs(6),
        }
    }
}

/// `ClientToken`: the same intent has the same token, whoever computes it; at most 64 characters.
/// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>
#[must_use]
pub fn token(parts: &[&str]) -> String {
    use sha2::{Digest, Sha256};
    let mut hash = Sha256::new();
    for part in parts {
        hash.update(part.as_bytes());
        hash.update([0]);
    }
    let hex = hash
        .finalize()
        .iter()
        .take(20)
        .fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    format!("spot-rescue-{hex}")
}

/// The name of a snapshot set: the same warning gives the same name.
#[must_use]
pub fn warning_set(interruption: &Interruption) -> String {
    format!(
        "{}-{}",
        interruption.instance,
        interruption.at.unix_timestamp()
    )
}

fn list(tags: &Tags) -> String {
    tags.iter()
        .map(|(key, value)| format!("{key}={value}"))
        .collect::<Vec<_>>()
        .join(", ")
}

fn ports(targets: &[Target]) -> String {
    targets
        .iter()
        .map(|it| format!("{}:{}", it.id, it.port))
        .collect::<Vec<_>>()
        .join(" ")
}

/// A target group by its name: the rest of the ARN says nothing to a reader.
fn short(arn: &str) -> &str {
    arn.rsplit("targetgroup/")
        .next()
        .and_then(|rest| rest.split('/').next())
        .unwrap_or(arn)
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
            Self::Deregister {
                target_group_arn,
                targets,
            } => {
                write!(
                    f,
                    "deregister {} from {}",
                    ports(targets),
                    short(target_group_arn)
                )
            }
            Self::Register {
                target_group_arn,
                targets,
            } => {
                write!(
                    f,
                    "register {} with {}",
                    ports(targets),
                    short(target_group_arn)
                )
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
            Self::SnapshotInstance { instance, tags } => {
                write!(f, "snapshot all volumes of {instance} with {}", list(tags))
            }
            Self::SnapshotVolume { volume, tags } => {
                write!(f, "snapshot {volume} with {}", list(tags))
            }
            Self::Launch(launch) => launch.fmt(f),
            Self::WriteTemplate(write) => write.fmt(f),
            Self::DeleteTemplate { template } => write!(f, "delete {template}"),
            Self::CreateVolume(create) => create.fmt(f),
            Self::Attach {
                volume,
                instance,
                device,
            } => {
                write!(f, "attach {volume} to {instance} as {device}")
            }
            Self::Associate {
                allocation,
                instance,
            } => {
                write!(f, "associate {allocation} with {instance}")
            }
            Self::DeleteVolume { volume } => write!(f, "delete {volume}"),
            Self::DeleteSnapshot { snapshot } => write!(f, "delete {snapshot}"),
            Self::Wake {
                wake:
                    Wake {
                        instance,
                        attempt,
                        interruptions: _,
                        confirm: _,
                    },
                delay_seconds,
            } => {
                write!(
                    f,
                    "wake {instance} in {delay_seconds} s (attempt {attempt})"
                )
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
            subnets,
            tags,
            attempt: _,
            token: _,
        } = self;
        let subnets: Vec<&str> = subnets.iter().map(SubnetId::as_str).collect();
        write!(
            f,
            "launch 1 {market:?} from {template} as {} in {} with {}",
            instance_types.join(" | "),
            subnets.join(" | "),
            list(tags)
        )
    }
}

impl fmt::Display for LaunchTemplate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Id(id) => id.fmt(f),
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
            spec,
            tags,
            token: _,
        } = self;
        let TemplateSpec {
            instance_tags,
            security_groups,
            public_address,
            empty_devices,
            root,
            ..
        } = spec;
        let verb = existing
            .as_ref()
            .map_or("create".to_owned(), |id| format!("new version of {id}"));
        write!(
            f,
            "{verb} {name} from {source}: user tags [{}]",
            list(instance_tags)
        )?;
        write!(
            f,
            ", groups [{}], public {public_address}",
            security_groups.join(" ")
        )?;
        write!(f, ", empty [{}]", empty_devices.join(" "))?;
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
        write!(f, ", record [{}]", list(tags))
    }
}

impl fmt::Display for CreateVolume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            snapshot,
            availability_zone,
            settings,
            tags,
            token: _,
        } = self;
        let VolumeSettings {
            volume_type,
            size,
            iops,
            throughput,
            encrypted,
            kms_key,
        } = settings;
        write!(
            f,
            "create {volume_type} volume of {size} GiB from {snapshot} in {availability_zone}"
        )?;
        write!(
            f,
            " (iops {iops:?}, throughput {throughput:?}, encrypted {encrypted}"
        )?;
        write!(f, ", key {kms_key:?}) with {}", list(tags))
    }
}
