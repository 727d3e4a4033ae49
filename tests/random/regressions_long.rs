//! Schedules that failed once, shrunk: what only a run of a hundred thousand finds.

use crate::op::Hand;
use crate::op::Op::*;
use crate::op::Refused;
use crate::regressions::{assert_right, calm, one_volume};
use crate::start::{Setup, Weather};
use spot_rescue::situation::Market::OnDemand;

/// Its user detaches a disk and gives it to another instance, just before the warning.
#[test]
fn regression_a_disk_given_to_an_instance_that_ends_is_left_to_its_user() {
    let setup = Setup {
        volumes: vec![false],
        policy: vec![("spot-rescue:private-ip", "keep")],
        ..one_volume()
    };
    let ops = [Hand(Hand::Detach, 0), GiveAway(0), Interrupt(7211), Sweep];
    assert_right(0, setup, calm(), &ops);
}

#[test]
fn regression_a_disk_attached_and_detached_between_two_looks_is_left_to_its_user() {
    let setup = Setup {
        volumes: vec![],
        ports: vec![8080],
        classic: true,
        policy: vec![("spot-rescue:replace", "launch")],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        batch: 2,
        lag_seconds: 1,
        boot_seconds: 26,
        ..calm()
    };
    let ops = [
        InterruptSilently(2471),
        Hand(Hand::Attach(false), 0),
        Pass(1),
        Pass(1),
        CrashAfter(0),
        Attack(19, 5852, 0),
        Duplicate(0),
        Hand(Hand::Detach, 0),
        Interrupt(0),
        Interrupt(0),
    ];
    assert_right(6_393_746_614_306_388_857, setup, weather, &ops);
}

#[test]
fn regression_no_wake_is_put_off_longer_than_the_queue_allows() {
    let setup = Setup {
        volumes: vec![true],
        lattice: true,
        policy: vec![("spot-rescue:private-ip", "keep")],
        persistent: true,
        ..one_volume()
    };
    let weather = Weather {
        batch: 2,
        lag_seconds: 1,
        doubled_percent: 12,
        late_seconds: 1,
        launch_millis: 2500,
        tokens_keep_refusals: true,
        ..calm()
    };
    let ops = [
        RefuseRead(11, "RequestLimitExceeded"),
        InterruptSilently(16834),
        Attack(4, 38487, 2618),
        Refuse(1, "RequestLimitExceeded"),
        Pass(172),
        Duplicate(26319),
        Interrupt(48915),
        Hand(Hand::StripVolume, 43705),
        Duplicate(8475),
        SnapshotsFail,
        Rebalance(36483),
        StaleWarning(43042),
        Capacity(46934, OnDemand, 1000),
        Pass(167),
        Pass(34),
        CrashAfter(2),
        Interrupt(59694),
        Attack(20, 56493, 13496),
        Interrupt(29056),
        CrashBefore(1),
        Drop(38213),
        Resume(8882),
        BootFails(1, "Server.InternalError"),
        Interrupt(37587),
        Attack(12, 58199, 23922),
    ];
    assert_right(4_090_240_487_086_197_896, setup, weather, &ops);
}

#[test]
fn regression_a_token_used_a_moment_ago_is_not_counted_yet() {
    let setup = Setup {
        volumes: vec![false, false],
        by_address: true,
        classic: true,
        policy: vec![("spot-rescue:rebalance", "replace")],
        elsewhere: true,
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 30,
        lag_seconds: 2,
        snapshot_seconds: 315,
        boot_seconds: 41,
        release_seconds: 4,
        shutdown_seconds: 12,
        late_seconds: 15,
        launch_millis: 2500,
        ..calm()
    };
    let ops = [
        RefuseLaunches(Refused::In(28044), "InsufficientInstanceCapacity", false),
        Interrupt(2666),
        Interrupt(0),
        Delay(21013, 15),
        Attack(8, 9102, 15373),
        RefuseRead(17, "RequestLimitExceeded"),
        Pass(118),
        Pass(139),
        CrashBefore(7),
        CrashAfter(6),
        Pass(169),
        Interrupt(1261),
        Rebalance(46632),
        Refuse(10, "Timeout"),
        Pass(18),
        SnapshotsFail,
        CrashBefore(11),
        LaunchUnderWay(7),
        RefuseLaunches(Refused::Pool(29537, OnDemand), "SomethingNew", true),
        Delay(60962, 47),
        Refuse(8, "ServiceUnavailable"),
        Snapshot(63615),
        Interrupt(25418),
        Pass(40),
    ];
    assert_right(12_826_490_520_864_309_724, setup, weather, &ops);
}

#[test]
fn regression_a_source_whose_copy_has_lost_its_mark_stays() {
    let weather = Weather {
        interleave: true,
        concurrency: 2,
        batch: 6,
        call_millis: 35,
        lag_seconds: 3,
        snapshot_seconds: 312,
        boot_seconds: 9,
        release_seconds: 44,
        shutdown_seconds: 45,
        doubled_percent: 25,
        late_seconds: 2,
        tokens_keep_refusals: true,
        ..calm()
    };
    let none = || Setup {
        volumes: vec![],
        in_group: true,
        ..one_volume()
    };
    let clones = Setup {
        volumes: vec![false; 3],
        policy: vec![("spot-rescue:data", "clone")],
        ..none()
    };
    let addressed = Setup {
        address: true,
        ..none()
    };
    let start = crate::start::Start {
        seed: 13_514_163_590_116_557_691,
        instances: vec![none(), clones, addressed, none()],
        weather,
    };
    let ops = [
        Pass(87),
        Pass(227),
        Attack(5, 13808, 4760),
        Pass(44),
        Interrupt(65494),
        Pass(147),
        Duplicate(35262),
        Drop(61698),
        Hand(Hand::StripVolume, 4686),
        Hand(Hand::StripVolume, 12527),
        Interrupt(29074),
        RefuseLaunches(
            Refused::Pool(43606, OnDemand),
            "UnauthorizedOperation",
            true,
        ),
        Duplicate(57309),
        StaleWarning(44700),
        Interrupt(4801),
    ];
    let (wrong, _) = crate::play(&start, &ops);
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
