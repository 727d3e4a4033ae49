//! Schedules that failed once, shrunk: launches that are refused, die, or are under way.

use crate::op::Op::*;
use crate::regressions::{assert_right, calm, one_volume};
use crate::start::{Setup, Weather};
use spot_rescue::situation::Market;

#[test]
fn regression_a_launch_under_way_leads_to_one_replacement() {
    let setup = Setup {
        volumes: vec![false, false, true],
        ports: vec![80, 443, 8080],
        address: true,
        policy: vec![("spot-rescue:rebalance", "replace")],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        concurrency: 2,
        batch: 2,
        call_millis: 58,
        lag_seconds: 1,
        snapshot_seconds: 141,
        boot_seconds: 19,
        release_seconds: 5,
        shutdown_seconds: 33,
        doubled_percent: 14,
        late_seconds: 1,
        ..calm()
    };
    let ops = [
        Delay(5934, 53),
        CrashBefore(2),
        Capacity(19700, Market::OnDemand, 1),
        Pass(123),
        Attack(15, 46606, 12925),
        Interrupt(62485),
        RefuseRead(3, "ServiceUnavailable"),
        Refuse(10, "InternalError"),
        Pass(132),
        Interrupt(43192),
        RefuseRead(12, "RequestLimitExceeded"),
        Pass(96),
        Rebalance(15399),
        RefuseRead(4, "RequestLimitExceeded"),
        RefuseRead(8, "Timeout"),
        LaunchUnderWay(11),
        Interrupt(44852),
        Interrupt(597),
        Refuse(1, "UnauthorizedOperation"),
        RefuseRead(19, "UnauthorizedOperation"),
        Duplicate(14557),
        Outage(18),
    ];
    assert_right(10_118_789_302_277_172_584, setup, weather, &ops);
}

#[test]
fn regression_a_mark_that_is_changed_does_not_make_a_volume_foreign() {
    let setup = Setup {
        volumes: Vec::new(),
        ports: vec![443],
        classic: true,
        behaviour: spot_rescue::event::InstanceAction::Stop,
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 56,
        lag_seconds: 1,
        snapshot_seconds: 43,
        late_seconds: 4,
        ..calm()
    };
    let ops = [
        Stop(28231),
        Interrupt(0),
        Interrupt(0),
        Capacity(0, Market::OnDemand, 0),
        Interrupt(45162),
        Attack(5, 11462, 31447),
        Attack(0, 16679, 58953),
        CrashAfter(4),
        Attack(21, 16717, 12780),
        Interrupt(53958),
    ];
    assert_right(6_243_019_181_323_550_424, setup, weather, &ops);
}

#[test]
fn regression_dead_instances_are_remembered_while_no_replacement_is_wanted() {
    let setup = Setup {
        volumes: vec![false, false],
        policy: vec![("spot-rescue:replace", "launch")],
        ..one_volume()
    };
    let ops = [
        Snapshot(1),
        InterruptSilently(55676),
        Interrupt(15862),
        Retag(33731, "spot-rescue:replace", "none"),
        Interrupt(29968),
    ];
    assert_right(5_934_238_718_240_760_949, setup, calm(), &ops);
}

#[test]
fn regression_a_launch_under_way_in_an_old_rescue_is_looked_at_soon() {
    let setup = Setup {
        volumes: Vec::new(),
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 1,
        lag_seconds: 1,
        boot_seconds: 17,
        ..calm()
    };
    let ops = [
        Interrupt(0),
        BootFails(5, "Client.InternalError"),
        Interrupt(0),
        Pass(30),
        LaunchUnderWay(1),
    ];
    assert_right(0, setup, weather, &ops);
}

