//! Users and their tools do not wait for a rescue: attaching, detaching, registering or removing at any moment, from
//! a quarter of an hour before a warning to three minutes after it, and the required result.
//!
//! `ALL=1` looks at every fifth second, the ordinary run at a share of them, another one for each hand.

use crate::support::{lineage, prepared};
use spot_rescue::event::InstanceAction;
use spot_rescue::id::{AllocationId, InstanceId, InterfaceId, VolumeId};
use spot_rescue::sim::{GroupType, Protected, World, invariants};
use spot_rescue::situation::{Target, VolumeState};

/// Seconds from the warning.
const FROM: i64 = -895;
const UNTIL: i64 = 180;
const STEP: i64 = 5;
/// The ordinary run takes one of so many moments.
const SHARE: usize = 27;
/// By then the warning has been looked into, and everything seen is on record.
const NOTED: i64 = 15;
/// What happens later than this may be unknown to every look before the instance ends.
const LATEST: i64 = 90;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hand {
    AttachFlagged,
    AttachKept,
    Detach,
    DetachAndDelete,
    Register,
    TakeOut,
    Associate,
    Dissociate,
    AttachInterface,
    DetachInterface,
    StripVolumes,
    StripInstance,
    StripTemplate,
    StripSnapshots,
}

use Hand::*;

const HANDS: [Hand; 14] = [
    AttachFlagged,
    AttachKept,
    Detach,
    DetachAndDelete,
    Register,
    TakeOut,
    Associate,
    Dissociate,
    AttachInterface,
    DetachInterface,
    StripVolumes,
    StripInstance,
    StripTemplate,
    StripSnapshots,
];

/// What a change has made or taken.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Thing {
    Volume(VolumeId),
    Target(Target),
    Address(AllocationId),
    Interface(InterfaceId),
    Nothing,
}

struct Case {
    hand: Hand,
    at: i64,
    world: World,
    protected: Protected,
    /// Attached from the beginning.
    interface: InterfaceId,
}

impl Case {
    /// The instance that all looks work on at this moment.
    fn present(&self) -> InstanceId {
        let alive = self.world.look(|it| {
            let first = it.instances.get(&self.protected.instance);
            first.is_some_and(|it| it.facts.is_alive())
        });
        if alive {
            return self.protected.instance.clone();
        }
        let newest = self.world.look(|it| {
            let all = it.instances.values().filter(|it| it.facts.is_alive());
            all.max_by_key(|it| it.facts.launch_time)
                .map(|it| it.facts.id.clone())
        });
        newest.unwrap_or_else(|| self.protected.instance.clone())
    }

    fn act(&self) -> Thing {
        let (world, id, data) = (&self.world, &self.present(), &self.protected.data[0]);
        match self.hand {
            AttachFlagged => Thing::Volume(world.attach_new(id, "/dev/sdh", true)),
            AttachKept => Thing::Volume(world.attach_new(id, "/dev/sdh", false)),
            Detach | DetachAndDelete => {
                world.detach(data);
                if self.hand == DetachAndDelete {
                    world.delete_volume(data);
                }
                Thing::Volume(data.clone())
            }
            Register => {
                let group = world.target_group(GroupType::Instance);
                Thing::Target(world.register(&group, id.as_str(), 7070))
            }
            TakeOut => {
                world.deregister(&self.protected.targets[0]);
                Thing::Target(self.protected.targets[0].clone())
            }
            Associate => {
                let seat = world.look(|it| {
                    let primary = it.instances[id].facts.primary_interface();
                    primary.map(|it| it.id.clone())
                });
                let Some(interface) = seat else {
                    return Thing::Nothing;
                };
                let address = world.secondary_address(id);
                Thing::Address(world.elastic_ip_on(&interface, &address))
            }
            Dissociate => {
                world.dissociate(&self.protected.address);
                Thing::Address(self.protected.address.clone())
            }
            AttachInterface => Thing::Interface(world.interface(id, 2, false)),
            DetachInterface => {
                world.detach_interface(&self.interface);
                Thing::Interface(self.interface.clone())
            }
            StripVolumes => self.strip(|it| it.starts_with("vol-")),
            StripInstance => self.strip(|it| it.starts_with("i-")),
            StripTemplate => self.strip(|it| it.starts_with("lt-")),
            StripSnapshots => self.strip(|it| it.starts_with("snap-")),
        }
    }

    fn strip(&self, which: impl Fn(&str) -> bool) -> Thing {
        let all: Vec<String> = self.world.look(|it| {
            let instances = it.instances.keys().map(ToString::to_string);
            let volumes = it.volumes.keys().map(ToString::to_string);
            let templates = it.templates.keys().map(ToString::to_string);
            let snapshots = it.snapshots.keys().map(ToString::to_string);
            let all = instances.chain(volumes).chain(templates).chain(snapshots);
            all.collect()
        });
        for id in all.iter().filter(|it| which(it)) {
            self.world.strip(id);
        }
        Thing::Nothing
    }

