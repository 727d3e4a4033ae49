//! The API call of an action.

use super::{Action, GroupVerb};
use crate::situation::Balancing;

impl Action {
    /// As its permission is named. AWS grants so many a second of each, whatever further permissions it needs.
    /// <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>
    #[must_use]
    pub fn call(&self) -> &'static str {
        match self {
            Self::Tag { .. } => "ec2:CreateTags",
            Self::Untag { .. } => "ec2:DeleteTags",
            Self::Deregister { group, .. } => match group.balancing() {
                Balancing::Elb => "elasticloadbalancing:DeregisterTargets",
                Balancing::Classic => "elasticloadbalancing:DeregisterInstancesFromLoadBalancer",
                Balancing::Lattice => "vpc-lattice:DeregisterTargets",
            },
            Self::Register { group, .. } => match group.balancing() {
                Balancing::Elb => "elasticloadbalancing:RegisterTargets",
                Balancing::Classic => "elasticloadbalancing:RegisterInstancesWithLoadBalancer",
                Balancing::Lattice => "vpc-lattice:RegisterTargets",
            },
            Self::SetDeleteOnTermination { .. } => "ec2:ModifyInstanceAttribute",
            Self::SnapshotInstance { .. } => "ec2:CreateSnapshots",
            Self::SnapshotVolume { .. } => "ec2:CreateSnapshot",
            Self::Launch(launch) if launch.interface.is_some() => "ec2:RunInstances",
            Self::Launch(_) => "ec2:CreateFleet",
            Self::WriteTemplate(write) if write.existing.is_some() => {
                "ec2:CreateLaunchTemplateVersion"
            }
            Self::WriteTemplate(_) => "ec2:CreateLaunchTemplate",
            Self::DeleteTemplate { .. } => "ec2:DeleteLaunchTemplate",
            Self::TrimTemplate { .. } => "ec2:DeleteLaunchTemplateVersions",
            Self::CreateVolume(_) => "ec2:CreateVolume",
            Self::CopyVolume(_) => "ec2:CopyVolumes",
            Self::RestoreFromBin { .. } => "ec2:RestoreVolumeFromRecycleBin",
            Self::Attach { .. } => "ec2:AttachVolume",
            Self::ReplaceRoot(_) => "ec2:CreateReplaceRootVolumeTask",
            Self::RegisterImage(_) => "ec2:RegisterImage",
            Self::DeregisterImage { .. } => "ec2:DeregisterImage",
            Self::Network(change) => change.call(),
            Self::PointName(_) => "route53:ChangeResourceRecordSets",
            Self::Group(change) => match change.verb {
                GroupVerb::Detach { .. } => "autoscaling:DetachInstances",
                GroupVerb::Attach => "autoscaling:AttachInstances",
                GroupVerb::CompleteLaunch { .. } => "autoscaling:CompleteLifecycleAction",
            },
            Self::DeleteVolume { .. } => "ec2:DeleteVolume",
            Self::DeleteSnapshot { .. } => "ec2:DeleteSnapshot",
            Self::Terminate { .. } => "ec2:TerminateInstances",
            Self::CancelRequest { .. } => "ec2:CancelSpotInstanceRequests",
            Self::Rehearse(rehearsal) => rehearsal.call(),
            Self::Wake { .. } | Self::Wakes(_) => "sqs:SendMessage",
        }
    }
}
