//! The names of our tags, and how a list fits into them.
//!
//! Tags are the only memory there is. A resource has at most 50, each value at most 256 characters
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>), so lists are packed:
//! several items in one value, separated by spaces, under `<key>-1`, `<key>-2`, …

pub mod limits;

use crate::id::InstanceId;
use std::collections::BTreeMap;
use std::ops::Bound;

/// Tags of one resource.
pub type Tags = BTreeMap<String, String>;

/// Every key of ours begins with this; the opt-in is the bare word.
pub const PREFIX: &str = "spot-rescue:";
/// The user's opt-in: `on` or `off`.
pub const OPT_IN: &str = "spot-rescue";
/// The rescue (lineage) a resource belongs to: the id of the lineage's first instance.
pub const RESCUE: &str = "spot-rescue:rescue";
/// On an instance: the launch template that is its prepared rescue.
pub const PREPARED: &str = "spot-rescue:prepared";
/// On a replacement: the instance it replaces.
pub const REPLACES: &str = "spot-rescue:replaces";
/// On a replacement we have launched ourselves: the token of its launch and the instance it replaces. Given at the
/// launch, and never afterwards. What has it may be ended by us, if it never took over.
pub const LAUNCHED: &str = "spot-rescue:launched";
/// The tombstone: which instance, when, how. On the instance and on the launch template.
pub const INTERRUPTED_AT: &str = "spot-rescue:interrupted-at";
/// On the launch template: the instance that owns disks, targets and addresses now.
pub const HEAD: &str = "spot-rescue:head";
/// On the launch template: zone, subnet and type of the head.
pub const PLACE: &str = "spot-rescue:place";
/// How many launches have failed, or led to a spare that is gone, and for whom. On the launch template.
pub const ATTEMPTS: &str = "spot-rescue:attempts";
/// On the launch template: replacements of ours that have no room for marks of their own.
pub const MEMBERS: &str = "spot-rescue:member";
/// On the launch template: volumes that have no room for an expiry of their own, and when they may go.
pub const EXPIRES: &str = "spot-rescue:expires";
/// On the launch template: the Auto Scaling group the lineage belongs to.
pub const GROUP: &str = "spot-rescue:group";
/// On the launch template: pools (type, subnet, market) that had no capacity, when, and why.
pub const FAILED_POOLS: &str = "spot-rescue:failed-pool";
/// On the launch template and the instance: when which instance of the lineage was interrupted.
pub const HISTORY: &str = "spot-rescue:history";
/// On the launch template and the instance: what the head's type is like.
pub const SHAPE: &str = "spot-rescue:shape";
/// On the launch template: the member that has left its group for good, the group being smaller for it.
pub const LEFT_GROUP: &str = "spot-rescue:left-group";
/// On the launch template: the newest replacement that ended before it took over, and how many died booting.
pub const DIED: &str = "spot-rescue:died";
/// On the launch template: what AWS said when it last refused a launch, for a person.
pub const REFUSAL: &str = "spot-rescue:refusal";
/// On the launch template: the version after which one without CPU options and with IMDSv2 required was written, since
/// launches were refused, and when.
pub const PLAIN: &str = "spot-rescue:plain";
/// On the launch template: milestones of the rescue, in seconds since the interruption.
pub const PROGRESS: &str = "spot-rescue:progress";
/// What was foreseen for the head: which instance, when, and on what date. On the launch template; on
/// the instance once launches have been made for it that a warning must know of.
pub const AT_RISK: &str = "spot-rescue:at-risk";
/// On the launch template: the stand-in that could not give way to Spot, since when, and why.
pub const STAYS: &str = "spot-rescue:stays";
/// On the launch template: the head's Spot Instance request, its type and interruption behaviour.
pub const REQUEST: &str = "spot-rescue:request";
/// On volumes a copy stands for: their instance came back after it had been replaced, and may have
/// written to them since.
pub const RAN_AGAIN: &str = "spot-rescue:ran-again";
/// On volumes and snapshots: the device name inside the instance.
pub const DEVICE: &str = "spot-rescue:device";
/// On volumes and snapshots: settings a snapshot does not remember.
pub const VOLUME: &str = "spot-rescue:volume";
/// On a restored volume or a clone: the volume it stands for.
pub const COPY_OF: &str = "spot-rescue:copy-of";
/// On a restored volume: the snapshot it was made from.
pub const RESTORED_FROM: &str = "spot-rescue:restored-from";
/// On a snapshot: how often and when last a volume was to be made of it.
pub const RESTORE: &str = "spot-rescue:restore";
/// Among the stack's defaults, and nowhere else: the KMS keys its user has named.
pub const KMS_KEYS: &str = "spot-rescue:kms-keys";
/// The same: roles that a replacement may have, types, subnets, and target groups that it may join.
pub const INSTANCE_ROLES: &str = "spot-rescue:instance-roles";
pub const ALLOWED_TYPES: &str = "spot-rescue:allowed-types";
pub const ALLOWED_SUBNETS: &str = "spot-rescue:allowed-subnets";
pub const ALLOWED_TARGET_GROUPS: &str = "spot-rescue:target-groups";
/// On a clone: the instance it was given to. From then on it is newer than its source.
pub const TAKEN_BY: &str = "spot-rescue:taken-by";
/// On snapshots: the set they belong to.
pub const SET: &str = "spot-rescue:set";
/// A safety copy, or a spare, that may go after this moment.
pub const EXPIRES_AT: &str = "spot-rescue:expires-at";
/// On the launch template: the name that follows, the head's public address, and whether the name has been
/// looked up since that was so.
pub const NAMED: &str = "spot-rescue:named";
/// On the launch template: the version that is launched, and the one before it, both of our making, and the fingerprint
/// of the first.
pub const VERSION: &str = "spot-rescue:version";
/// On the launch template: changes when a replacement would have to be launched differently.
pub const FINGERPRINT: &str = "spot-rescue:fingerprint";
/// On the launch template of an instance whose root is to be kept: its image, and what an image made of
/// the root's snapshot must say.
pub const ORIGINAL: &str = "spot-rescue:original";
/// On the launch template: how many requests to replace the successor's root were refused.
pub const SWAPS: &str = "spot-rescue:swaps";
/// On a root volume that was to be kept and could not be: why. It has no expiry.
pub const KEPT: &str = "spot-rescue:kept";
/// On the launch template: what the name that follows has been pointed at, and what it said before.
pub const POINTED: &str = "spot-rescue:pointed";
/// On the launch template: whose private address is not kept although that was asked for, since when, and
/// why.
pub const ADDRESS_LOST: &str = "spot-rescue:address-lost";
/// On the launch template: since when its owner lacks targets or addresses that it is to have.
pub const OWED_SINCE: &str = "spot-rescue:owed-since";
/// On the launch template: what the owner had got and lost since the last sweep when it was interrupted.
pub const CHANGED: &str = "spot-rescue:changed";
/// Packed lists, on the launch template and partly on the instance.
pub const VOLUMES: &str = "spot-rescue:volume";
pub const TARGETS: &str = "spot-rescue:target";
/// On the launch template: `ip` targets of successors, until one of them owns everything.
pub const SERVED: &str = "spot-rescue:served";
/// On the launch template: targets that are to be registered still, after the rescue.
pub const OWED: &str = "spot-rescue:owed";
pub const ADDRESSES: &str = "spot-rescue:address";
/// On the launch template: Elastic IPs that are to be associated still, after the rescue.
pub const OWED_ADDRESSES: &str = "spot-rescue:owed-address";
pub const PRIVATE_ADDRESSES: &str = "spot-rescue:private-address";
pub const INTERFACES: &str = "spot-rescue:interface";
/// Secondary private addresses of the primary interface.
pub const SECONDARY: &str = "spot-rescue:secondary";