    /// Differences to the required result.
    fn wrong(&self, thing: &Thing) -> Vec<String> {
        let mut wrong = self.world.look(invariants::at_quiescence);
        let found = lineage(&self.world, &self.protected);
        let mut check = |holds: bool, what: String| {
            if !holds {
                wrong.push(what);
            }
        };
        let origins = found.volumes.values().map(|it| it.origin.clone());
        let mut origins: Vec<VolumeId> = origins.collect();
        let lost: u64 = found.volumes.values().map(|it| it.lost_writes).sum();
        let mut targets: Vec<u16> = found.targets.iter().map(|it| it.1).collect();
        let mut addresses: Vec<AllocationId> = found.addresses.iter().cloned().collect();
        let mut interfaces: Vec<InterfaceId> = found.interfaces.values().cloned().collect();
        let is_before = self.at < 0;
        let (seen, noted) = (self.at < LATEST, self.at >= NOTED);
        // Takes it out of the list; whether it was there.
        macro_rules! took {
            ($list:expr, $thing:expr) => {{
                let before = $list.len();
                $list.retain(|it| *it != $thing);
                $list.len() < before
            }};
        }
        match (self.hand, thing) {
            (AttachFlagged | AttachKept, Thing::Volume(it)) => {
                let there = took!(origins, *it);
                check(there || !seen, format!("{it} was not brought along"));
                let left = self.world.look(|world| world.volumes.contains_key(it));
                let may_go = self.hand == AttachFlagged && !seen;
                check(left || may_go, format!("{it} is gone"));
            }
            (Detach | DetachAndDelete, Thing::Volume(it)) => {
                let there = took!(origins, *it);
                check(!(there && is_before), format!("{it} was taken back"));
                let state = self.world.look(|world| {
                    let volume = world.volumes.get(it)?;
                    Some((volume.facts.state, volume.facts.attachments.len()))
                });
                let free = Some((VolumeState::Available, 0));
                let kept = there || state == free || self.hand == DetachAndDelete;
                check(kept, format!("{it} is {state:?}"));
                origins.insert(0, it.clone());
            }
            (Register, Thing::Target(_)) => {
                let there = took!(targets, 7070);
                // All target groups are asked at the first looks, and then those on record.
                check(there || !is_before, "not in its new group".to_owned());
            }
            // The function deregisters all targets on record before it has looked: it cannot know.
            (TakeOut, Thing::Target(_)) => {
                let there = took!(targets, 8080);
                check(
                    there || !noted || self.at > 110,
                    "out of its group".to_owned(),
                );
                targets.insert(0, 8080);
            }
            (Associate, Thing::Address(it)) => {
                let there = took!(addresses, *it);
                check(there || !seen, format!("{it} was not brought along"));
            }
            (Dissociate, Thing::Address(it)) => {
                let there = took!(addresses, *it);
                check(!(there && is_before), format!("{it} was taken back"));
                check(there || !noted || self.at > 110, format!("{it} is nowhere"));
                addresses.push(it.clone());
            }
            (AttachInterface, Thing::Interface(it)) => {
                let there = took!(interfaces, *it);
                check(there || !seen, format!("{it} was not brought along"));
            }
            (DetachInterface, Thing::Interface(it)) => {
                let there = took!(interfaces, *it);
                check(!(there && is_before), format!("{it} was taken back"));
                interfaces.push(it.clone());
            }
            _ => {}
        }
        check(found.live == 1, format!("{} live", found.live));
        // What a user deletes in a rescue is made again from what there is of it.
        let deleted = self.hand == DetachAndDelete && !is_before;
        check(lost == 0 || deleted, format!("{lost} writes lost"));
        let data = &self.protected.data;
        check(origins == *data, format!("volumes {origins:?}"));
        check(targets == [8080, 9090], format!("targets {targets:?}"));
        let address = std::slice::from_ref(&self.protected.address);
        check(addresses == address, format!("addresses {addresses:?}"));
        let interface = std::slice::from_ref(&self.interface);
        check(
            interfaces == interface,
            format!("interfaces {interfaces:?}"),
        );
        wrong
    }
}

async fn played(hand: Hand, at: i64) -> Vec<String> {
    let (world, function, protected) = prepared(210, &[]).await;
    let interface = world.interface(&protected.instance, 1, false);
    world.sweep();
    let _ = world.run_until_quiet(&function).await;
    let case = Case {
        hand,
        at,
        world,
        protected,
        interface,
    };
    let world = &case.world;
    let mut thing = Thing::Nothing;
    let _ = world.run_for(&function, (900 + at.min(0)).max(0)).await;
    if at < 0 {
        thing = case.act();
        let _ = world.run_for(&function, -at).await;
    }
    let instance = &case.protected.instance;
    world.interrupt(instance, InstanceAction::Terminate);
    if at >= 0 {
        let _ = world.run_for(&function, at).await;
        thing = case.act();
    }
    let _ = world.run_until_quiet(&function).await;
    for _ in 0..2 {
        world.sweep();
        let _ = world.run_until_quiet(&function).await;
        world.advance(900);
    }
    case.wrong(&thing)
}

#[tokio::test]
async fn whatever_a_user_changes_by_hand_the_rest_is_as_it_was() {
    let all = std::env::var_os("ALL").is_some();
    let mut wrong = Vec::new();
    for (n, hand) in HANDS.into_iter().enumerate() {
        let moments = (FROM..=UNTIL).step_by(usize::try_from(STEP).unwrap_or(1));
        let moments = moments.enumerate();
        for (_, at) in moments.filter(|(m, _)| all || (m + n) % SHARE == 0) {
            let found = played(hand, at).await;
            if !found.is_empty() {
                wrong.push(format!("{hand:?} at {at} s: {}", found.join("; ")));
            }
        }
    }
    assert!(
        wrong.is_empty(),
        "{}\n{} wrong",
        wrong.join("\n"),
        wrong.len()
    );
}
