//! Schedules that failed once, shrunk.

use crate::op::Op::{self, *};
use crate::start::{Setup, Start, Weather};
use spot_rescue::event::InstanceAction;
use spot_rescue::situation::Market;

pub fn calm() -> Weather {
    Weather {
        concurrency: 1,
        batch: 1,
        snapshot_seconds: 20,
        boot_seconds: 5,
        release_seconds: 1,
        shutdown_seconds: 5,
        ..Weather::default()
    }
}

/// One volume that is deleted with its instance, nothing else.
pub fn one_volume() -> Setup {
    Setup {
        volumes: vec![true],
        ports: Vec::new(),
        by_address: false,
        classic: false,
        lattice: false,
        address: false,
        behaviour: InstanceAction::Terminate,
        policy: Vec::new(),
        elsewhere: false,
        in_group: false,
        in_fleet: false,
        persistent: false,
    }
}

pub fn assert_right(seed: u64, setup: Setup, weather: Weather, ops: &[Op]) {
    let start = Start {
        seed,
        instances: vec![setup],
        weather,
    };
    let (wrong, _) = crate::play(&start, ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn regression_a_replacement_ends_without_a_warning_while_it_takes_over() {
    let weather = Weather {
        late_seconds: 2,
        ..calm()
    };
    let ops = [
        Interrupt(2239),
        InterruptSilently(0),
        Pass(119),
        Interrupt(0),
    ];
    assert_right(1_786_207_061_183_637_626, one_volume(), weather, &ops);
}

/// A refusal was counted as a failed launch, and the next way is a request with another token. An invocation that had
/// not seen the count yet, because tags lag, sent the first request again, and it was accepted.
#[test]
fn regression_a_refusal_that_does_not_last_leads_to_one_replacement() {
    let setup = Setup {
        volumes: Vec::new(),
        policy: vec![("spot-rescue:replace", "launch")],
        in_group: true,
        in_fleet: false,
        persistent: false,
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 1,
        lag_seconds: 2,
        boot_seconds: 9,
        late_seconds: 5,
        ..calm()
    };
    let ops = [
        Interrupt(0),
        Refuse(10, "UnauthorizedOperation"),
        BootFails(1, "Client.InternalError"),
        Interrupt(6650),
        Pass(7),
    ];
    assert_right(720_844_683_401_211_267, setup, weather, &ops);
}

/// The copy is deleted with its instance; the volume it stood for is left, and named as lost.
#[test]
fn regression_a_copy_that_is_lost_is_told() {
    let setup = Setup {
        volumes: vec![true, false],
        policy: vec![
            ("spot-rescue:on-demand", "never"),
            ("spot-rescue:data", "restore"),
        ],
        ..one_volume()
    };
    let ops = [Interrupt(710), Pass(44), InterruptSilently(367)];
    assert_right(11_998_332_730_411_157_928, setup, calm(), &ops);
}

/// A volume with a copy that was copied in its turn was never marked to expire.
#[test]
fn regression_a_replacement_is_interrupted_seconds_after_it_took_over_with_copies() {
    let first = Setup {
        volumes: vec![false, false, false],
        by_address: true,
        address: true,
        policy: vec![("spot-rescue:data", "restore")],
        ..one_volume()
    };
    let second = Setup {
        volumes: vec![false],
        ports: vec![8080],
        address: true,
        ..one_volume()
    };
    let weather = Weather {
        batch: 2,
        call_millis: 23,
        lag_seconds: 2,
        snapshot_seconds: 370,
        boot_seconds: 23,
        release_seconds: 39,
        shutdown_seconds: 39,
        doubled_percent: 6,
        late_seconds: 17,
        ..calm()
    };
    let start = Start {
        seed: 14_022_420_666_294_246_462,
        instances: vec![first, second],
        weather,
    };
    let ops = [
        RefuseRead(8, "InternalError"),
        Twice(9),
        InterruptSilently(27557),
        Refuse(6, "RequestLimitExceeded"),
        Interrupt(13774),
        Pass(69),
        Capacity(38059, Market::Spot, 1000),
        Interrupt(19135),
        Duplicate(52727),
        Duplicate(65517),
        Resume(61104),
        Interrupt(58740),
        Interrupt(37564),
        Pass(190),
        StaleWarning(10999),
        Refuse(10, "ServiceUnavailable"),
        Resume(6415),
        Pass(192),
        LoseReply(6),
        Pass(95),
        Capacity(55486, Market::Spot, 0),
        Duplicate(60758),
        Pass(161),
        BootFails(1, "Client.InternalError"),
        Interrupt(63176),
        BootFails(1, "Client.InternalError"),
        Capacity(52630, Market::OnDemand, 0),
        Outage(20),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// No warning came, and the event of the end came when it was over: nothing was left to put a tombstone on, so the
/// rescue was not watched.
#[test]
fn regression_an_end_found_when_it_is_over_is_looked_at_until_it_is_rescued() {
    let setup = Setup {
        volumes: Vec::new(),
        by_address: true,
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        batch: 2,
        lag_seconds: 1,
        snapshot_seconds: 140,
        boot_seconds: 16,
        release_seconds: 2,
        late_seconds: 9,
        ..calm()
    };
    let ops = [
        Interrupt(46987),
        Pass(27),
        Capacity(2347, Market::Spot, 0),
        Interrupt(3338),
        InterruptSilently(0),
        Twice(9),
        Sweep,
        Duplicate(33890),
        Twice(0),
        RefuseRead(9, "RequestLimitExceeded"),
        Sweep,
        RefuseRead(3, "RequestLimitExceeded"),
        Interrupt(0),
        Pass(115),
        InterruptSilently(0),
    ];
    assert_right(14_602_538_088_451_670_162, setup, weather, &ops);
}

/// EC2 and the user end an instance in the same second: it was forgotten while its replacement booted, and so was the
/// replacement.
#[test]
fn regression_an_instance_is_ended_by_ec2_and_its_user_in_one_second() {
    let setup = Setup {
        volumes: vec![false],
        by_address: true,
        address: true,
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        concurrency: 3,
        batch: 10,
        call_millis: 6,
        lag_seconds: 3,
        snapshot_seconds: 366,
        boot_seconds: 46,
        release_seconds: 16,
        shutdown_seconds: 60,
        doubled_percent: 32,
        late_seconds: 0,
        ..Weather::default()
    };
    let ops = [
        Pass(114),
        LoseReply(5),
        Pass(221),
        Pass(129),
        Duplicate(26949),
        Outage(17),
        Interrupt(62489),
        Delay(7682, 49),
        Pass(9),
        Resume(43465),
        RefuseRead(0, "ServiceUnavailable"),
        Retag(24820, "spot-rescue:rebalance", "replace"),
        LoseReply(3),
        Pass(82),
        Retag(30377, "spot-rescue:rebalance", "replace"),
        Duplicate(11439),
        Interrupt(42981),
        Pass(214),
        Retag(48448, "spot-rescue:rebalance", "replace"),
        Outage(23),
        CrashAfter(11),
        Pass(214),
        Interrupt(35660),
        Terminate(46164),
        Sweep,
        Twice(0),
    ];
    assert_right(4_687_452_326_248_182_914, setup, weather, &ops);
}

/// Hibernated without a warning it looks stopped, and was replaced: only its request tells that no copy can be made
/// of it.
#[test]
fn regression_an_instance_is_hibernated_without_a_warning() {
    let setup = Setup {
        behaviour: InstanceAction::Hibernate,
        policy: vec![
            ("spot-rescue:no-return", "restore"),
            ("spot-rescue:return-minutes", "1"),
        ],
        by_address: true,
        ..one_volume()
    };
    let ops = [InterruptSilently(0), Pass(200), Sweep, Pass(200)];
    assert_right(1, setup, calm(), &ops);
}

/// The warning came after fifteen seconds, the group had ended the member by then: the two minutes were
/// the model's mistake.
#[test]
fn regression_a_group_with_capacity_rebalancing_ends_its_member_before_the_warning_comes() {
    let setup = Setup {
        in_group: true,
        in_fleet: false,
        ports: vec![80],
        ..one_volume()
    };
    let ops = [Interrupt(0), Delay(0, 15), Pass(200)];
    assert_right(3, setup, calm(), &ops);
}

/// A replacement died booting, the next one took over and was interrupted at once: the request that had
/// brought it was sent again, and brought it again.
#[test]
fn regression_a_replacement_after_one_that_died_booting_is_interrupted_at_once() {
    let weather = Weather {
        lag_seconds: 1,
        boot_seconds: 43,
        late_seconds: 4,
        ..calm()
    };
    let setup = Setup {
        volumes: Vec::new(),
        ..one_volume()
    };
    let ops = [
        Interrupt(463),
        Interrupt(0),
        Pass(33),
        BootFails(1, "Client.InternalError"),
        Pass(55),
        Interrupt(0),
        Interrupt(0),
    ];
    assert_right(17_680_347_322_058_650_190, setup, weather, &ops);
}

/// The owner was a replacement once, its spare is one: the checker counted two.
#[test]
fn regression_a_replacement_that_has_taken_over_is_at_risk_and_gets_a_spare() {
    let setup = Setup {
        volumes: Vec::new(),
        policy: vec![("spot-rescue:rebalance", "replace")],
        ..one_volume()
    };
    let ops = [Interrupt(5742), Pass(3), Rebalance(65089)];
    assert_right(9_853_837_181_577_622, setup, calm(), &ops);
}

/// Its group had ended it, and no warning told why: as if its user had.
#[test]
fn regression_a_group_with_capacity_rebalancing_ends_its_member_and_the_warning_is_lost() {
    let setup = Setup {
        volumes: Vec::new(),
        by_address: true,
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let weather = Weather {
        late_seconds: 2,
        ..calm()
    };
    let ops = [Interrupt(29222), Drop(0)];
    assert_right(3_166_586_341_693_104_309, setup, weather, &ops);
}

/// The group had been made smaller by one for a replacement of ours; when that was interrupted, too, the
/// group was waited for, in vain.
#[test]
fn regression_a_replacement_is_interrupted_before_it_has_joined_the_group() {
    let setup = Setup {
        policy: vec![("spot-rescue:replace", "launch")],
        volumes: vec![false],
        elsewhere: true,
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let weather = Weather {
        snapshot_seconds: 271,
        boot_seconds: 25,
        release_seconds: 57,
        shutdown_seconds: 29,
        ..calm()
    };
    let ops = [Interrupt(0), Pass(181), Interrupt(0), Pass(5)];
    assert_right(1_819_958_804_031_795_176, setup, weather, &ops);
}

/// How long a target is tried for counts from when *this* replacement has its data, however long the
/// chain before it has taken.
#[test]
fn regression_the_last_of_a_long_chain_has_its_targets() {
    let setup = Setup {
        volumes: vec![false],
        ports: vec![8080],
        by_address: true,
        classic: true,
        address: true,
        policy: vec![("spot-rescue:on-demand", "never")],
        persistent: true,
        ..one_volume()
    };
    let weather = Weather {
        interleave: false,
        concurrency: 1,
        batch: 6,
        call_millis: 37,
        lag_seconds: 3,
        snapshot_seconds: 161,
        boot_seconds: 25,
        release_seconds: 13,
        shutdown_seconds: 13,
        doubled_percent: 18,
        late_seconds: 8,
        ..Weather::default()
    };
    let ops = [
        RefuseRead(2, "Timeout"),
        Pass(116),
        GiveUp(4985),
        Twice(6),
        Delay(21688, 42),
        Pass(25),
        Interrupt(56041),
        Interrupt(3858),
        Pass(54),
        Pass(66),
        Interrupt(64530),
        Outage(51),
        Interrupt(61470),
        CrashBefore(6),
        Interrupt(32614),
        Pass(67),
        Duplicate(7072),
        Pass(12),
        Interrupt(44332),
        Pass(94),
    ];
    assert_right(2_556_837_857_028_827_348, setup, weather, &ops);
}

/// The address goes with the instance, and its registration was on no record yet.
#[test]
fn regression_a_replacement_ends_right_after_its_address_was_registered() {
    let start = Start {
        seed: 12_565_672_181_689_464_964,
        instances: vec![
            Setup {
                volumes: vec![false, false],
                ports: Vec::new(),
                by_address: true,
                classic: false,
                lattice: true,
                address: false,
                behaviour: InstanceAction::Hibernate,
                policy: Vec::new(),
                elsewhere: false,
                in_group: false,
                in_fleet: false,
                persistent: false,
            },
            Setup {
                volumes: vec![true, false],
                ports: vec![443],
                by_address: true,
                classic: false,
                lattice: true,
                address: false,
                behaviour: InstanceAction::Terminate,
                policy: Vec::new(),
                elsewhere: false,
                in_group: false,
                in_fleet: false,
                persistent: false,
            },
        ],
        weather: Weather {
            interleave: true,
            concurrency: 2,
            batch: 3,
            call_millis: 24,
            lag_seconds: 3,
            snapshot_seconds: 189,
            boot_seconds: 42,
            release_seconds: 1,
            shutdown_seconds: 38,
            doubled_percent: 7,
            late_seconds: 4,
            ..Weather::default()
        },
    };
    let ops = [
        Refuse(4, "RequestLimitExceeded"),
        CrashAfter(1),
        Pass(56),
        Pass(63),
        Duplicate(24_794),
        Interrupt(58_151),
        LoseReply(8),
        Pass(181),
        Interrupt(18_184),
        Terminate(19_075),
        Pass(132),
        CrashBefore(0),
        LoseReply(1),
        Pass(155),
        Pass(25),
        Interrupt(24_205),
        Pass(19),
        Interrupt(36_702),
        Drop(54_280),
        Pass(18),
        Snapshot(60_814),
        InterruptSilently(47_649),
        Pass(181),
        Pass(176),
        Pass(88),
        Interrupt(28_235),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Registered by a look that did not know of its warning yet, and never deregistered: while we wait, only groups on
/// record are read, and those without their VPC.
#[test]
fn regression_a_replacement_is_registered_by_its_address_after_its_warning() {
    let start = Start {
        seed: 3_092_583_203_494_319_500,
        instances: vec![Setup {
            volumes: Vec::new(),
            ports: Vec::new(),
            by_address: true,
            classic: false,
            lattice: false,
            address: false,
            behaviour: InstanceAction::Terminate,
            policy: Vec::new(),
            elsewhere: false,
            in_group: false,
            in_fleet: false,
            persistent: false,
        }],
        weather: Weather {
            interleave: false,
            concurrency: 1,
            batch: 1,
            call_millis: 28,
            lag_seconds: 2,
            snapshot_seconds: 384,
            boot_seconds: 41,
            release_seconds: 1,
            shutdown_seconds: 5,
            doubled_percent: 0,
            late_seconds: 13,
            ..Weather::default()
        },
    };
    let ops = [
        Interrupt(52_283),
        Interrupt(17_968),
        Pass(232),
        Pass(152),
        Interrupt(58_565),
        Pass(39),
        Interrupt(33_496),
        Retag(3632, "spot-rescue:data", "nonsense"),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The tombstone was refused, the instance was detached all the same, and with its group's tag went the
/// reason not to launch for it.
#[test]
fn regression_a_member_that_has_been_detached_is_warned_again() {
    let start = Start {
        seed: 1_297_086_443_240_789_053,
        instances: vec![Setup {
            volumes: Vec::new(),
            ports: Vec::new(),
            by_address: false,
            classic: false,
            lattice: true,
            address: false,
            behaviour: InstanceAction::Terminate,
            policy: Vec::new(),
            elsewhere: false,
            in_group: true,
            in_fleet: false,
            persistent: false,
        }],
        weather: Weather {
            interleave: false,
            concurrency: 1,
            batch: 1,
            call_millis: 0,
            lag_seconds: 0,
            snapshot_seconds: 20,
            boot_seconds: 5,
            release_seconds: 1,
            shutdown_seconds: 5,
            doubled_percent: 1,
            late_seconds: 0,
            ..Weather::default()
        },
    };
    let ops = [Refuse(1, "RequestLimitExceeded"), Interrupt(23_652)];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// How long a target is waited for had begun with the first return: at the second no registration was tried.
#[test]
fn regression_an_instance_returns_and_is_stopped_again_before_it_serves() {
    let start = Start {
        seed: 3_931_210_285_126_277_066,
        instances: vec![Setup {
            volumes: Vec::new(),
            ports: Vec::new(),
            by_address: true,
            classic: false,
            lattice: false,
            address: false,
            behaviour: InstanceAction::Stop,
            policy: Vec::new(),
            elsewhere: false,
            in_group: false,
            in_fleet: false,
            persistent: false,
        }],
        weather: Weather {
            interleave: true,
            concurrency: 1,
            batch: 1,
            call_millis: 0,
            lag_seconds: 0,
            snapshot_seconds: 20,
            boot_seconds: 53,
            release_seconds: 1,
            shutdown_seconds: 5,
            doubled_percent: 0,
            late_seconds: 10,
            ..Weather::default()
        },
    };
    let ops = [
        Interrupt(30_158),
        Pass(138),
        CrashBefore(2),
        CrashAfter(3),
        Resume(0),
        Interrupt(27_644),
        InterruptSilently(0),
        Pass(145),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// The number of failed launches went back to 0 at the hand-over: an invocation that still read the old one launched
/// another replacement for the new owner.
#[test]
fn regression_the_new_owner_is_warned_before_the_hand_over_can_be_read() {
    let setup = Setup {
        volumes: Vec::new(),
        classic: true,
        by_address: true,
        lattice: true,
        policy: vec![("spot-rescue:on-demand", "never")],
        elsewhere: true,
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        call_millis: 30,
        lag_seconds: 1,
        doubled_percent: 7,
        late_seconds: 4,
        ..calm()
    };
    let ops = [
        Capacity(24_164, Market::Spot, 0),
        Interrupt(18_719),
        Interrupt(7_813),
        Interrupt(0),
    ];
    assert_right(7_513_343_409_681_072_029, setup, weather, &ops);
}

/// A look that was to confirm one loss confirmed another one, seen for the first time: the cleared flags of an
/// instance just warned, with a tombstone that could not be read yet, were taken for its user's wish.
#[test]
fn regression_a_new_suspicion_is_not_confirmed_by_another_one() {
    let weather = Weather {
        call_millis: 1,
        lag_seconds: 1,
        snapshot_seconds: 200,
        boot_seconds: 41,
        release_seconds: 49,
        shutdown_seconds: 7,
        doubled_percent: 5,
        late_seconds: 12,
        ..calm()
    };
    let ops = [
        Terminate(581),
        Interrupt(0),
        Pass(194),
        Interrupt(0),
        Outage(75),
        Pass(110),
        Pass(5),
        Interrupt(0),
    ];
    assert_right(10_144_983_972_905_303_917, one_volume(), weather, &ops);
}

/// AWS refused to deregister it at the moment its replacement took over; it was not tried again.
#[test]
fn regression_an_ending_instance_is_deregistered_after_the_hand_over() {
    let setup = Setup {
        volumes: Vec::new(),
        ports: vec![8080],
        by_address: true,
        policy: vec![("spot-rescue:data", "clone")],
        ..one_volume()
    };
    let weather = Weather {
        snapshot_seconds: 212,
        boot_seconds: 18,
        doubled_percent: 15,
        late_seconds: 14,
        ..calm()
    };
    let ops = [
        Rebalance(0),
        CrashBefore(6),
        Refuse(7, "RequestLimitExceeded"),
        Pass(2),
        CrashBefore(4),
        Interrupt(24_644),
        Interrupt(0),
        Pass(34),
    ];
    assert_right(13_527_326_931_415_374_371, setup, weather, &ops);
}

/// A persistent request had launched by itself, its user had stopped that instance, and then came a warning of the
/// first: the request was cancelled, which ends a stopped instance.
#[test]
fn regression_the_request_of_an_instance_stopped_by_its_user_is_not_cancelled() {
    let setup = Setup {
        volumes: vec![false],
        persistent: true,
        ..one_volume()
    };
    let ops = [
        Terminate(941),
        Pass(123),
        Stop(13_435),
        StaleWarning(12_982),
    ];
    assert_right(14_202_236_232_820_206_464, setup, calm(), &ops);
}

/// The progress of the last rescue counted for the next one, of an instance warned right after it took over: targets
/// were not tried any more when a replacement came at last.
#[test]
fn regression_the_progress_of_the_last_rescue_is_not_that_of_the_next() {
    let setup = Setup {
        volumes: Vec::new(),
        ports: vec![8080],
        classic: true,
        lattice: true,
        address: true,
        policy: vec![("spot-rescue:private-ip", "keep")],
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 1,
        lag_seconds: 1,
        snapshot_seconds: 63,
        boot_seconds: 16,
        late_seconds: 2,
        ..calm()
    };
    let ops = [
        Capacity(30_180, Market::Spot, 1),
        Interrupt(0),
        Interrupt(0),
        Pass(16),
        Interrupt(0),
        Pass(108),
        Pass(133),
    ];
    assert_right(9_853_104_032_684_853_181, setup, weather, &ops);
}

/// A warning's first request is sent before the record is read: the count of the last owner must not apply to the
/// second request either.
#[test]
fn regression_the_first_request_for_a_new_owner_is_the_second_one_too() {
    let start = Start {
        seed: 0,
        instances: vec![
            Setup {
                volumes: Vec::new(),
                in_group: true,
                in_fleet: false,
                ..one_volume()
            },
            Setup {
                volumes: Vec::new(),
                elsewhere: true,
                policy: vec![("spot-rescue:on-demand", "never")],
                ..one_volume()
            },
        ],
        weather: Weather {
            lag_seconds: 1,
            ..calm()
        },
    };
    let ops = [
        Capacity(10_718, Market::Spot, 0),
        Interrupt(18_456),
        Interrupt(8_107),
        Pass(179),
        Interrupt(9_758),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Every replacement is warned in the second it was launched. Of two launched in the same second the one that
/// had been replaced counted as the newest: the third way to launch, On-Demand, had the token of the second.
#[test]
fn regression_three_replacements_are_launched_within_two_seconds() {
    let setup = Setup {
        volumes: vec![false],
        ports: vec![443],
        by_address: true,
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        late_seconds: 1,
        ..calm()
    };
    let ops = [
        Refuse(0, "RequestLimitExceeded"),
        Interrupt(1560),
        Interrupt(7058),
        Interrupt(20616),
        Interrupt(6235),
    ];
    assert_right(7_792_502_834_175_094_201, setup, weather, &ops);
}

/// A group's new member was warned before it, and then the claim to it, could be seen. The wake that was to look
/// again called the rescue it was claimed for, without the warning: the rescue handed everything to an instance that
/// was about to end.
#[test]
fn regression_a_warning_before_the_claim_is_seen_reaches_the_rescue() {
    let setup = Setup {
        volumes: Vec::new(),
        classic: true,
        lattice: true,
        policy: vec![("spot-rescue:private-ip", "keep")],
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let weather = Weather {
        batch: 3,
        call_millis: 54,
        lag_seconds: 2,
        snapshot_seconds: 152,
        boot_seconds: 59,
        release_seconds: 2,
        shutdown_seconds: 9,
        doubled_percent: 38,
        late_seconds: 2,
        ..calm()
    };
    let ops = [
        Pass(41),
        Outage(21),
        Interrupt(36485),
        Pass(124),
        Drop(20196),
        Interrupt(35710),
        Duplicate(3560),
        Pass(137),
        Pass(140),
        Interrupt(39849),
        Interrupt(57872),
        RefuseRead(11, "UnauthorizedOperation"),
        Pass(82),
        Interrupt(7553),
        Interrupt(64041),
        Interrupt(46744),
        Capacity(4989, Market::OnDemand, 1000),
    ];
    assert_right(4_928_668_029_285_254_187, setup, weather, &ops);
}

/// The tombstone of the first was overwritten after the hand-over: it passed for an instance that EC2 has started
/// again.
#[test]
fn regression_an_instance_within_its_two_minutes_has_not_come_back() {
    let setup = Setup {
        volumes: Vec::new(),
        ..one_volume()
    };
    let ops = [
        Interrupt(4538),
        Interrupt(31502),
        Interrupt(9098),
        Pass(3),
        Attack(11, 16141, 0),
    ];
    assert_right(14_582_746_084_507_079_299, setup, calm(), &ops);
}

#[test]
fn regression_a_lost_answer_of_a_launch_on_an_interface_is_asked_for_again() {
    let setup = Setup {
        volumes: Vec::new(),
        policy: vec![("spot-rescue:replace", "launch")],
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 6,
        batch: 2,
        snapshot_seconds: 90,
        shutdown_seconds: 11,
        doubled_percent: 38,
        late_seconds: 12,
        ..calm()
    };
    let ops = [
        InterruptSilently(1698),
        Interrupt(0),
        Pass(118),
        Retag(0, "spot-rescue:private-ip", "keep"),
        StaleWarning(0),
        Pass(24),
        Interrupt(0),
        Drop(0),
        Pass(78),
        CrashAfter(3),
        Pass(49),
    ];
    assert_right(7_266_205_813_842_390_445, setup, weather, &ops);
}

#[test]
fn regression_a_token_used_for_the_version_before_is_given_up_in_the_end() {
    let setup = Setup {
        volumes: Vec::new(),
        classic: true,
        lattice: true,
        policy: vec![("spot-rescue:private-ip", "keep")],
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 25,
        snapshot_seconds: 41,
        shutdown_seconds: 11,
        late_seconds: 1,
        ..calm()
    };
    let ops = [
        Interrupt(65),
        Pass(34),
        LoseReply(9),
        Pass(49),
        Duplicate(0),
        RefuseRead(4, "RequestLimitExceeded"),
        Drop(0),
        Attack(18, 0, 0),
        Pass(39),
    ];
    assert_right(1_048_003_361_281_235_048, setup, weather, &ops);
}

#[test]
fn regression_a_warning_about_an_unsealed_launch_of_ours_is_waited_for() {
    let setup = Setup {
        ports: vec![8080],
        lattice: true,
        policy: vec![("spot-rescue:data", "clone")],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        doubled_percent: 1,
        late_seconds: 8,
        ..calm()
    };
    let ops = [
        CrashBefore(4),
        InterruptSilently(1950),
        Pass(125),
        StaleWarning(14093),
        Interrupt(0),
        Interrupt(0),
        Interrupt(0),
        Interrupt(0),
    ];
    assert_right(6_666_857_597_290_871_671, setup, weather, &ops);
}

#[test]
fn regression_a_policy_that_changes_in_a_rescue_makes_a_new_version() {
    let setup = Setup {
        volumes: Vec::new(),
        policy: vec![("spot-rescue:replace", "launch")],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        lag_seconds: 2,
        late_seconds: 12,
        ..calm()
    };
    let ops = [
        Retag(3554, "spot-rescue:replace", "auto"),
        Attack(1, 0, 8677),
        InterruptSilently(763),
        Refuse(0, "RequestLimitExceeded"),
        Interrupt(2354),
        Interrupt(0),
        CrashAfter(3),
        Snapshot(22),
        Pass(153),
    ];
    assert_right(17_880_786_271_174_114_821, setup, weather, &ops);
}

#[test]
fn regression_an_unanswered_launch_is_refused_when_it_is_sent_again() {
    let setup = Setup {
        volumes: Vec::new(),
        ports: vec![443],
        classic: true,
        lattice: true,
        ..one_volume()
    };
    let weather = Weather {
        doubled_percent: 13,
        late_seconds: 1,
        ..calm()
    };
    let ops = [
        Interrupt(2306),
        CrashAfter(4),
        Refuse(9, "UnauthorizedOperation"),
        Sweep,
        Interrupt(0),
        Pass(1),
    ];
    assert_right(11_616_737_551_942_114_316, setup, weather, &ops);
}

#[test]
fn regression_an_unanswered_launch_is_refused_beside_a_group() {
    let setup = Setup {
        volumes: vec![false, false],
        policy: vec![("spot-rescue:replace", "launch")],
        ..one_volume()
    };
    let other = Setup {
        volumes: Vec::new(),
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let ops = [
        CrashAfter(3),
        Interrupt(46987),
        Refuse(5, "UnauthorizedOperation"),
        Pass(217),
        Interrupt(14215),
        Pass(33),
        LoseReply(2),
        CrashBefore(2),
        Attack(0, 11606, 13792),
        Rebalance(62531),
        Twice(3),
        Delay(38124, 19),
        Refuse(11, "ServiceUnavailable"),
        Interrupt(27138),
        Rebalance(43868),
        CrashAfter(4),
        Terminate(33825),
        Attack(14, 38019, 29823),
    ];
    let start = Start {
        seed: 12_818_031_390_658_953_662,
        instances: vec![setup, other],
        weather: calm(),
    };
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn regression_an_unanswered_launch_is_refused_after_an_outage() {
    let setup = Setup {
        volumes: Vec::new(),
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        lag_seconds: 1,
        doubled_percent: 11,
        late_seconds: 15,
        ..calm()
    };
    let ops = [
        StaleWarning(0),
        CrashAfter(7),
        Attack(0, 0, 176),
        Outage(9),
        Twice(5),
        Resume(0),
        Interrupt(6206),
        Refuse(8, "UnauthorizedOperation"),
        Pass(8),
    ];
    assert_right(13_395_304_874_564_881_286, setup, weather, &ops);
}

#[test]
fn regression_only_the_record_knew_of_its_group() {
    let first = Setup {
        volumes: vec![false, true, true],
        lattice: true,
        address: true,
        policy: vec![("spot-rescue:data", "clone")],
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let second = Setup {
        volumes: vec![false],
        by_address: true,
        classic: true,
        lattice: true,
        behaviour: InstanceAction::Hibernate,
        policy: vec![("spot-rescue:rebalance", "replace")],
        elsewhere: true,
        persistent: true,
        ..one_volume()
    };
    let third = Setup {
        volumes: Vec::new(),
        ports: vec![80],
        by_address: true,
        address: true,
        policy: vec![("spot-rescue:private-ip", "keep")],
        elsewhere: true,
        persistent: true,
        ..one_volume()
    };
    let fourth = Setup {
        volumes: vec![false],
        ports: vec![8080],
        address: true,
        behaviour: InstanceAction::Stop,
        elsewhere: true,
        ..one_volume()
    };
    let ops = [
        Drop(10649),
        Drop(19933),
        Interrupt(23641),
        Sweep,
        Sweep,
        Pass(189),
        Capacity(13842, Market::OnDemand, 0),
        Interrupt(31853),
        GiveAway(60263),
        Attack(11, 37668, 42574),
        Pass(139),
        Delay(47808, 53),
        Attack(9, 11035, 14579),
        Interrupt(65529),
        Interrupt(29240),
        CrashAfter(2),
        InterruptSilently(41543),
        Pass(233),
        Twice(8),
        CrashBefore(1),
        Duplicate(9140),
        Capacity(50965, Market::Spot, 1000),
        RefuseRead(0, "Timeout"),
        Outage(85),
        CrashBefore(4),
        Refuse(0, "ServiceUnavailable"),
        CrashBefore(3),
        Pass(133),
    ];
    let start = Start {
        seed: 2_390_927_373_946_731_795,
        instances: vec![first, second, third, fourth],
        weather: Weather {
            interleave: false,
            concurrency: 3,
            batch: 2,
            call_millis: 32,
            lag_seconds: 2,
            snapshot_seconds: 296,
            boot_seconds: 49,
            release_seconds: 16,
            shutdown_seconds: 47,
            doubled_percent: 23,
            late_seconds: 15,
            ..Weather::default()
        },
    };
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn regression_the_flags_of_an_instance_stopped_twice_are_its_users() {
    let setup = Setup {
        volumes: vec![true],
        ports: vec![8080],
        by_address: true,
        lattice: true,
        behaviour: InstanceAction::Stop,
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        concurrency: 1,
        batch: 1,
        call_millis: 0,
        lag_seconds: 0,
        snapshot_seconds: 20,
        doubled_percent: 11,
        late_seconds: 9,
        ..calm()
    };
    let ops = [
        Interrupt(1994),
        Pass(98),
        Interrupt(9014),
        Duplicate(3489),
        MendLaunches,
        RefuseRead(0, "Timeout"),
    ];
    assert_right(4_595_583_125_680_468_055, setup, weather, &ops);
}
