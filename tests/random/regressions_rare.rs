//! Schedules that failed once in a hundred thousand, shrunk.

use crate::op::Op::*;
use crate::op::{Hand as By, Refused};
use crate::regressions::{assert_right, calm, one_volume};
use crate::start::{Setup, Weather};
use spot_rescue::event::InstanceAction;

#[test]
fn regression_a_launch_without_an_answer_is_asked_for_now_and_then() {
    let setup = Setup {
        volumes: vec![false; 3],
        ports: vec![443],
        by_address: true,
        lattice: true,
        policy: vec![("spot-rescue:protect", "always")],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        batch: 2,
        call_millis: 1,
        lag_seconds: 2,
        late_seconds: 10,
        ..calm()
    };
    let ops = [
        Hand(By::Attach(false), 0),
        RefuseRead(4, "RequestLimitExceeded"),
        CrashAfter(3),
        Interrupt(56496),
        Interrupt(0),
        Attack(2, 0, 0),
        GiveAway(98),
        Attack(14, 56432, 50978),
        CrashAfter(9),
        StaleWarning(7709),
        Attack(16, 53029, 64193),
        Sweep,
        Interrupt(38605),
    ];
    assert_right(11_968_991_613_139_451_584, setup, weather, &ops);
}

#[test]
fn regression_a_new_target_is_served_although_the_list_of_targets_was_put_back() {
    let setup = Setup {
        volumes: vec![false; 3],
        classic: true,
        address: true,
        policy: vec![("spot-rescue:replace", "launch")],
        ..one_volume()
    };
    let weather = Weather {
        call_millis: 1,
        lag_seconds: 1,
        late_seconds: 5,
        ..calm()
    };
    let ops = [
        Hand(By::Register, 0),
        Interrupt(28933),
        Outage(1),
        Attack(7, 59087, 49637),
    ];
    assert_right(14_288_218_488_294_370_593, setup, weather, &ops);
}

#[test]
fn regression_an_instance_that_is_back_is_not_deregistered_by_its_old_tombstone() {
    let setup = Setup {
        volumes: vec![],
        lattice: true,
        behaviour: InstanceAction::Stop,
        ..one_volume()
    };
    let weather = Weather {
        lag_seconds: 1,
        ..calm()
    };
    assert_right(
        3_221_419_333_270_668_459,
        setup,
        weather,
        &[InterruptSilently(10940)],
    );
}

#[test]
fn regression_a_replacement_with_an_overwritten_mark_is_not_replaced_by_another() {
    let setup = Setup {
        volumes: vec![false; 2],
        ..one_volume()
    };
    let weather = Weather {
        boot_seconds: 29,
        late_seconds: 1,
        ..calm()
    };
    let ops = [
        Refuse(3, "UnauthorizedOperation"),
        Interrupt(6937),
        CrashBefore(2),
        Interrupt(0),
        Attack(10, 4850, 28801),
        Pass(28),
    ];
    assert_right(4_095_657_874_074_636_463, setup, weather, &ops);
}

/// As the one before, and no event meets the replacement before the next launch.
#[test]
fn regression_a_replacement_out_of_sight_is_found_before_another_is_launched() {
    let setup = Setup {
        volumes: vec![false; 2],
        ..one_volume()
    };
    let weather = Weather {
        boot_seconds: 48,
        late_seconds: 2,
        ..calm()
    };
    let ops = [
        Refuse(3, "UnauthorizedOperation"),
        Interrupt(0),
        CrashBefore(2),
        Interrupt(578),
        Attack(10, 4850, 28801),
        Pass(27),
    ];
    assert_right(4_095_657_874_074_636_463, setup, weather, &ops);
}

/// Around those two: a call refused, a call without an answer, and how long the replacement boots.
#[test]
fn a_replacement_with_an_overwritten_mark_is_the_only_one() {
    let setup = Setup {
        volumes: vec![false; 2],
        ..one_volume()
    };
    for (refused, unanswered) in (0..6).flat_map(|it| (0..6).map(move |other| (it, other))) {
        for boot_seconds in [20, 29, 39, 48, 60] {
            for code in ["UnauthorizedOperation", "InsufficientInstanceCapacity"] {
                let weather = Weather {
                    boot_seconds,
                    late_seconds: 2,
                    ..calm()
                };
                let ops = [
                    Refuse(refused, code),
                    Interrupt(0),
                    CrashBefore(unanswered),
                    Interrupt(578),
                    Attack(10, 4850, 28801),
                    Pass(27),
                ];
                assert_right(4_095_657_874_074_636_463, setup.clone(), weather, &ops);
            }
        }
    }
}

/// What others launch from the prepared rescue is taken for the replacement once.
#[test]
fn regression_a_launch_of_others_leads_to_few_launches() {
    let setup = Setup {
        volumes: vec![],
        policy: vec![("spot-rescue:replace", "launch")],
        ..one_volume()
    };
    let refused = || RefuseLaunches(Refused::All, "InsufficientInstanceCapacity", true);
    let before = [
        refused(),
        Attack(1, 0, 0),
        Interrupt(0),
        Interrupt(0),
        Pass(32),
    ];
    let after = [refused(), Interrupt(611), Attack(1, 0, 171), Pass(204)];
    assert_right(0, setup.clone(), calm(), &before);
    assert_right(6_944_543_774_151_341, setup, calm(), &after);
}

#[test]
fn regression_a_clone_with_marks_that_were_refused_once_is_not_left_over() {
    let setup = Setup {
        volumes: vec![false; 2],
        classic: true,
        address: true,
        policy: vec![("spot-rescue:data", "clone")],
        ..one_volume()
    };
    let weather = Weather {
        snapshot_seconds: 86,
        boot_seconds: 52,
        release_seconds: 28,
        shutdown_seconds: 26,
        doubled_percent: 14,
        late_seconds: 7,
        launch_millis: 2500,
        ..calm()
    };
    let ops = [
        Hand(By::StripVolume, 52385),
        Retag(28321, "spot-rescue:data", "restore"),
        Pass(37),
        Delay(37046, 38),
        Pass(64),
        Terminate(5239),
        RefuseLaunches(Refused::All, "InvalidFleetConfiguration", true),
        Pass(34),
        GiveAway(31653),
        Interrupt(19348),
        Refuse(10, "Timeout"),
        Duplicate(8947),
        Interrupt(11340),
        MendLaunches,
        Attack(10, 43836, 32677),
        Pass(155),
        Attack(18, 2504, 28901),
        Pass(116),
        Pass(35),
        Pass(120),
        Pass(19),
        RefuseRead(17, "UnauthorizedOperation"),
        Rebalance(60943),
        Attack(13, 45894, 42765),
        Interrupt(1598),
        Outage(24),
    ];
    assert_right(1_450_945_216_968_534_154, setup, weather, &ops);
}
