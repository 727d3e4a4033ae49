//! Changes of a world. Every number is an index taken modulo what there is, so that every list of these is a valid
//! one, the shortened ones of a failing case included.

use crate::attack::ATTACKS;
use proptest::prelude::*;
use spot_rescue::situation::Market;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Op {
    /// EC2 interrupts an instance by its own interruption behaviour, with a warning.
    Interrupt(u16),
    /// The same without a warning.
    InterruptSilently(u16),
    /// EC2 recommends to rebalance.
    Rebalance(u16),
    /// Messages are delivered for so many seconds.
    Pass(i64),
    /// So many seconds in which no message is delivered.
    Outage(i64),
    /// A message in the queue gets a twin.
    Duplicate(u16),
    /// An event is lost. Our own messages are not: SQS keeps what it has taken.
    Drop(u16),
    /// An event comes so many seconds later, behind others.
    Delay(u16, i64),
    /// A warning from long ago.
    StaleWarning(u16),
    /// The n-th change from now is refused.
    Refuse(u64, &'static str),
    /// The n-th read from now is refused.
    RefuseRead(u64, &'static str),
    /// The n-th change from now is done, but its answer is lost.
    LoseReply(u64),
    /// The n-th change from now is done twice.
    Twice(u64),
    CrashBefore(u64),
    CrashAfter(u64),
    /// The next snapshots fail after they were accepted.
    SnapshotsFail,
    /// So many of the next instances die while they boot, for this reason.
    BootFails(usize, &'static str),
    /// Launches are refused with this code, inside the answer or as a whole, until EC2 or a person mends it.
    RefuseLaunches(Refused, &'static str, bool),
    MendLaunches,
    /// The next launch was already sent by another invocation, and takes so many seconds.
    LaunchUnderWay(i64),
    /// The remaining capacity of a zone.
    Capacity(u16, Market, u32),
    /// EC2 starts a stopped instance again, or gives it up.
    Resume(u16),
    GiveUp(u16),
    /// Users and their other tools.
    Terminate(u16),
    Stop(u16),
    Snapshot(u16),
    Retag(u16, &'static str, &'static str),
    Deregister(u16),
    DeleteVolume(u16),
    GiveAway(u16),
    /// A change of what an instance has, while all is well with it.
    Hand(Hand, u16),
    Sweep,
    /// An attacker in the account tries something: which of [`ATTACKS`], on what.
    Attack(usize, u16, u16),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hand {
    /// One more volume; whether it is to go with the instance.
    Attach(bool),
    Detach,
    Register,
    Dissociate,
    /// Our tags are taken off a volume, or a snapshot.
    StripVolume,
    StripSnapshot,
}

/// Which launches: all, or those in a zone's subnet, of a market, of both.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Refused {
    All,
    In(u16),
    Of(Market),
    Pool(u16, Market),
}

/// One of each scope that the table of refusals knows, and one that it does not.
const REFUSALS: [&str; 9] = [
    "InsufficientInstanceCapacity",
    "InvalidFleetConfiguration",
    "InsufficientFreeAddressesInSubnet",
    "MaxSpotInstanceCountExceeded",
    "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
    "UnauthorizedOperation",
    "InvalidKeyPair.NotFound",
    "InvalidSnapshot.NotFound",
    "SomethingNew",
];

const DEATHS: [&str; 6] = [
    "Client.InternalError",
    "Client.VolumeLimitExceeded",
    "Client.InvalidSnapshot.NotFound",
    "Server.InternalError",
    "Server.InsufficientInstanceCapacity",
    "Server.SomethingNew",
];

const CODES: [&str; 5] = [
    "RequestLimitExceeded",
    "InternalError",
    "ServiceUnavailable",
    "UnauthorizedOperation",
    "Timeout",
];

const POLICIES: [(&str, &str); 13] = [
    ("spot-rescue:replace", "auto"),
    ("spot-rescue:replace", "none"),
    ("spot-rescue:data", "auto"),
    ("spot-rescue:data", "move"),
    ("spot-rescue:data", "restore"),
    ("spot-rescue:data", "none"),
    ("spot-rescue:on-demand", "never"),
    ("spot-rescue:on-demand", "fallback"),
    ("spot-rescue:data", "nonsense"),
    ("spot-rescue:private-ip", "keep"),
    ("spot-rescue:private-ip", "new"),
    ("spot-rescue:rebalance", "replace"),
    ("spot-rescue:rebalance", "ignore"),
];

/// Mostly interruptions and time; the hands of users are rarer than the troubles of AWS.
pub fn op() -> impl Strategy<Value = Op> {
    prop_oneof![
        24 => any::<u16>().prop_map(Op::Interrupt),
        2 => any::<u16>().prop_map(Op::InterruptSilently),
        30 => (1..240_i64).prop_map(Op::Pass),
        3 => (1..90_i64).prop_map(Op::Outage),
        16 => messages(),
        24 => faults(),
        12 => ec2(),
        12 => users(),
        3 => Just(Op::Sweep),
        14 => attacks(),
    ]
}

fn messages() -> impl Strategy<Value = Op> {
    prop_oneof![
        6 => any::<u16>().prop_map(Op::Duplicate),
        2 => any::<u16>().prop_map(Op::Drop),
        4 => (any::<u16>(), 1..60_i64).prop_map(|(which, by)| Op::Delay(which, by)),
        2 => any::<u16>().prop_map(Op::StaleWarning),
    ]
}

fn faults() -> impl Strategy<Value = Op> {
    let code = || prop::sample::select(CODES.as_slice());
    prop_oneof![
        3 => (0..12_u64, code()).prop_map(|(nth, code)| Op::Refuse(nth, code)),
        3 => (0..20_u64, code()).prop_map(|(nth, code)| Op::RefuseRead(nth, code)),
        3 => (0..12_u64).prop_map(Op::LoseReply),
        2 => (0..12_u64).prop_map(Op::Twice),
        3 => (0..12_u64).prop_map(Op::CrashBefore),
        3 => (0..12_u64).prop_map(Op::CrashAfter),
    ]
}

fn ec2() -> impl Strategy<Value = Op> {
    let market = prop::sample::select([Market::Spot, Market::OnDemand].as_slice());
    let left = prop::sample::select([0, 0, 1, 1000].as_slice());
    let capacity = (any::<u16>(), market, left);
    prop_oneof![
        8 => capacity.prop_map(|(zone, market, left)| Op::Capacity(zone, market, left)),
        4 => any::<u16>().prop_map(Op::Rebalance),
        3 => any::<u16>().prop_map(Op::Resume),
        1 => any::<u16>().prop_map(Op::GiveUp),
        1 => Just(Op::SnapshotsFail),
        2 => deaths(),
        5 => refusals(),
        2 => Just(Op::MendLaunches),
        2 => (1..20_i64).prop_map(Op::LaunchUnderWay),
    ]
}

/// One mostly; five are more than the brake lets die.
fn deaths() -> impl Strategy<Value = Op> {
    let dying = prop::sample::select([1, 1, 2, 5].as_slice());
    let reason = prop::sample::select(DEATHS.as_slice());
    (dying, reason).prop_map(|(next, reason)| Op::BootFails(next, reason))
}

fn refusals() -> impl Strategy<Value = Op> {
    let market = || prop::sample::select([Market::Spot, Market::OnDemand].as_slice());
    let refused = prop_oneof![
        1 => Just(Refused::All),
        1 => any::<u16>().prop_map(Refused::In),
        2 => market().prop_map(Refused::Of),
        2 => (any::<u16>(), market()).prop_map(|(zone, market)| Refused::Pool(zone, market)),
    ];
    let code = prop::sample::select(REFUSALS.as_slice());
    let refusal = (refused, code, any::<bool>());
    refusal.prop_map(|(of, code, on_top)| Op::RefuseLaunches(of, code, on_top))
}

fn attacks() -> impl Strategy<Value = Op> {
    let one = (0..ATTACKS.len(), any::<u16>(), any::<u16>());
    one.prop_map(|(kind, which, other)| Op::Attack(kind, which, other))
}

fn users() -> impl Strategy<Value = Op> {
    let policy = prop::sample::select(POLICIES.as_slice());
    prop_oneof![
        1 => any::<u16>().prop_map(Op::Terminate),
        1 => any::<u16>().prop_map(Op::Stop),
        3 => any::<u16>().prop_map(Op::Snapshot),
        3 => (any::<u16>(), policy).prop_map(|(which, (key, value))| Op::Retag(which, key, value)),
        1 => any::<u16>().prop_map(Op::Deregister),
        1 => any::<u16>().prop_map(Op::DeleteVolume),
        1 => any::<u16>().prop_map(Op::GiveAway),
        8 => (hand(), any::<u16>()).prop_map(|(hand, which)| Op::Hand(hand, which)),
    ]
}

fn hand() -> impl Strategy<Value = Hand> {
    prop_oneof![
        3 => any::<bool>().prop_map(Hand::Attach),
        1 => Just(Hand::Detach),
        2 => Just(Hand::Register),
        1 => Just(Hand::Dissociate),
        2 => Just(Hand::StripVolume),
        1 => Just(Hand::StripSnapshot),
    ]
}