/// Set by EC2 on what is launched from a launch template; nobody can set or edit it.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/launch-instances-from-launch-template.html>
pub const LAUNCHED_FROM: &str = "aws:ec2launchtemplate:id";

/// Set by Auto Scaling on its members, and taken away from who is detached; nobody else can set it.
/// <https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-tagging.html>
pub const GROUP_MEMBER: &str = "aws:autoscaling:groupName";

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
    const OWN: &[&str] = &[
        RESCUE,
        PREPARED,
        REPLACES,
        LAUNCHED,
        INTERRUPTED_AT,
        HEAD,
        PLACE,
        GROUP,
        LEFT_GROUP,
        ATTEMPTS,
        PROGRESS,
        AT_RISK,
        STAYS,
        REQUEST,
        RAN_AGAIN,
        DEVICE,
        VOLUME,
        COPY_OF,
        RESTORED_FROM,
        DIED,
        REFUSAL,
        PLAIN,
        OWED_SINCE,
        TAKEN_BY,
        RESTORE,
        KMS_KEYS,
        INSTANCE_ROLES,
        ALLOWED_TYPES,
        ALLOWED_SUBNETS,
        ALLOWED_TARGET_GROUPS,
        SET,
        EXPIRES_AT,
        FINGERPRINT,
        VERSION,
        NAMED,
        KEPT,
        ORIGINAL,
        SHAPE,
        SWAPS,
        ADDRESS_LOST,
    ];
    OWN.contains(&key)
        || is_proof(key)
        || [
            VOLUMES,
            TARGETS,
            SERVED,
            OWED,
            OWED_ADDRESSES,
            ADDRESSES,
            PRIVATE_ADDRESSES,
            FAILED_POOLS,
            HISTORY,
            MEMBERS,
            EXPIRES,
            POINTED,
            CHANGED,
            INTERFACES,
            SECONDARY,
        ]
        .iter()
        .any(|list| is_numbered(key, list))
}

/// `<key>-<n>`
#[must_use]
pub fn is_numbered(key: &str, list: &str) -> bool {
    key.strip_prefix(list)
        .is_some_and(|it| digits(it).is_some())
}

/// What follows the name of a list.
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
