//! Every tag of ours, once: what it says, on what it stands, since when, and what becomes of it where there is no room.
//!
//! What writes, reads, sheds, protects or explains a tag asks this table. `docs/TAGS.md` and the service control policy
//! are made of it.

use On::{Image, Instance, Interface, LaunchTemplate, Nowhere, Snapshot, Volume};
use Since::{Always, Rescue};

/// One tag.
#[derive(Debug, Clone, Copy)]
pub struct Key {
    pub name: &'static str,
    pub form: Form,
    pub on: &'static [On],
    pub since: Since,
    pub rules: &'static [Rule],
    /// For a person: one sentence, or a few.
    pub says: &'static [&'static str],
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Under its name.
    Value,
    /// Packed into `<name>-1`, `<name>-2`, …
    List,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    Instance,
    LaunchTemplate,
    Volume,
    Snapshot,
    Image,
    Interface,
    /// A setting of the stack that is passed on like a tag.
    Nowhere,
}

impl On {
    /// By the id of a resource.
    #[must_use]
    pub fn of_id(id: &str) -> Option<Self> {
        match id.split_once('-')?.0 {
            "i" => Some(Instance),
            "lt" => Some(LaunchTemplate),
            "vol" => Some(Volume),
            "snap" => Some(Snapshot),
            "ami" => Some(Image),
            "eni" => Some(Interface),
            _ => None,
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Since {
    /// While all is well, too.
    Always,
    /// Written as it happens, gone when it is over.
    Rescue,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// Of the marks of an instance: the smaller the number, the sooner it finds a place.
    Mark(usize),
    /// The same of what an instance has a copy of, of its record or of what that is about.
    Repeats(usize),
    /// On an instance when something happens: places are kept for them.
    Passing,
    /// The record does without it where there is no room: the larger the number, the sooner.
    Shed(usize),
    /// The first of them stays.
    ShedBeyondFirst(usize),
    /// What is in it is not forgotten at first sight.
    Guarded,
}

use Rule::{Guarded, Mark, Passing, Repeats, Shed, ShedBeyondFirst};

macro_rules! keys {
    ($($(#[doc = $says:literal])+ $name:ident = $word:literal: $form:ident on $on:tt $since:ident $rules:tt)+) => {
        $($(#[doc = $says])+ pub const $name: &str = concat!("spot-rescue:", $word);)+

        /// In the order of the documentation.
        pub const KEYS: &[Key] = &[$(Key {
            name: $name,
            form: Form::$form,
            on: &$on,
            since: $since,
            rules: &$rules,
            says: &[$($says),+],
        }),+];
    };
}

keys! {
    /// The rescue (lineage) a resource belongs to: the id of the lineage's first instance.
    RESCUE = "rescue": Value on [Instance, LaunchTemplate, Volume, Snapshot, Image, Interface] Always [Mark(1)]
    /// The launch template that is its prepared rescue, and the version that is launched.
    PREPARED = "prepared": Value on [Instance] Always [Mark(0)]
    /// On a replacement: the instance it replaces.
    REPLACES = "replaces": Value on [Instance] Always []
    /// On a replacement that the function launched: the token of its launch and the instance it replaces. Set at the
    /// launch, and never afterwards. The function may end an instance with this tag, if it never took over.
    LAUNCHED = "launched": Value on [Instance] Always []
    /// The tombstone: which instance, when, how; on the launch template also how far the first look at it has come.
    INTERRUPTED_AT = "interrupted-at": Value on [Instance, LaunchTemplate] Rescue [Passing]
    /// The instance that owns disks, targets and addresses now.
    HEAD = "head": Value on [LaunchTemplate] Always []
    /// Zone, subnet and type of the head.
    PLACE = "place": Value on [Instance, LaunchTemplate] Always [Repeats(3)]
    /// The Auto Scaling group the lineage belongs to.
    GROUP = "group": Value on [Instance, LaunchTemplate] Always [Repeats(2), Guarded]
    /// The fleet that launched the head, and replaces it by itself.
    FLEET = "fleet": Value on [LaunchTemplate] Always []
    /// Properties of the head's instance type.
    SHAPE = "shape": Value on [Instance, LaunchTemplate] Always [Repeats(4), Shed(5)]
    /// Its volumes, each with its device and whether it is deleted with the instance.
    VOLUMES = "volume": List on [Instance, LaunchTemplate] Always [Guarded]
    /// Its targets: target group, id, port.
    TARGETS = "target": List on [Instance, LaunchTemplate] Always [Repeats(5), Shed(0), Guarded]
    /// Targets that an orchestrator registers for a task of its own: they are not registered for a replacement.
    LEFT_TARGETS = "left-target": List on [LaunchTemplate] Always []
    /// Its Elastic IPs.
    ADDRESSES = "address": List on [Instance, LaunchTemplate] Always [Repeats(6), Guarded]
    /// Its network interfaces beyond the primary one; the primary one as well if its address is to be kept.
    INTERFACES = "interface": List on [Instance, LaunchTemplate] Always [Repeats(7), Guarded]
    /// Past interruptions: which instance of the lineage, and when.
    HISTORY = "history": List on [Instance, LaunchTemplate] Always [Repeats(8), ShedBeyondFirst(6)]
    /// Its private addresses, in its own order.
    PRIVATE_ADDRESSES = "private-address": List on [LaunchTemplate] Always [Shed(3)]
    /// Network settings that the prepared rescue leaves out, for a launch on an existing interface: whether there is
    /// a public address (`public`, `private`, `open`), and the security groups.
    NETWORK = "network": List on [LaunchTemplate] Always []
    /// Secondary private addresses of the primary interface.
    SECONDARY = "secondary": List on [LaunchTemplate] Always [Shed(4)]
    /// The head's Spot Instance request, its type and interruption behaviour.
    REQUEST = "request": Value on [LaunchTemplate] Always []
    /// Only of an instance that keeps its root or has lost its image: its image, and what an image made of the root's
    /// snapshot must say.
    ORIGINAL = "original": Value on [LaunchTemplate] Always []
    /// The DNS name that follows, the head's public address, and whether the name has been looked up for that
    /// address.
    NAMED = "named": Value on [LaunchTemplate] Always []
    /// The version that is launched and the one before it, both written by the function, and the fingerprint of the
    /// first.
    VERSION = "version": Value on [LaunchTemplate] Always []
    /// Changes when a replacement would have to be launched differently.
    FINGERPRINT = "fingerprint": Value on [LaunchTemplate] Always []
    /// The version that was last rehearsed, and when every step of it was last answered.
    REHEARSED = "rehearsed": Value on [LaunchTemplate] Always [Shed(8)]
    /// What a warning would be refused, and by which code.
    CAVEATS = "caveat": List on [LaunchTemplate] Always [Shed(9)]
    /// Replacements without room for marks of their own.
    MEMBERS = "member": List on [LaunchTemplate] Always []
    /// Volumes without room for an expiry of their own, and when they may be deleted.
    EXPIRES = "expires": List on [LaunchTemplate] Always []
    /// What was foreseen for the head: which instance, when, and on what date. On the instance, once a launch was
    /// made for it that a warning must know of.
    AT_RISK = "at-risk": Value on [Instance, LaunchTemplate] Rescue [Passing]
    /// How many launches have failed, or led to a spare that is gone, and for which instance.
    ATTEMPTS = "attempts": Value on [LaunchTemplate] Rescue []
    /// Pools (type, subnet, market) that had no capacity, when, and why.
    FAILED_POOLS = "failed-pool": List on [LaunchTemplate] Rescue []
    /// AWS's message when it last refused a launch, for a person.
    REFUSAL = "refusal": Value on [LaunchTemplate] Rescue []
    /// After refused launches: the version that a new one, without CPU options and with IMDSv2 required, is made
    /// from, and when that was decided.
    PLAIN = "plain": Value on [LaunchTemplate] Rescue []
    /// The same for the version with network settings, written when the private address was given up.
    NETWORKED = "networked": Value on [LaunchTemplate] Rescue []
    /// The newest replacement that ended before it took over, and how many died booting.
    DIED = "died": Value on [LaunchTemplate] Rescue []
    /// Milestones of the rescue, in seconds since the interruption.
    PROGRESS = "progress": Value on [LaunchTemplate] Rescue []
    /// What the owner had gained and lost since the last sweep when it was interrupted.
    CHANGED = "changed": List on [LaunchTemplate] Rescue [Shed(7)]
    /// `ip` targets of successors, until one of them owns everything.
    SERVED = "served": List on [LaunchTemplate] Rescue [Shed(2)]
    /// Targets that are still to be registered after the rescue.
    OWED = "owed": List on [LaunchTemplate] Rescue [Shed(1)]
    /// Elastic IPs that are still to be associated after the rescue.
    OWED_ADDRESSES = "owed-address": List on [LaunchTemplate] Rescue []
    /// Since when its owner lacks such targets or addresses.
    OWED_SINCE = "owed-since": Value on [LaunchTemplate] Rescue []
    /// What the DNS name was pointed at in this rescue, and the address it had before.
    POINTED = "pointed": List on [LaunchTemplate] Rescue []
    /// The instance that has lost the private address it was to keep, since when, and why.
    ADDRESS_LOST = "address-lost": Value on [LaunchTemplate] Rescue []
    /// How many requests to replace the successor's root were refused.
    SWAPS = "swaps": Value on [LaunchTemplate] Rescue []
    /// The stand-in that could not give way to Spot, since when, and why.
    STAYS = "stays": Value on [LaunchTemplate] Rescue []
    /// The member that has left its group for good; the group has become smaller by it.
    LEFT_GROUP = "left-group": Value on [LaunchTemplate] Rescue []
    /// A safety copy, a spare, or the prepared rescue of a vanished instance: it may be deleted after this moment.
    EXPIRES_AT = "expires-at": Value on [Instance, LaunchTemplate, Volume, Snapshot, Image, Interface] Rescue [Passing]
    /// The device name inside the instance.
    DEVICE = "device": Value on [Volume, Snapshot] Always []
    /// Settings of the volume that a snapshot does not keep.
    VOLUME = "volume": Value on [Volume, Snapshot] Always []
    /// On a restored volume or a clone: the volume it stands for.
    COPY_OF = "copy-of": Value on [Volume] Rescue []
    /// On a restored volume: the snapshot it was made from.
    RESTORED_FROM = "restored-from": Value on [Volume] Rescue []
    /// On a clone: the instance it was given to. From then on it is newer than its source.
    TAKEN_BY = "taken-by": Value on [Volume] Rescue []
    /// On volumes a copy stands for: their instance came back after it had been replaced, and may have written to them
    /// since.
    RAN_AGAIN = "ran-again": Value on [Volume] Rescue []
    /// On a volume that stays with its user: why. It has no expiry.
    KEPT = "kept": Value on [Volume] Rescue []
    /// On snapshots: the set they belong to.
    SET = "set": Value on [Snapshot] Rescue []
    /// On a snapshot: how often and when last a volume was to be made of it.
    RESTORE = "restore": Value on [Snapshot] Rescue []
    /// Among the stack's defaults: the KMS keys its user has named.
    KMS_KEYS = "kms-keys": Value on [Nowhere] Always []
    /// The same: roles that a replacement may have.
    INSTANCE_ROLES = "instance-roles": Value on [Nowhere] Always []
    /// The same: types that it may have.
    ALLOWED_TYPES = "allowed-types": Value on [Nowhere] Always []
    /// The same: subnets that it may be launched in.
    ALLOWED_SUBNETS = "allowed-subnets": Value on [Nowhere] Always []
    /// The same: whether rescues are rehearsed.
    REHEARSAL = "rehearsal": Value on [Nowhere] Always []
    /// The same: target groups that it may join.
    ALLOWED_TARGET_GROUPS = "target-groups": Value on [Nowhere] Always []
}

/// The row of a key as it stands on a resource, its number included.
#[must_use]
pub fn of(key: &str) -> Option<&'static Key> {
    let names = |it: &&Key| match it.form {
        Form::Value => it.name == key,
        Form::List => super::is_numbered(key, it.name),
    };
    KEYS.iter().find(names)
}

/// What one of its rules says.
#[must_use]
pub fn rule<T>(key: &str, wanted: impl Fn(Rule) -> Option<T>) -> Option<T> {
    of(key)?.rules.iter().find_map(|it| wanted(*it))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn no_two_rows_say_the_same() {
        let names: BTreeSet<_> = KEYS
            .iter()
            .map(|it| (it.name, it.form == Form::List))
            .collect();
        assert_eq!(names.len(), KEYS.len());
        let ranks: Vec<Rule> = KEYS.iter().flat_map(|it| it.rules).copied().collect();
        for (place, rule) in ranks.iter().enumerate() {
            let alone = [Passing, Guarded].contains(rule) || !ranks[..place].contains(rule);
            assert!(alone, "{rule:?} twice");
        }
    }

    #[test]
    fn a_key_is_found_as_it_stands_on_a_resource() {
        assert_eq!(
            of("spot-rescue:volume").map(|it| it.form),
            Some(Form::Value)
        );
        assert_eq!(
            of("spot-rescue:volume-12").map(|it| it.form),
            Some(Form::List)
        );
        assert!(of("spot-rescue:target").is_none() && of("spot-rescue:data").is_none());
    }
}
