//! The names of our tags, and how a list fits into them.
//!
//! Tags are the only memory there is. A resource has at most 50, each value at most 256 characters
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>), so lists are packed:
//! several items in one value, separated by spaces, under `<key>-1`, `<key>-2`, …

pub mod keys;
pub mod limits;

pub use keys::*;

use crate::id::InstanceId;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Tags of one resource.
pub type Tags = BTreeMap<String, String>;

/// Every key of ours begins with this; the opt-in is the bare word.
pub const PREFIX: &str = "spot-rescue:";
/// The user's opt-in: `on` or `off`.
pub const OPT_IN: &str = "spot-rescue";

/// Set by EC2 on what is launched from a launch template; no other caller can set or edit it.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instances-from-launch-template.html>
pub const LAUNCHED_FROM: &str = "aws:ec2launchtemplate:id";

/// Set by Auto Scaling on its members, and removed when one is detached; no other caller can set it.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html>
pub const GROUP_MEMBER: &str = "aws:autoscaling:groupName";

/// Set by EC2 on what an EC2 Fleet of any type launches, our own `instant` ones included.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>
pub const FLEET_MEMBER: &str = "aws:ec2:fleet-id";

/// Set by EC2 on what a Spot Fleet launches.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/manage-spot-fleet.html>
pub const SPOT_FLEET_MEMBER: &str = "aws:ec2spot:fleet-request-id";

/// The user has opted in. Another value than exactly this one is not understood.
#[must_use]
pub fn opts_in(tags: &Tags) -> bool {
    tags.get(OPT_IN).is_some_and(|it| it == "on")
}

/// The name of the launch template that is a lineage's prepared rescue.
#[must_use]
pub fn template_name(lineage: &InstanceId) -> String {
    format!("spot-rescue-{lineage}")
}

/// The names it may have, in this order: names are unique, and another's template may bear the first.
#[must_use]
pub fn template_names(lineage: &InstanceId) -> [String; 3] {
    let first = template_name(lineage);
    [first.clone(), format!("{first}-2"), format!("{first}-3")]
}

/// The lineage that a prepared rescue of this name is of.
#[must_use]
pub fn lineage_of(name: &str) -> Option<InstanceId> {
    let id = name.strip_prefix("spot-rescue-")?;
    let ends = ["-2", "-3"].iter().find_map(|it| id.strip_suffix(it));
    ends.unwrap_or(id).parse().ok()
}

/// The tag that proves the value of another one, where that has to stay as it is: AWS is asked for it by its
/// value, or it leaves no room.
#[must_use]
pub fn proof_of(key: &str) -> String {
    format!("{key}{PROOF}")
}

const PROOF: &str = "-seal";

/// It proves another one.
#[must_use]
pub fn is_proof(key: &str) -> bool {
    key.starts_with(PREFIX) && key.ends_with(PROOF)
}

/// Keys that only this function writes. Users' keys are in the table of `policy`.
#[must_use]
pub fn is_own(key: &str) -> bool {
    is_proof(key) || keys::of(key).is_some()
}

/// `<key>-<n>`
#[must_use]
pub fn is_numbered(key: &str, list: &str) -> bool {
    key.strip_prefix(list)
        .is_some_and(|it| digits(it).is_some())
}

/// What follows the name of a list.
/// The KMS keys that the stack's user has named, by ARN.
pub fn kms_keys(defaults: &Tags) -> impl Iterator<Item = &str> {
    let all = defaults.get(KMS_KEYS).map(|it| it.split(','));
    let words = all.into_iter().flatten().map(str::trim);
    words.filter(|it| !it.is_empty())
}

/// Whether the stack has a rule by which the Recycle Bin keeps data volumes that are deleted.
#[must_use]
pub fn recycles(defaults: &Tags) -> bool {
    let days = defaults.get(RECYCLE_BIN).map(|it| it.parse::<u8>());
    matches!(days, Some(Ok(1..)))
}

fn digits(rest: &str) -> Option<&str> {
    let n = rest.strip_prefix('-')?;
    (!n.is_empty() && n.bytes().all(|byte| byte.is_ascii_digit())).then_some(n)
}

/// A value has its seal behind it.
const VALUE_LIMIT: usize = limits::LONGEST - limits::SEAL;

/// Packs items, none with a space inside, into as few tags as hold them.
#[must_use]
pub fn pack(list: &str, items: impl IntoIterator<Item: Into<String>>) -> Tags {
    let mut values: Vec<String> = Vec::new();
    for item in items.into_iter().map(Into::into) {
        match values.last_mut() {
            Some(value) if value.len() + 1 + item.len() <= VALUE_LIMIT => {
                value.push(' ');
                value.push_str(&item);
            }
            _ => values.push(item),
        }
    }
    values
        .into_iter()
        .zip(1..)
        .map(|(value, n)| (format!("{list}-{n}"), value))
        .collect()
}

/// What [`pack`] packed, in its order.
pub fn unpack<'a>(list: &str, tags: &'a Tags) -> impl Iterator<Item = &'a str> + use<'a> {
    let from = (Bound::Included(list), Bound::Unbounded);
    let named = tags.range::<str, _>(from);
    let named = named.map_while(|(key, value)| Some((key.strip_prefix(list)?, value.as_str())));
    let number = |rest| digits(rest)?.parse::<u32>().ok();
    let numbered = named.filter_map(|(rest, value)| Some((number(rest)?, value)));
    let mut numbered: Vec<(u32, &str)> = numbered.collect();
    numbered.sort_unstable();
    let values = numbered.into_iter();
    values.flat_map(|(_, it)| it.split_ascii_whitespace())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_long_list_is_spread_over_several_tags_and_read_back_in_order() {
        let items: Vec<String> = (0..100)
            .map(|n| format!("vol-{n:017x}=/dev/sd{n}"))
            .collect();
        let tags = pack(VOLUMES, items.clone());
        assert!(tags.len() >= 10 && tags.values().all(|value| value.len() <= 256));
        assert_eq!(unpack(VOLUMES, &tags).collect::<Vec<_>>(), items);
    }

    #[test]
    fn the_volume_settings_are_not_mistaken_for_a_list() {
        assert!(!is_numbered(VOLUME, VOLUMES) && is_numbered("spot-rescue:volume-12", VOLUMES));
        assert!(!is_numbered("spot-rescue:volume-", VOLUMES));
    }
}
