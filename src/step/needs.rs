//! What a step needs: permissions, time, and tags that no other step writes.

use super::{Action, GroupVerb, WriteTemplate};
use crate::situation::Balancing;
use std::time::Duration;

impl Action {
    /// The IAM actions the call needs, those it implies included. `template.yaml` must allow
    /// exactly the union of these and of the reads in `cloud`.
    #[must_use]
    pub fn iam_actions(&self) -> &'static [&'static str] {
        match self {
            Self::Tag { .. } => &["ec2:CreateTags"],
            Self::Untag { .. } => &["ec2:DeleteTags"],
            Self::Deregister { group, .. } => match group.balancing() {
                Balancing::Elb => &["elasticloadbalancing:DeregisterTargets"],
                Balancing::Classic => &["elasticloadbalancing:DeregisterInstancesFromLoadBalancer"],
                Balancing::Lattice => &["vpc-lattice:DeregisterTargets"],
            },
            Self::Register { group, .. } => match group.balancing() {
                Balancing::Elb => &["elasticloadbalancing:RegisterTargets"],
                Balancing::Classic => &["elasticloadbalancing:RegisterInstancesWithLoadBalancer"],
                Balancing::Lattice => &["vpc-lattice:RegisterTargets"],
            },
            Self::SetDeleteOnTermination { .. } => &["ec2:ModifyInstanceAttribute"],
            Self::SnapshotInstance { .. } => &["ec2:CreateSnapshots", "ec2:CreateTags"],
            Self::SnapshotVolume { .. } => &["ec2:CreateSnapshot", "ec2:CreateTags"],
            Self::Launch(launch) if launch.interface.is_some() => &[
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:RunInstances",
                "ec2:CreateTags",
                "iam:PassRole",
                "iam:CreateServiceLinkedRole",
            ],
            // A fleet launches with the caller's permissions, and its service-linked roles are
            // made on first use.
            Self::Launch(_) => &[
                "ec2:CreateFleet",
                "ec2:RunInstances",
                "ec2:CreateTags",
                "iam:PassRole",
                "iam:CreateServiceLinkedRole",
            ],
            // Four of the reads are what GetLaunchTemplateData does on the caller's behalf.
            Self::WriteTemplate(_) => &[
                "ec2:GetLaunchTemplateData",
                "ec2:DescribeLaunchTemplateVersions",
                "ec2:DescribeInstanceTypes",
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
            Self::TrimTemplate { .. } => &[
                "ec2:ModifyLaunchTemplate",
                "ec2:DeleteLaunchTemplateVersions",
            ],
            Self::CreateVolume(_) => &["ec2:CreateVolume", "ec2:CreateTags"],
            Self::CopyVolume(_) => &["ec2:CopyVolumes", "ec2:CreateTags"],
            Self::RestoreFromBin { .. } => &["ec2:RestoreVolumeFromRecycleBin"],
            Self::Attach { .. } => &["ec2:AttachVolume"],
            Self::ReplaceRoot(_) => &["ec2:CreateReplaceRootVolumeTask", "ec2:CreateTags"],
            Self::RegisterImage(_) => &[
                "ec2:GetInstanceUefiData",
                "ec2:RegisterImage",
                "ec2:CreateTags",
            ],
            Self::DeregisterImage { .. } => &["ec2:DeregisterImage"],
            Self::Network(change) => change.iam_actions(),
            Self::PointName(_) => &["route53:ChangeResourceRecordSets"],
            Self::Group(change) => match change.verb {
                GroupVerb::Detach { .. } => &["autoscaling:DetachInstances"],
                GroupVerb::Attach => &["autoscaling:AttachInstances"],
                GroupVerb::CompleteLaunch { .. } => &["autoscaling:CompleteLifecycleAction"],
            },
            Self::DeleteVolume { .. } => &["ec2:DeleteVolume"],
            Self::DeleteSnapshot { .. } => &["ec2:DeleteSnapshot"],
            Self::Terminate { .. } => &["ec2:TerminateInstances"],
            Self::CancelRequest { .. } => &["ec2:CancelSpotInstanceRequests"],
            Self::Rehearse(rehearsal) => rehearsal.iam_actions(),
            Self::Wake { .. } | Self::Wakes(_) => &["sqs:SendMessage"],
        }
    }

    /// How long one call may take before the step counts as out of time. What launches, or is several calls, may take
    /// all the time that `aws/src/timeouts.rs` gives a call. The rest answer in well under a second, so six are
    /// one attempt without an answer (four) and a second one: waiting longer would leave no time for another look.
    #[must_use]
    pub fn budget(&self) -> Duration {
        match self {
            Self::Launch(_) | Self::WriteTemplate(_) | Self::RegisterImage(_) => {
                Duration::from_secs(10)
            }
            Self::Tag { .. }
            | Self::Untag { .. }
            | Self::Deregister { .. }
            | Self::Register { .. }
            | Self::SetDeleteOnTermination { .. }
            | Self::SnapshotInstance { .. }
            | Self::SnapshotVolume { .. }
            | Self::DeleteTemplate { .. }
            | Self::TrimTemplate { .. }
            | Self::CreateVolume(_)
            | Self::CopyVolume(_)
            | Self::RestoreFromBin { .. }
            | Self::Attach { .. }
            | Self::ReplaceRoot(_)
            | Self::DeregisterImage { .. }
            | Self::Network(_)
            | Self::PointName(_)
            | Self::Group(_)
            | Self::DeleteVolume { .. }
            | Self::DeleteSnapshot { .. }
            | Self::Terminate { .. }
            | Self::CancelRequest { .. }
            | Self::Rehearse(_)
            | Self::Wake { .. }
            | Self::Wakes(_) => Duration::from_secs(6),
        }
    }

    /// Resources that exist already and get or lose tags by the call. What the call creates is not known to other
    /// steps yet.
    #[must_use]
    pub fn tagged(&self) -> Vec<&str> {
        match self {
            Self::Tag { resources, .. } | Self::Untag { resources, .. } => {
                resources.iter().map(String::as_str).collect()
            }
            // A new version is marked on its template once its number is known.
            Self::WriteTemplate(WriteTemplate { existing, .. }) => {
                existing.iter().map(|(id, _)| id.as_str()).collect()
            }
            Self::Deregister { .. }
            | Self::Register { .. }
            | Self::SetDeleteOnTermination { .. }
            | Self::SnapshotInstance { .. }
            | Self::SnapshotVolume { .. }
            | Self::Launch(_)
            | Self::DeleteTemplate { .. }
            | Self::TrimTemplate { .. }
            | Self::CreateVolume(_)
            | Self::CopyVolume(_)
            | Self::RestoreFromBin { .. }
            | Self::Attach { .. }
            | Self::ReplaceRoot(_)
            | Self::RegisterImage(_)
            | Self::DeregisterImage { .. }
            | Self::Network(_)
            | Self::PointName(_)
            | Self::Group(_)
            | Self::DeleteVolume { .. }
            | Self::DeleteSnapshot { .. }
            | Self::Terminate { .. }
            | Self::CancelRequest { .. }
            | Self::Rehearse(_)
            | Self::Wake { .. }
            | Self::Wakes(_) => Vec::new(),
        }
    }
}
