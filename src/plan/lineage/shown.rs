//! Which volumes, interfaces, addresses and targets count for the record: those that EC2 shows now, or those recorded
//! at the last sweep.

use crate::event::is_recent;
use crate::id::VolumeId;
use crate::plan::lineage::touched;
use crate::policy::{Policy, PrivateIp, Protect};
use crate::record::{
    FirstLook, Record, RecordedAddress, RecordedInterface, RecordedVolume, addresses_of,
    interfaces_of, secondary_of, targets_from, volumes_of,
};
use crate::situation::{Instance, Registration, Situation};

pub fn apply(
    record: &mut Record,
    owner: &Instance,
    situation: &Situation,
    members: &[&Instance],
    policy: &Policy,
) {
    let trust = Trust::of(owner, situation, record);
    let flags = Flags {
        record: &record.clone(),
        noted: &Record::from_tags(&owner.tags),
        trust,
        // With `protect=always` the flags are ours even without an interruption.
        always: policy.protect.value == Protect::Always,
        situation,
    };
    record.volumes = volumes(&flags, owner, members);
    interfaces(record, &flags, owner, policy, members);
    addresses(record, trust, owner, situation, members);
    targets(record, trust, owner, situation);
}

/// How far the owner as shown counts against the record, which is as old as the last sweep.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Trust {
    /// The owner runs and is not interrupted: what it shows counts.
    Live,
    /// The first look at an interruption: what the owner shows counts, except for the flags, which are ours by now.
    FirstLook,
    /// The interruption and the first look are on record: the owner as shown only adds to the record.
    Noted,
    /// The owner is ending or has ended, and shows less and less (TRAP 14): the record counts.
    RecordOnly,
}

impl Trust {
    fn of(owner: &Instance, situation: &Situation, record: &Record) -> Self {
        if !touched::shows_everything(owner) {
            Self::RecordOnly
        } else if is_seen(owner, situation, record) {
            Self::Noted
        } else if touched::touched(record, owner, situation) {
            Self::FirstLook
        } else {
            Self::Live
        }
    }
}

/// The first look is over. An interruption of our own needs none, and after two minutes there is none to wait for.
fn is_seen(owner: &Instance, situation: &Situation, record: &Record) -> bool {
    let interruption = record.interruption.as_ref();
    interruption.is_some_and(|it| {
        let over = it.is_ours() || !is_recent(it.at, situation.now);
        it.instance == owner.id && (over || record.first_look >= FirstLook::Seen)
    })
}

/// What is known of the user's flags.
struct Flags<'a> {
    record: &'a Record,
    /// The flags in the owner's own tags, of volumes and interfaces that it has.
    noted: &'a Record,
    trust: Trust,
    always: bool,
    situation: &'a Situation,
}

impl Flags<'_> {
    /// The flags shown are ours; the user's were recorded before. A flag that the user has set since counts as long as
    /// no warning has come.
    fn of(&self, id: &str, shown: bool, before: Option<bool>, ours: bool) -> bool {
        let untouched = self.trust == Trust::Live;
        if untouched && !ours {
            return shown;
        }
        let first = self.situation.inputs.flagged.contains(id);
        match before {
            Some(before) => before || (untouched && shown),
            None => shown || first,
        }
    }
}

fn volumes(flags: &Flags, owner: &Instance, members: &[&Instance]) -> Vec<RecordedVolume> {
    let known = &flags.record.volumes;
    let mut live = volumes_of(owner);
    if flags.trust == Trust::RecordOnly {
        return if known.is_empty() {
            live
        } else {
            known.clone()
        };
    }
    for it in &mut live {
        let before = known.iter().chain(&flags.noted.volumes);
        let before = { before }.find(|before| before.volume == it.volume);
        let before = before.map(|it| it.delete_on_termination);
        let id = it.volume.as_str();
        it.delete_on_termination = flags.of(id, it.delete_on_termination, before, flags.always);
    }
    let kept = known.iter().filter(|it| match flags.trust {
        Trust::Noted => true,
        Trust::Live => is_with(members, owner, &it.volume),
        Trust::FirstLook => {
            is_with(members, owner, &it.volume) || is_held(flags.situation, owner, &it.volume)
        }
        Trust::RecordOnly => false,
    });
    let missing: Vec<_> = kept
        .filter(|it| live.iter().all(|live| live.volume != it.volume))
        .cloned()
        .collect();
    live.extend(missing);
    live
}

