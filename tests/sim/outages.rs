//! Each call of the function, denied for ever, throttled for ten minutes, or denied for seventy minutes and then
//! allowed: how a rescue ends that begins at that moment.

use crate::support::{assert_whole, journal, lost_writes, missing, prepared};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{Protected, Supply, World};
use spot_rescue::situation::Market;

/// What kind of rescue makes the call.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Plain,
    /// There is capacity in another zone only.
    Elsewhere,
    PrivateIp,
    Clone,
    KeptRoot,
}

use Kind::{Clone as Cloned, Elsewhere, KeptRoot, Plain, PrivateIp};

/// How it ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum End {
    Whole,
    /// A volume went with the instance, as its flag was not to be switched off, and is restored.
    Restored,
    /// The data are safe, and only this is missing.
    Lacks(&'static [&'static str]),
}

use End::{Lacks, Restored, Whole};

/// The user's flag is set when all else is done.
const NO_TRAFFIC: &[&str] = &[
    "delete flags [false, false]",
    "targets on []",
    "address not there",
];
const NO_VOLUMES: &[&str] = &[
    "volumes []",
    "delete flags []",
    "targets on []",
    "address not there",
];
const NO_TARGETS: &[&str] = &["targets on []"];
const NO_ADDRESS: &[&str] = &["address not there"];
const NO_INSTANCE: &[&str] = &[
    "0 instances live",
    "volumes []",
    "delete flags []",
    "targets on []",
    "address not there",
];

