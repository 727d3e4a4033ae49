//! Every tag that the function writes, once: what it says, on what it stands, when it is written, read and removed, what
//! follows if an old value is put back, and what becomes of it where there is no room.
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
    /// None of a setting of the stack.
    pub life: Option<Life>,
}

/// When a tag is written, what reads it, when it goes, and what follows if a value that the function has written before
/// is put back: a seal does not tell its age.
#[derive(Debug, Clone, Copy)]
pub struct Life {
    pub written: &'static str,
    pub read: &'static str,
    pub gone: &'static str,
    pub put_back: &'static str,
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
    (@life) => {
        None
    };
    (@life $written:literal $read:literal $gone:literal $put_back:literal) => {
        Some(Life {
            written: $written,
            read: $read,
            gone: $gone,
            put_back: $put_back,
        })
    };
    ($($(#[doc = $says:literal])+ $name:ident = $word:literal: $form:ident on $on:tt $since:ident $rules:tt
        $(written $written:literal read $read:literal gone $gone:literal put_back $put_back:literal)?)+) => {
        $($(#[doc = $says])+ pub const $name: &str = concat!("spot-rescue:", $word);)+

        /// In the order of the documentation.
        pub const KEYS: &[Key] = &[$(Key {
            name: $name,
            form: Form::$form,
            on: &$on,
            since: $since,
            rules: &$rules,
            says: &[$($says),+],
            life: keys!(@life $($written $read $gone $put_back)?),
        }),+];
    };
}

keys! {
    /// The rescue (lineage) a resource belongs to: the id of the lineage's first instance.
    RESCUE = "rescue": Value on [Instance, LaunchTemplate, Volume, Snapshot, Image, Interface] Always [Mark(1)]
        written "when a rescue is prepared; at a launch; on every copy"
        read "to find what belongs to a lineage, once the seal holds"
        gone "with the resource"
        put_back "it names the lineage it named before: the resource was its own"
    /// The launch template that is its prepared rescue, and the version that is launched.
    PREPARED = "prepared": Value on [Instance] Always [Mark(0)]
        written "when the launch template has a version"
        read "at the warning, to launch in the second round trip"
        gone "with the instance"
        put_back "a version that exists no more is refused by EC2, and the record names the one that does"
    /// On a replacement: the instance it replaces.
    REPLACES = "replaces": Value on [Instance] Always []
        written "at the launch, sealed once the launch's answer is known"
        read "to tell a replacement from a stranger"
        gone "with the instance"
        put_back "it was true of this instance, and stays so"
    /// On a replacement that the function launched: the token of its launch and the instance it replaces. Set at the
    /// launch, and never afterwards. The function may end an instance with this tag, if it never took over.
    LAUNCHED = "launched": Value on [Instance] Always []
        written "at the launch"
        read "before a spare is ended"
        gone "with the instance"
        put_back "it is fixed at the launch"
    /// The tombstone: which instance, when, how; on the launch template also how far the first look at it has come.
    INTERRUPTED_AT = "interrupted-at": Value on [Instance, LaunchTemplate] Rescue [Passing]
        written "at the first look of an interruption"
        read "by each look, to go on with the rescue"
        gone "when the successor is well, or the instance is back"
        put_back "older than the last start it is stale; on an instance that runs on for ten minutes it is cleared"
    /// The instance that owns disks, targets and addresses now.
    HEAD = "head": Value on [LaunchTemplate] Always []
        written "when a rescue is prepared; at the end of each rescue"
        read "by each look: it says what owns disks, targets and addresses"
        gone "with the launch template"
        put_back "an earlier head lives no more, and EC2 shows that; its successor is found by its own sealed tags"
    /// Zone, subnet and type of the head.
    PLACE = "place": Value on [Instance, LaunchTemplate] Always [Repeats(3)]
        written "when a rescue is prepared; at the end of each rescue"
        read "at a launch"
        gone "with the launch template"
        put_back "a subnet and type that it ran in before; both pass the stack's limits again"
    /// The Auto Scaling group the lineage belongs to.
    GROUP = "group": Value on [Instance, LaunchTemplate] Always [Repeats(2), Guarded]
        written "when a rescue is prepared; before a member is detached"
        read "to ask Auto Scaling for the group"
        gone "when the head is in no group"
        put_back "Auto Scaling is asked whether it is a member"
    /// The fleet that launched the head, and replaces it by itself.
    FLEET = "fleet": Value on [LaunchTemplate] Always []
        written "when a rescue is prepared"
        read "before a launch, if the fleet cannot be read"
        gone "when the head is in no fleet"
        put_back "the fleet is asked first"
    /// Properties of the head's instance type.
    SHAPE = "shape": Value on [Instance, LaunchTemplate] Always [Repeats(4), Shed(5)]
        written "when a rescue is prepared, with `instance-types=like`"
        read "at a launch, to ask for types like it"
        gone "when the type is another"
        put_back "only that of the recorded type counts"
    /// Its volumes, each with its device and whether it is deleted with the instance.
    VOLUMES = "volume": List on [Instance, LaunchTemplate] Always [Guarded]
        written "when a rescue is prepared; at the first look; at the end"
        read "to bring volumes to the successor, with the user's flags"
        gone "with the launch template"
        put_back "the volumes of a while ago: what the living instance shows counts first, and nothing is taken from an instance that is not of the lineage"
    /// Its targets: target group, id, port.
    TARGETS = "target": List on [Instance, LaunchTemplate] Always [Repeats(5), Shed(0), Guarded]
        written "when a rescue is prepared; at the first look; at the end"
        read "to deregister at the warning, and to register the successor"
        gone "with the launch template"
        put_back "targets of a while ago: the first look corrects them by what the target groups show"
    /// Targets that an orchestrator registers for a task of its own: they are not registered for a replacement.
    LEFT_TARGETS = "left-target": List on [LaunchTemplate] Always []
        written "when a rescue is prepared; at the first look"
        read "before a target is registered"
        gone "at the end of the rescue"
        put_back "a target is registered, or left to the orchestrator"
    /// Its Elastic IPs.
    ADDRESSES = "address": List on [Instance, LaunchTemplate] Always [Repeats(6), Guarded]
        written "when a rescue is prepared; at the first look"
        read "to associate each Elastic IP again"
        gone "with the launch template"
        put_back "an address that something outside the lineage holds stays there"
    /// Its network interfaces beyond the primary one; the primary one as well if its address is to be kept.
    INTERFACES = "interface": List on [Instance, LaunchTemplate] Always [Repeats(7), Guarded]
        written "when a rescue is prepared; at the first look; at the end"
        read "to keep and move network interfaces"
        gone "with the launch template"
        put_back "an interface that something outside the lineage holds stays there"
    /// Past interruptions: which instance of the lineage, and when.
    HISTORY = "history": List on [Instance, LaunchTemplate] Always [Repeats(8), ShedBeyondFirst(6)]
        written "at each interruption"
        read "by the breaker, before a launch"
        gone "as many as have room; the oldest go"
        put_back "On-Demand comes first, or does not"
    /// Its private addresses, in its own order.
    PRIVATE_ADDRESSES = "private-address": List on [LaunchTemplate] Always [Shed(3)]
        written "when a rescue is prepared"
        read "to put each Elastic IP on its own private address; in notes"
        gone "with the launch template"
        put_back "another order of addresses"
    /// Network settings that the prepared rescue leaves out, for a launch on an existing interface: whether there is
    /// a public address (`public`, `private`, `open`), and the security groups.
    NETWORK = "network": List on [LaunchTemplate] Always []
        written "when a rescue is prepared, with `private-ip=keep`"
        read "at a launch that gives up the address"
        gone "with the launch template"
        put_back "security groups that it had before"
    /// Secondary private addresses of the primary interface.
    SECONDARY = "secondary": List on [LaunchTemplate] Always [Shed(4)]
        written "when a rescue is prepared; at the first look"
        read "to assign secondary addresses"
        gone "with the launch template"
        put_back "an address that is in use is refused by EC2"
    /// The head's Spot Instance request, its type and interruption behaviour.
    REQUEST = "request": Value on [LaunchTemplate] Always []
        written "when a rescue is prepared"
        read "before a spare is launched; to cancel a persistent request"
        gone "when the head has another request"
        put_back "only a request with our sealed mark is cancelled"
    /// Only of an instance that keeps its root or has lost its image: its image, and what an image made of the root's
    /// snapshot must say.
    ORIGINAL = "original": Value on [LaunchTemplate] Always []
        written "when a rescue is prepared, with `root=keep` or without its image"
        read "to make an image of the root"
        gone "when the image is there again"
        put_back "the image that the user chose before"
    /// The DNS name that follows, the head's public address, and whether the name has been looked up for that
    /// address.
    NAMED = "named": Value on [LaunchTemplate] Always []
        written "when a rescue is prepared"
        read "to point the DNS name at the replacement"
        gone "when no name follows"
        put_back "the record set is looked up before it is changed"
    /// The version that is launched and the one before it, both written by the function, and the fingerprint of the
    /// first.
    VERSION = "version": Value on [LaunchTemplate] Always []
        written "when a version is written, with the number that EC2 returned"
        read "at each launch"
        gone "with the launch template"
        put_back "an earlier version that the function wrote: versions before the last two are deleted"
    /// Changes when a replacement would have to be launched differently.
    FINGERPRINT = "fingerprint": Value on [LaunchTemplate] Always []
        written "with each version"
        read "when a rescue is prepared, to see whether it is still like the instance"
        gone "with the launch template"
        put_back "one version more is written"
    /// The version that was last rehearsed, and when every step of it was last answered.
    REHEARSED = "rehearsed": Value on [LaunchTemplate] Always [Shed(8)]
        written "after a rehearsal"
        read "to choose what is rehearsed next"
        gone "with the launch template"
        put_back "it is rehearsed once more, or six hours later"
    /// What a warning would be refused, and by which code.
    CAVEATS = "caveat": List on [LaunchTemplate] Always [Shed(9)]
        written "after a rehearsal"
        read "in notes for a person"
        gone "when the refusal is gone"
        put_back "a note that is out of date"
    /// Replacements without room for marks of their own.
    MEMBERS = "member": List on [LaunchTemplate] Always []
        written "when a replacement has no room for marks"
        read "to know it as a member"
        gone "when it is gone"
        put_back "an instance that the function launched before"
    /// Volumes without room for an expiry of their own, and when they may be deleted.
    EXPIRES = "expires": List on [LaunchTemplate] Always []
        written "when a volume has no room for an expiry"
        read "by the sweep, for two days"
        gone "two days after the date"
        put_back "the volume is gone, or its date is more than a day past and says nothing"
    /// What was foreseen for the head: which instance, when, and on what date. On the instance, once a launch was
    /// made for it that a warning must know of.
    AT_RISK = "at-risk": Value on [Instance, LaunchTemplate] Rescue [Passing]
        written "when an interruption is foreseen"
        read "before a launch, to look for a spare first"
        gone "when the head is another"
        put_back "a spare is looked for before anything is launched"
    /// How many launches have failed, or led to a spare that is gone, and for which instance.
    ATTEMPTS = "attempts": Value on [LaunchTemplate] Rescue []
        written "when a launch was refused or its answer is used up"
        read "in the token of the next launch"
        gone "when the head is another"
        put_back "an earlier token returns the instance that it returned before; the next number is taken"
    /// Pools (type, subnet, market) that had no capacity, when, and why.
    FAILED_POOLS = "failed-pool": List on [LaunchTemplate] Rescue []
        written "when a launch was refused"
        read "to choose the next pool"
        gone "when the rescue is over"
        put_back "a pool rests for three minutes more"
    /// AWS's message when it last refused a launch, for a person.
    REFUSAL = "refusal": Value on [LaunchTemplate] Rescue []
        written "when a launch was refused"
        read "in the outcome, for a person"
        gone "when the rescue is over"
        put_back "a note that is out of date"
    /// After refused launches: the version that a new one, without CPU options and with IMDSv2 required, is made
    /// from, and when that was decided.
    PLAIN = "plain": Value on [LaunchTemplate] Rescue []
        written "before the version is written"
        read "to know which version has no CPU options"
        gone "when the rescue is over"
        put_back "that version exists no more, and is written again"
    /// The same for the version with network settings, written when the private address was given up.
    NETWORKED = "networked": Value on [LaunchTemplate] Rescue []
        written "before the version is written"
        read "to know which version says the network"
        gone "when the rescue is over"
        put_back "that version exists no more, and is written again"
    /// The newest replacement that ended before it took over, and how many died booting.
    DIED = "died": Value on [LaunchTemplate] Rescue []
        written "when a replacement ended before it took over"
        read "in the token of the next launch; to stop after three"
        gone "at the end, replaced by the successor"
        put_back "one launch more, or an hour's pause"
    /// Milestones of the rescue, in seconds since the interruption.
    PROGRESS = "progress": Value on [LaunchTemplate] Rescue []
        written "at each milestone"
        read "to report each outcome once; for patience"
        gone "when the rescue is over"
        put_back "an outcome is reported once more, or not"
    /// What the owner had gained and lost since the last sweep when it was interrupted.
    CHANGED = "changed": List on [LaunchTemplate] Rescue [Shed(7)]
        written "at the first look"
        read "in the outcome, for a person; a target of the interrupted owner counts as if it were on the list of targets"
        gone "when the rescue is over"
        put_back "a note that is out of date; what it says of another instance counts nowhere"
    /// `ip` targets of successors, until one of them owns everything.
    SERVED = "served": List on [LaunchTemplate] Rescue [Shed(2)]
        written "when an `ip` target of a successor is registered"
        read "to deregister it if that successor is interrupted"
        gone "when one owns everything"
        put_back "a target is deregistered that is the lineage's own"
    /// Targets that are still to be registered after the rescue.
    OWED = "owed": List on [LaunchTemplate] Rescue [Shed(1)]
        written "at the end, for what could not be registered"
        read "by each look for a day"
        gone "when it is registered, or after a day"
        put_back "a target of before is registered, if its group is allowed"
    /// Elastic IPs that are still to be associated after the rescue.
    OWED_ADDRESSES = "owed-address": List on [LaunchTemplate] Rescue []
        written "at the end, for what could not be associated"
        read "by each look for a day"
        gone "when it is associated, or after a day"
        put_back "an address that something outside the lineage holds stays there"
    /// Since when its owner lacks such targets or addresses.
    OWED_SINCE = "owed-since": Value on [LaunchTemplate] Rescue []
        written "at the end"
        read "to stop after a day"
        gone "with the others"
        put_back "a day more, or less"
    /// What the DNS name was pointed at in this rescue, and the address it had before.
    POINTED = "pointed": List on [LaunchTemplate] Rescue []
        written "before a DNS name is pointed"
        read "to undo what a successor that failed has pointed"
        gone "when the rescue is over"
        put_back "the record set is looked up before it is changed"
    /// The instance that has lost the private address it was to keep, since when, and why.
    ADDRESS_LOST = "address-lost": Value on [LaunchTemplate] Rescue []
        written "before a launch without the address"
        read "before a launch; in the outcome"
        gone "when the head is another"
        put_back "a launch without the address that is asked for"
    /// How many requests to replace the successor's root were refused.
    SWAPS = "swaps": Value on [LaunchTemplate] Rescue []
        written "when a root could not be replaced"
        read "in the token of the next request"
        gone "when the rescue is over"
        put_back "the answer to an earlier request"
    /// The stand-in that could not give way to Spot, since when, and why.
    STAYS = "stays": Value on [LaunchTemplate] Rescue []
        written "when a return to Spot is given up"
        read "before the next one, for a day"
        gone "a day later"
        put_back "a return to Spot comes a day later"
    /// The member that has left its group for good; the group has become smaller by it.
    LEFT_GROUP = "left-group": Value on [LaunchTemplate] Rescue []
        written "before a member is detached with a decrement"
        read "to attach the replacement to the group"
        gone "when the replacement is a member"
        put_back "the group is asked whether it has room"
    /// A safety copy, a spare, or the prepared rescue of a vanished instance: it may be deleted after this moment.
    EXPIRES_AT = "expires-at": Value on [Instance, LaunchTemplate, Volume, Snapshot, Image, Interface] Rescue [Passing]
        written "when a copy or a spare has served"
        read "by the sweep alone, which deletes only with EC2's own word beside it"
        gone "with the resource; taken off when it is needed after all"
        put_back "what it stands on was to go before: a spare that took over has no such tag and is the head"
    /// The device name inside the instance.
    DEVICE = "device": Value on [Volume, Snapshot] Always []
        written "when a rescue is prepared; on every copy"
        read "to attach a volume under its device"
        gone "with the resource"
        put_back "the device that it had before"
    /// Settings of the volume that a snapshot does not keep.
    VOLUME = "volume": Value on [Volume, Snapshot] Always []
        written "when a rescue is prepared; on every copy"
        read "to restore a volume with its settings; to know a root"
        gone "with the resource"
        put_back "settings that it had before"
    /// On a data volume: whether the Recycle Bin keeps it, `on` or `off`. Without a seal: the stack's rule for the bin compares it.
    RECYCLE = "recycle": Value on [Volume] Always []
        written "when a rescue is prepared, unless the stack has no such rule"
        read "by the Recycle Bin, when the volume is deleted"
        gone "with the volume; `off` before the function itself deletes it"
        put_back "the volume stays in the bin for some days, and costs what it did"
    /// On a restored volume or a clone: the volume it stands for.
    COPY_OF = "copy-of": Value on [Volume] Rescue []
        written "when a volume is restored or cloned"
        read "to know which volume it stands for"
        gone "with the volume"
        put_back "EC2's own source of the volume counts beside it"
    /// On a restored volume: the snapshot it was made from.
    RESTORED_FROM = "restored-from": Value on [Volume] Rescue []
        written "when a volume is restored"
        read "in the outcome"
        gone "with the volume"
        put_back "EC2 shows the snapshot itself"
    /// On a clone: the instance it was given to. From then on it is newer than its source.
    TAKEN_BY = "taken-by": Value on [Volume] Rescue []
        written "when a clone is attached"
        read "to count the clone as the newest"
        gone "with the volume"
        put_back "the clone was given to that instance"
    /// On volumes a copy stands for: their instance came back after it had been replaced, and may have written to them
    /// since.
    RAN_AGAIN = "ran-again": Value on [Volume] Rescue []
        written "when a replaced instance came back"
        read "to keep its volumes"
        gone "with the volume"
        put_back "the volume is kept"
    /// On a volume that stays with its user: why. It has no expiry.
    KEPT = "kept": Value on [Volume] Rescue []
        written "when a volume stays with its user"
        read "to give it no expiry"
        gone "with the volume"
        put_back "the volume is kept"
    /// On snapshots: the set they belong to.
    SET = "set": Value on [Snapshot] Rescue []
        written "when a set is taken"
        read "to restore whole sets"
        gone "with the snapshot"
        put_back "the set that it belongs to"
    /// On the snapshots of a scheduled set: how consistent it is. `crash` is one point in time for all volumes, without
    /// what the instance still had in memory.
    CONSISTENCY = "consistency": Value on [Snapshot] Always []
        written "when a scheduled set is taken"
        read "to find scheduled sets; the rescue's role may delete nothing that has it"
        gone "with the snapshot"
        put_back "how consistent the set is"
    /// On a snapshot: how often and when last a volume was to be made of it.
    RESTORE = "restore": Value on [Snapshot] Rescue []
        written "before a volume is made of it"
        read "in the token of the next request"
        gone "with the snapshot"
        put_back "the answer to an earlier request"
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
    /// The same: for how many days the Recycle Bin keeps a data volume that is deleted; 0 for none.
    RECYCLE_BIN = "recycle-bin": Value on [Nowhere] Always []
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
    fn each_tag_has_a_life_and_no_setting_has() {
        for key in KEYS {
            let is_setting = key.on == [Nowhere];
            assert_eq!(key.life.is_none(), is_setting, "{}", key.name);
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
