//! Notes what a rescue will not bring back, when it is prepared rather than when it is needed.

use crate::plan::course::unlike;
use crate::plan::draft::Plan;
use crate::plan::facts::asked;
use crate::plan::facts::launcher::{self, Launcher};
use crate::plan::lineage::Lineage;
use crate::plan::network::router;
use crate::plan::volumes::keys;
use crate::policy::Types;
use crate::situation::{Instance, Volume};

/// All notes, once for each version of the launch template.
pub fn tell(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    if has_instance_store(&owner.instance_type) {
        plan.note(format!(
            "{} is an {}: what is on its instance store volumes is not recovered",
            owner.id, owner.instance_type
        ));
    }
    if owner.hibernation {
        // TRAP 30
        plan.note(format!(
            "{} is enabled for hibernation: EC2 takes no snapshot of it, so a lost volume is lost",
            owner.id
        ));
    }
    unwarned(lineage, owner, plan);
    shared(lineage, owner, plan);
    coded(lineage, owner, plan);
    private_address(lineage, owner, plan);
    keys::unnamed(lineage, owner, plan);
    keys::unnamed_default(lineage, owner, plan);
    unlike::tell(lineage, owner, plan);
    router::tell(lineage, owner, plan);
    operated(owner, plan);
    if let Launcher::Fleet(why) | Launcher::Orchestrator(why) = launcher::launcher(lineage) {
        plan.note(format!(
            "nothing will be launched in place of {}: {why}",
            owner.id
        ));
    }
}

/// A resource that an AWS service manages is neither kept nor carried over.
fn operated(owner: &Instance, plan: &mut Plan) {
    for (part, by) in &owner.operated.parts {
        plan.note(format!(
            "{part} of {} is managed by {by}, and EC2 lets only that service change it: it is neither kept nor carried \
             over",
            owner.id
        ));
    }
}

/// AWS sends warnings on a best-effort basis, and `DeleteOnTermination` is switched off only when one comes.
fn unwarned(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    if asked::keeps_volumes_always(lineage) {
        return;
    }
    let flagged =
        { owner.devices.iter() }.filter(|it| it.delete_on_termination && !owner.is_root(&it.name));
    let flagged: Vec<&str> = flagged.map(|it| it.volume.as_str()).collect();
    if !flagged.is_empty() {
        plan.note(format!(
            "should {} be taken without a warning, its {} would be deleted with it: spot-rescue:protect=always keeps \
             what has DeleteOnTermination",
            owner.id,
            flagged.join(" ")
        ));
    }
}

/// An instance has the product codes of its volumes; a code that its image does not have came with a data volume.
/// "If a volume has an AWS Marketplace product code, the volume can be attached only to a stopped instance",
/// and a Spot Instance cannot be stopped for that.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html>
fn coded(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let images = lineage.facts.images.known();
    let mut images = images.map(Vec::as_slice).unwrap_or_default().iter();
    let Some(image) = images.find(|it| Some(&it.id) == owner.image.as_ref()) else {
        return;
    };
    for code in &owner.boot.product_codes {
        if !image.boot.product_codes.contains(code) {
            plan.note(format!(
                "{} has the AWS Marketplace product code {code}, its image has not: a data volume with it is \
                 attached to stopped instances only, so no replacement can get it",
                owner.id
            ));
        }
    }
}

/// Multi-Attach has no fencing, and a copy is not the volume that the other instances write to.
fn shared(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let volumes = lineage.facts.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let shared = volumes
        .iter()
        .filter(|it| it.settings.multi_attach && it.attached_to(&owner.id));
    let mut shared: Vec<&Volume> = shared.collect();
    shared.sort_by_key(|it| &it.id);
    for volume in shared {
        plan.note(format!(
            "{} is a Multi-Attach volume: a replacement shares it at once, while {} may still write; only \
             in {}",
            volume.id, owner.id, volume.availability_zone
        ));
    }
}

/// What keeping a private address costs, and where it cannot be kept.
fn private_address(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let address = owner.private_addresses.first();
    let (Some(_), Some(address)) = (asked::kept_interface(lineage), address) else {
        return;
    };
    let keep = format!("private address {address} of {}", owner.id);
    if launcher::why_not_ours(lineage).is_some() {
        if lineage.group_name().is_some() {
            plan.note(format!(
                "{keep} is not kept: an Auto Scaling group does not launch on an interface that exists"
            ));
        }
        return;
    }
    plan.note(format!(
        "{keep} is kept: its replacement is launched when it has ended, about two minutes after the warning"
    ));
    if owner.auto_public_address {
        plan.note(format!(
            "{keep} is kept, its public address is not, nor is there another one: EC2 gives those to new \
             interfaces only; an Elastic IP would stay"
        ));
    }
    if lineage.policy.instance_types.value == Types::Like {
        plan.note(format!(
            "{keep} is kept only by another {}: a type like it gets a new address",
            owner.instance_type
        ));
    }
}

/// Told by the name: "d – Instance store volumes", and the storage families.
/// <https://docs.aws.amazon.com/ec2/latest/instancetypes/instance-type-names.html>
pub fn has_instance_store(instance_type: &str) -> bool {
    let family = instance_type.split('.').next().unwrap_or_default();
    let series = family.trim_end_matches(|it: char| !it.is_ascii_digit());
    let options = &family[series.len()..];
    let series = series.trim_end_matches(|it: char| it.is_ascii_digit());
    options.contains('d') || matches!(series, "d" | "h" | "i" | "im" | "is" | "x")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn instance_store_is_told_by_the_name_of_the_type() {
        for with in [
            "m5d.large",
            "c6gd.metal",
            "i4i.large",
            "d3.xlarge",
            "r5dn.large",
            "g4dn.xlarge",
            "im4gn.large",
        ] {
            assert!(has_instance_store(with), "{with}");
        }
        for without in [
            "m5.large",
            "c7g.large",
            "r6i.metal",
            "t3.micro",
            "m7i-flex.large",
            "",
            "x",
        ] {
            assert!(!has_instance_store(without), "{without}");
        }
    }
}