#[test]
fn regression_a_refused_launch_on_an_interface_gives_the_address_up() {
    let start = crate::start::Start {
        seed: 7_808_095_557_955_530_480,
        instances: vec![Setup {
            volumes: vec![],
            ports: vec![443],
            by_address: true,
            classic: false,
            lattice: true,
            address: true,
            behaviour: spot_rescue::event::InstanceAction::Terminate,
            policy: vec![("spot-rescue:private-ip", "keep")],
            elsewhere: true,
            in_group: false,
            in_fleet: false,
            persistent: false,
        }],
        weather: Weather {
            interleave: false,
            concurrency: 1,
            batch: 9,
            call_millis: 53,
            lag_seconds: 1,
            snapshot_seconds: 81,
            boot_seconds: 51,
            release_seconds: 8,
            shutdown_seconds: 32,
            doubled_percent: 14,
            late_seconds: 3,
            launch_millis: 2500,
            tokens_keep_refusals: true,
        },
    };
    let ops = [
        StaleWarning(50385),
        Interrupt(64552),
        Pass(157),
        LoseReply(6),
        Sweep,
        Pass(21),
        Attack(19, 16821, 2240),
        Attack(11, 24598, 56153),
        Duplicate(57300),
        CrashBefore(7),
        RefuseLaunches(crate::op::Refused::All, "InvalidSnapshot.NotFound", true),
        Interrupt(35485),
        Attack(5, 53252, 15209),
        Drop(60061),
        Attack(18, 41584, 54022),
        Outage(4),
        Pass(181),
        Interrupt(49099),
        RefuseRead(1, "UnauthorizedOperation"),
        RefuseRead(14, "ServiceUnavailable"),
        Duplicate(35784),
        Interrupt(65127),
        Pass(110),
        CrashBefore(0),
        Pass(213),
        Pass(233),
        Attack(15, 48602, 8629),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
#[expect(clippy::too_many_lines, reason = "a schedule")]
fn regression_a_copy_is_one_without_its_snapshot() {
    let start = crate::start::Start {
        seed: 2_836_089_053_133_189_281,
        instances: vec![
            Setup {
                volumes: vec![],
                ports: vec![],
                by_address: false,
                classic: true,
                lattice: true,
                address: false,
                behaviour: spot_rescue::event::InstanceAction::Terminate,
                policy: vec![],
                elsewhere: true,
                in_group: true,
                in_fleet: false,
                persistent: false,
            },
            Setup {
                volumes: vec![],
                ports: vec![80, 443, 8080],
                by_address: false,
                classic: false,
                lattice: true,
                address: false,
                behaviour: spot_rescue::event::InstanceAction::Terminate,
                policy: vec![("spot-rescue:rebalance", "replace")],
                elsewhere: true,
                in_group: false,
                in_fleet: false,
                persistent: true,
            },
            Setup {
                volumes: vec![false, true],
                ports: vec![],
                by_address: false,
                classic: true,
                lattice: false,
                address: false,
                behaviour: spot_rescue::event::InstanceAction::Terminate,
                policy: vec![
                    ("spot-rescue:on-demand", "never"),
                    ("spot-rescue:data", "restore"),
                ],
                elsewhere: true,
                in_group: false,
                in_fleet: false,
                persistent: false,
            },
            Setup {
                volumes: vec![true, false],
                ports: vec![8080],
                by_address: true,
                classic: true,
                lattice: true,
                address: false,
                behaviour: spot_rescue::event::InstanceAction::Terminate,
                policy: vec![],
                elsewhere: true,
                in_group: false,
                in_fleet: false,
                persistent: true,
            },
        ],
        weather: Weather {
            interleave: true,
            concurrency: 1,
            batch: 5,
            call_millis: 47,
            lag_seconds: 2,
            snapshot_seconds: 161,
            boot_seconds: 14,
            release_seconds: 41,
            shutdown_seconds: 45,
            doubled_percent: 16,
            late_seconds: 8,
            launch_millis: 2500,
            tokens_keep_refusals: false,
        },
    };
    let ops = [
        Interrupt(17170),
        Attack(11, 25523, 10107),
        Interrupt(52175),
        Attack(7, 7098, 2089),
        Pass(196),
        Attack(21, 24534, 20177),
        Interrupt(59439),
        Pass(227),
        RefuseRead(1, "RequestLimitExceeded"),
        Interrupt(60604),
        Interrupt(1069),
        Pass(9),
        Delay(64592, 22),
        Duplicate(13762),
        Outage(56),
        Pass(101),
        Twice(0),
        Attack(21, 25840, 13701),
        Sweep,
        RefuseLaunches(
            crate::op::Refused::All,
            "AuthFailure.ServiceLinkedRoleCreationNotPermitted",
            true,
        ),
        LoseReply(6),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn regression_no_second_launch_beside_one_that_was_not_answered() {
    let start = crate::Start {
        seed: 3_259_317_532_455_211_357,
        instances: vec![Setup {
            volumes: vec![false, false, false],
            ports: vec![8080],
            by_address: false,
            classic: false,
            lattice: false,
            address: true,
            behaviour: spot_rescue::event::InstanceAction::Terminate,
            policy: vec![],
            elsewhere: false,
            in_group: false,
            in_fleet: false,
            persistent: false,
        }],
        weather: Weather {
            interleave: false,
            concurrency: 1,
            batch: 2,
            call_millis: 35,
            lag_seconds: 3,
            snapshot_seconds: 62,
            boot_seconds: 51,
            release_seconds: 1,
            shutdown_seconds: 5,
            doubled_percent: 24,
            late_seconds: 2,
            launch_millis: 0,
            tokens_keep_refusals: false,
        },
    };
    let ops = [
        CrashBefore(3),
        Interrupt(33904),
        CrashAfter(10),
        Pass(5),
        Snapshot(35163),
        Interrupt(45819),
        CrashBefore(11),
        Attack(1, 3042, 5908),
        Duplicate(46360),
        BootFails(5, "Server.InsufficientInstanceCapacity"),
        Retag(35228, "spot-rescue:private-ip", "keep"),
        Interrupt(22435),
        Attack(14, 65159, 58166),
        Pass(198),
        Capacity(20396, Market::Spot, 0),
        Capacity(55672, Market::OnDemand, 1),
        LoseReply(4),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
