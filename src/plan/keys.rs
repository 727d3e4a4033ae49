//! KMS keys of encrypted volumes: what cannot be used is told with the key, and what to do about it.
//!
//! Whether a key is customer managed is not to be seen on a volume; the stack knows which ones its user
//! has named. <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html>

use super::{Lineage, Plan};
use crate::id::InstanceId;
use crate::situation::{Instance, Template, VolumeSettings};
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};

/// "Client.InternalError: A client error caused the instance to terminate during launch", which is
/// what becomes of an instance whose volume EC2 may not decrypt.
/// <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html>
const DIED_BOOTING: &str = "Client.InternalError";
/// So many replacements may die of it before launching rests.
const DEATHS: usize = 3;

/// The keys the stack may use.
fn named<'a>(lineage: &'a Lineage) -> impl Iterator<Item = &'a str> {
    let all = lineage.situation.defaults.get(tags::KMS_KEYS);
    let words = all.map(|it| it.split(',')).into_iter().flatten();
    words.map(str::trim).filter(|it| !it.is_empty())
}

/// What to do about a volume that did not come to be. Nothing to say without encryption.
pub fn advice(lineage: &Lineage, settings: &VolumeSettings) -> String {
    let Some(key) = &settings.kms_key else {
        return String::new();
    };
    let is_named = named(lineage).any(|it| it == key);
    let first = if is_named {
        "allow"
    } else {
        "name it in the stack's parameter KmsKeyArns, and allow"
    };
    format!("; it is encrypted with {key}: {first} the function's role in the key's policy")
}

/// While all is well: keys nobody has named. The AWS managed key needs no permission, so this is said
/// as a question.
pub fn unnamed(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let volumes = lineage.situation.volumes.known();
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

/// Replacements die again and again while they boot: another one would, too. Those that died are
/// forgotten by EC2 within the hour; then it is tried again.
pub fn launching_is_vain(lineage: &Lineage, plan: &mut Plan) -> bool {
    let died = |it: &&&Instance| it.state_reason.as_deref() == Some(DIED_BOOTING);
    let after = lineage.owner.map(|it| it.launch_time);
    let replaces = |it: &&&Instance| {
        let later = after.is_none_or(|after| it.launch_time >= after);
        later && it.tags.contains_key(tags::REPLACES)
    };
    let mut dead = lineage.members.iter().filter(replaces).filter(died);
    let deaths = dead.clone().count();
    if let Some(newest) = dead.next_back() {
        remember(lineage, newest, plan);
        let root = root_settings(lineage);
        let advice = root.map(|it| advice(lineage, it)).unwrap_or_default();
        plan.note(format!(
            "{deaths} replacement(s) died while booting ({DIED_BOOTING}), mostly for want of a KMS key of the \
             root volume{advice}"
        ));
    }
    if deaths >= DEATHS {
        plan.wait(600, "replacements that do not die while they boot");
    }
    deaths >= DEATHS
}

/// A launch's token is made of whom it replaces. Once EC2 has forgotten those that died, nobody is left
/// but the head, and its token would only name the first of them again.
fn remember(lineage: &Lineage, newest: &Instance, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        return;
    };
    if template.tags.get(tags::DIED).map(String::as_str) == Some(newest.id.as_str()) {
        return;
    }
    let action = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: Tags::from([(tags::DIED.to_owned(), newest.id.to_string())]),
    };
    plan.step(Step::new("remember who died booting", action));
}

/// Who died was to replace the last owner. The request for it has brought the new one: it must not be
/// sent again when that one is to be replaced.
pub fn handed_over(template: &Template, successor: &Instance) -> Option<(String, String)> {
    let stands = template.tags.contains_key(tags::DIED);
    stands.then(|| (tags::DIED.to_owned(), successor.id.to_string()))
}

/// Whom a replacement is launched for: the newest that is seen, or, where only the head is, the one
/// that died booting.
pub fn replaced(lineage: &Lineage, seen: &InstanceId) -> InstanceId {
    let head = lineage.record.head.as_ref() == Some(seen);
    let died = || lineage.template()?.tags.get(tags::DIED)?.parse().ok();
    head.then(died).flatten().unwrap_or_else(|| seen.clone())
}

fn root_settings<'a>(lineage: &Lineage<'a>) -> Option<&'a VolumeSettings> {
    let root = lineage.record.volumes.iter().find(|it| it.root)?;
    let volumes = lineage.situation.volumes.known()?;
    let volume = volumes.iter().find(|it| it.id == root.volume)?;
    Some(&volume.settings)
}
