//! Notes and advice about the KMS keys of encrypted volumes.
//!
//! A volume does not show whether its key is customer managed; the stack's parameter names the keys that the function
//! may use. <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html>

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::volumes::unusable;
use crate::situation::{Instance, VolumeSettings};
use crate::tags;
use std::collections::{BTreeMap, BTreeSet};

/// The AWS managed key, as `GetEbsDefaultKmsKeyId` names it.
const MANAGED: &str = "alias/aws/ebs";

/// The keys the stack may use.
fn named<'a>(lineage: &'a Lineage) -> impl Iterator<Item = &'a str> {
    tags::kms_keys(&lineage.inputs.defaults)
}

/// What to do about a volume that could not be created. Empty for a volume without encryption.
pub fn advice(lineage: &Lineage, settings: &VolumeSettings) -> String {
    let Some(key) = &settings.kms_key else {
        return String::new();
    };
    if let Some(remedy) = unusable::remedy(lineage, key) {
        return format!("; it is encrypted with {key}: {remedy}");
    }
    let is_named = named(lineage).any(|it| it == key);
    let first = if is_named {
        "allow"
    } else {
        "name it in the stack's parameter KmsKeyArns, and allow"
    };
    format!("; it is encrypted with {key}: {first} the function's role in the key's policy")
}

/// Notes keys of the owner's volumes that the stack does not name. The AWS managed key needs no permission, so the note
/// leaves that open.
pub fn unnamed(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let volumes = lineage.facts.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let mut unnamed: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for volume in volumes.iter().filter(|it| it.attached_to(&owner.id)) {
        let key = volume.settings.kms_key.as_deref();
        if let Some(key) = key.filter(|key| named(lineage).all(|it| it != *key)) {
            unnamed.entry(key).or_default().insert(volume.id.as_str());
        }
    }
    for (key, volumes) in unnamed {
        let volumes = Vec::from_iter(volumes).join(" ");
        plan.note(format!(
            "encrypted with {key}: {volumes}; unless that is the AWS managed key (aws/ebs), name it in the \
             stack's parameter KmsKeyArns, or no replacement can use them"
        ));
    }
}

/// TRAP 49: in an account with encryption by default, a new volume of an unencrypted one gets the default key, and an
/// instance that is launched with a key it may not use dies while booting.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html>
pub fn unnamed_default(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(Some(key)) = lineage.facts.default_key.known() else {
        return;
    };
    if key.ends_with(MANAGED) || named(lineage).any(|it| it == key) {
        return;
    }
    let volumes = lineage.facts.volumes.known().into_iter().flatten();
    let bare = volumes.filter(|it| it.attached_to(&owner.id) && it.settings.kms_key.is_none());
    let ids: BTreeSet<&str> = bare.map(|it| it.id.as_str()).collect();
    if !ids.is_empty() {
        plan.note(format!(
            "the account encrypts new volumes with {key}, so what is made again of {} is encrypted with it: name it \
             in the stack's parameter KmsKeyArns, and allow the function's role in the key's policy, or no \
             replacement boots",
            Vec::from_iter(ids).join(" ")
        ));
    }
}

/// What to do about the key of the root volume.
pub fn advice_for_root(lineage: &Lineage) -> String {
    let root = root_settings(lineage);
    root.map(|it| advice(lineage, it)).unwrap_or_default()
}

fn root_settings<'a>(lineage: &Lineage<'a>) -> Option<&'a VolumeSettings> {
    let root = lineage.record.volumes.iter().find(|it| it.root)?;
    let volumes = lineage.facts.volumes.known()?;
    let volume = volumes.iter().find(|it| it.id == root.volume)?;
    Some(&volume.settings)
}