/// Another member, such as the successor, already holds the volume: it is still part of the rescue.
fn is_with(members: &[&Instance], owner: &Instance, volume: &VolumeId) -> bool {
    let mut others = members.iter().filter(|it| it.id != owner.id);
    others.any(|it| it.devices.iter().any(|held| held.volume == *volume))
}

/// The volume is attached to the owner although the owner does not show it, or cannot be read: then it does not count
/// as detached.
fn is_held(situation: &Situation, owner: &Instance, volume: &VolumeId) -> bool {
    let Some(all) = situation.facts.volumes.known() else {
        return true;
    };
    let mut all = all.iter().filter(|it| it.id == *volume);
    all.any(|it| it.attached_to(&owner.id))
}

fn interfaces(
    record: &mut Record,
    flags: &Flags,
    owner: &Instance,
    policy: &Policy,
    members: &[&Instance],
) {
    if flags.trust == Trust::RecordOnly {
        return;
    }
    let known = &flags.record.interfaces;
    let mut live = interfaces_of(owner, policy.private_ip.value == PrivateIp::Keep);
    for it in &mut live {
        let before = known.iter().chain(&flags.noted.interfaces);
        let before = { before }.find(|before| before.interface == it.interface);
        let before = before.map(|it| it.delete_on_termination);
        let ours = flags.always && it.slot.is_primary();
        let id = it.interface.as_str();
        it.delete_on_termination = flags.of(id, it.delete_on_termination, before, ours);
    }
    let with_another = |it: &RecordedInterface| {
        let mut others = members.iter().filter(|member| member.id != owner.id);
        others.any(|member| member.interfaces.iter().any(|held| held.id == it.interface))
    };
    let unseen = |it: &&RecordedInterface| live.iter().all(|live| live.interface != it.interface);
    let kept = known.iter().filter(unseen).filter(|it| match flags.trust {
        Trust::Noted => true,
        Trust::FirstLook => with_another(it),
        Trust::Live | Trust::RecordOnly => false,
    });
    let kept: Vec<_> = kept.cloned().collect();
    live.extend(kept);
    record.interfaces = live;
    let secondary = secondary_of(owner);
    if flags.trust == Trust::Noted {
        let new = { secondary.into_iter() }.filter(|it| !record.secondary.contains(it));
        let new: Vec<_> = new.collect();
        record.secondary.extend(new);
    } else {
        record.secondary = secondary;
    }
}

/// Adds Elastic IPs that the owner has got since the last sweep. The first look drops those that no member of the
/// lineage has any more.
fn addresses(
    record: &mut Record,
    trust: Trust,
    owner: &Instance,
    situation: &Situation,
    members: &[&Instance],
) {
    let (Some(found), Trust::FirstLook | Trust::Noted) = (situation.facts.addresses.known(), trust)
    else {
        return;
    };
    let live = addresses_of(owner, found);
    let holder = |it: &RecordedAddress| {
        let found = found.iter().find(|found| found.allocation == it.allocation);
        found.and_then(|it| it.instance.clone())
    };
    let with_another = |it: &RecordedAddress| {
        let holder = holder(it);
        members
            .iter()
            .any(|member| Some(&member.id) == holder.as_ref())
    };
    // An address that is still owed to the owner is not associated with it yet.
    let owed = record.owed.clone();
    let is_owed = |it: &RecordedAddress| { owed.iter() }.any(|owed| owed.addresses.contains(it));
    let has = |it: &RecordedAddress| live.iter().any(|live| live.allocation == it.allocation);
    record
        .addresses
        .retain(|it| !has(it) && (trust == Trust::Noted || with_another(it) || is_owed(it)));
    record.addresses.extend(live);
    record.addresses.sort();
}

/// Adds targets that were registered since the last sweep. A target that the user has deregistered cannot be told from
/// one of ours: recorded targets are deregistered before anything is read.
fn targets(record: &mut Record, trust: Trust, owner: &Instance, situation: &Situation) {
    let Some(found) = situation.facts.registrations.known() else {
        return;
    };
    // A stopped instance is still registered.
    if trust == Trust::Live || !owner.is_alive() {
        return;
    }
    // Targets in the owner's own tags are deregistered in first aid: they may be noted there only.
    let noted = targets_from(&owner.tags);
    let served = |it: &&Registration| !it.draining || noted.contains(&it.target);
    let serving = { found.list.iter() }.filter(served);
    let serving = serving.filter(|it| owner.is_registered_as(it));
    record.targets.extend(serving.map(|it| it.target.clone()));
    let noted = { noted.into_iter() }.filter(|it| owner.answers_to(it));
    record.targets.extend(noted);
    record.targets.sort();
    record.targets.dedup();
}
