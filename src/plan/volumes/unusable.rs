//! Keys of the owner's volumes that KMS does not let anything be encrypted with: disabled, about to be deleted, gone.
//!
//! The instance does not notice: EC2 has the data key of what is attached. A detached volume cannot be attached again,
//! and a new one cannot be made, so a rescue would end without its data. AWS answers a launch and `CreateVolume` before
//! it asks KMS, so no dry run shows that.
//! <https://docs.aws.amazon.com/kms/latest/developerguide/unusable-kms-keys.html>

use crate::plan::lineage::Lineage;
use crate::record::Caveat;
use crate::situation::{KeyState, Volume};
use crate::tags;

/// A caveat of a key is called by the last part of its ARN, `key/<id>`.
const KEY: &str = "key/";

fn name(arn: &str) -> &str {
    arn.rsplit(':').next().unwrap_or(arn)
}

/// The keys in use that cannot be used any more, for the record.
pub fn caveats<'a>(lineage: &'a Lineage) -> impl Iterator<Item = Caveat> + use<'a> {
    let read = lineage.facts.keys.known().into_iter().flatten();
    let unusable = read.filter(|it| *it.1 != KeyState::Usable);
    let in_use = unusable.filter(|(arn, _)| !volumes(lineage, arn).is_empty());
    in_use.map(|(arn, state)| Caveat::new(name(arn), state.as_str()))
}

/// Whether a caveat on record stays because its key, which the stack still names, or the volumes could not be read. None
/// if it is of no key.
pub fn stays(lineage: &Lineage, caveat: &Caveat) -> Option<bool> {
    if !caveat.what.starts_with(KEY) {
        return None;
    }
    let mut named = tags::kms_keys(&lineage.inputs.defaults);
    let arn = named.find(|it| name(it) == caveat.what);
    let is_read = |arn| {
        lineage
            .facts
            .keys
            .known()
            .is_some_and(|it| it.contains_key(arn))
    };
    let unread = lineage.facts.volumes.known().is_none();
    Some(arn.is_some_and(|it| unread || !is_read(it)))
}

/// The key, its state, what is encrypted with it, and what to do.
pub fn told(lineage: &Lineage, caveat: &Caveat) -> Option<String> {
    let read = lineage.facts.keys.known()?;
    let (arn, state) = read.iter().find(|(arn, _)| name(arn) == caveat.what)?;
    Some(format!(
        "{arn} is {}, and encrypts {}: once detached, none of that can be attached, copied or restored; {}",
        state.as_str(),
        volumes(lineage, arn).join(" "),
        state.remedy()
    ))
}

/// What to do about this key by what is on record of it. In a rescue its state is not read.
pub fn remedy(lineage: &Lineage, arn: &str) -> Option<String> {
    let mut all = lineage.record.rehearsed.caveats.iter();
    let caveat = all.find(|it| it.what == name(arn))?;
    let state = KeyState::of(&caveat.code);
    (state != KeyState::Usable).then(|| format!("it was {}: {}", caveat.code, state.remedy()))
}

/// The owner's volumes with this key. Of those without one, new ones get the default key, if the account has one.
fn volumes<'a>(lineage: &'a Lineage, arn: &str) -> Vec<&'a str> {
    let default = lineage.facts.default_key.known().and_then(Option::as_deref);
    let uses = |it: &Volume| it.settings.kms_key.as_deref().or(default) == Some(arn);
    let Some(owner) = lineage.owner else {
        return Vec::new();
    };
    let all = lineage.facts.volumes.known().into_iter().flatten();
    let held = all.filter(|it| it.attached_to(&owner.id) && uses(it));
    let mut ids: Vec<&str> = held.map(|it| it.id.as_str()).collect();
    ids.sort_unstable();
    ids
}