type Row = (Kind, &'static str, End);

const DENIED_FOR_EVER: [Row; 25] = [
    (Plain, "DeleteTags", Whole),
    (Plain, "DeregisterTargets", Whole),
    (Plain, "RegisterTargets", Lacks(NO_TARGETS)),
    (Plain, "CreateSnapshots", Whole),
    (Plain, "CreateFleet", Lacks(NO_INSTANCE)),
    (Plain, "AttachVolume", Lacks(NO_VOLUMES)),
    (Plain, "AssociateAddress", Lacks(NO_ADDRESS)),
    // Only events lead to the replacement; no look follows once the volumes are free.
    (Plain, "SendMessage", Lacks(NO_VOLUMES)),
    (Plain, "DescribeLaunchTemplates", Lacks(NO_VOLUMES)),
    (Plain, "DescribeVolumes", Lacks(NO_VOLUMES)),
    (Plain, "DescribeSnapshots", Whole),
    (Plain, "DescribeAddresses", Lacks(NO_ADDRESS)),
    (Plain, "DescribeNetworkInterfaces", Whole),
    (Plain, "DescribeTargetGroups", Whole),
    (Plain, "DescribeTargetHealth", Whole),
    (Plain, "DescribeSpotInstanceRequests", Whole),
    (Plain, "DescribeImages", Whole),
    (Elsewhere, "CreateVolume", Lacks(NO_VOLUMES)),
    (Elsewhere, "CreateSnapshot", Lacks(NO_VOLUMES)),
    (Elsewhere, "DescribeSnapshots", Lacks(NO_VOLUMES)),
    (PrivateIp, "RunInstances", Whole),
    (PrivateIp, "ModifyNetworkInterfaceAttribute", Whole),
    (Cloned, "CopyVolumes", Whole),
    (KeptRoot, "CreateReplaceRootVolumeTask", Lacks(NO_TRAFFIC)),
    (
        KeptRoot,
        "DescribeReplaceRootVolumeTasks",
        Lacks(NO_TRAFFIC),
    ),
];

/// Whatever is throttled or denied for a while: the rest of these end whole both times.
const PASSING: [Row; 31] = [
    (Plain, "DescribeInstances", Whole),
    (Plain, "CreateTags", Whole),
    (Plain, "RegisterTargets", Whole),
    (Plain, "AssociateAddress", Whole),
    (Plain, "DescribeAddresses", Whole),
    (Plain, "DescribeLaunchTemplates", Whole),
    (Plain, "DeleteTags", Whole),
    (Plain, "DeregisterTargets", Whole),
    (Plain, "ModifyInstanceAttribute", Restored),
    (Plain, "CreateSnapshots", Whole),
    (Plain, "CreateFleet", Whole),
    (Plain, "AttachVolume", Whole),
    (Plain, "SendMessage", Whole),
    (Plain, "DescribeVolumes", Whole),
    (Plain, "DescribeSnapshots", Whole),
    (Plain, "DescribeNetworkInterfaces", Whole),
    (Plain, "DescribeTargetGroups", Whole),
    (Plain, "DescribeTargetHealth", Whole),
    (Plain, "DescribeSpotInstanceRequests", Whole),
    (Plain, "DescribeImages", Whole),
    (Elsewhere, "CreateVolume", Whole),
    (Elsewhere, "CreateSnapshot", Whole),
    (Elsewhere, "DescribeSnapshots", Whole),
    (Elsewhere, "DescribeVolumes", Whole),
    (PrivateIp, "RunInstances", Whole),
    (PrivateIp, "ModifyNetworkInterfaceAttribute", Whole),
    (PrivateIp, "DescribeNetworkInterfaces", Whole),
    (Cloned, "CopyVolumes", Whole),
    (Cloned, "DescribeVolumes", Whole),
    (KeptRoot, "CreateReplaceRootVolumeTask", Whole),
    (KeptRoot, "DescribeReplaceRootVolumeTasks", Whole),
];

const DENIED: &str = "UnauthorizedOperation";
const THROTTLED: &str = "RequestLimitExceeded";

async fn begin(kind: Kind) -> (World, crate::support::Function, Protected) {
    let policy: &[(&str, &str)] = match kind {
        Plain | Elsewhere => &[],
        PrivateIp => &[("spot-rescue:private-ip", "keep")],
        Cloned => &[("spot-rescue:data", "clone")],
        KeptRoot => &[("spot-rescue:root", "keep")],
    };
    let (world, function, protected) = prepared(1, policy).await;
    if kind == Elsewhere {
        let other = world.subnet("eu-west-1b");
        let tag = ("spot-rescue:subnets", other.as_str());
        world.retag(protected.instance.as_str(), &[tag]);
        for market in [Market::Spot, Market::OnDemand] {
            world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
        }
    }
    (world, function, protected)
}

/// Three hours, with a sweep every quarter of an hour.
async fn play(row: &Row, code: &str, seconds: Option<i64>) {
    let (kind, call, end) = *row;
    let (world, function, protected) = begin(kind).await;
    let made = || world.look(|it| it.calls.get(call).copied());
    let before = made();
    world.fail_calls(call, code, seconds);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    for _ in 0..12 {
        let _ = world.run_for(&function, 900).await;
        world.sweep();
    }
    let _ = world.run_for(&function, 900).await;
    assert!(made() > before, "{call} is not called");
    println!("{kind:?} {call} {code} {seconds:?}");
    as_told(&world, &protected, end);
}

fn as_told(world: &World, protected: &Protected, end: End) {
    let gone = world.look(|it| it.deleted_with_instance.len());
    assert_eq!(gone, usize::from(end == Restored), "{}", journal(world));
    match end {
        Whole => {
            assert_whole(world, protected);
            assert_eq!(lost_writes(world, protected), [0, 0]);
        }
        Restored => assert_whole(world, protected),
        Lacks(what) => {
            let missing = missing(world, protected);
            assert_eq!(missing, what, "{}", journal(world));
        }
    }
}

#[tokio::test]
async fn a_call_that_is_denied_for_ever_costs_what_it_is_for_and_no_more() {
    for row in &DENIED_FOR_EVER {
        play(row, DENIED, None).await;
    }
}

#[tokio::test]
async fn a_call_that_is_throttled_for_ten_minutes_costs_time() {
    for row in &PASSING {
        play(row, THROTTLED, Some(600)).await;
    }
    play(&(Plain, "CreateTags", Whole), THROTTLED, Some(600)).await;
}

#[tokio::test]
async fn a_call_that_is_denied_for_seventy_minutes_is_made_when_it_is_allowed() {
    for row in &PASSING {
        play(row, DENIED, Some(4200)).await;
    }
}

/// A disk is on no record, and nothing can be written for longer than a chain of wakes usually lasts: once the old
/// instance has ended, EC2 shows nowhere that the disk was there. Only the wakes know.
#[tokio::test]
async fn a_record_that_takes_no_tags_for_an_hour_is_remembered_as_long() {
    for (minutes, swept) in [(60, 0), (60, 900), (60, 420), (75, 900), (150, 900)] {
        let (world, function, protected) = prepared(87, &[]).await;
        let disk = world.attach_new(&protected.instance, "/dev/sdh", true);
        world.fail_calls("CreateTags", "UnauthorizedOperation", Some(minutes * 60));
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let mut left = 4 * 3600;
        while left > 0 {
            let part = if swept == 0 { left } else { swept };
            let _ = world.run_for(&function, part).await;
            world.sweep();
            left -= part;
        }
        let holders = world.look(|it| it.volumes[&disk].facts.attachments.clone());
        let living = world.look(|it| {
            let all = it.instances.values().filter(|it| it.facts.is_alive());
            all.map(|it| it.facts.id.clone()).collect::<Vec<_>>()
        });
        let holders: Vec<_> = holders.into_iter().map(|it| it.instance).collect();
        assert_eq!(holders, living, "{minutes} {swept}: {}", journal(&world));
    }
}
