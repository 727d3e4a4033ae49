//! Schedules that failed once, shrunk: found only by a run of a hundred thousand.

use crate::op::Hand;
use crate::op::Op::*;
use crate::op::Refused;
use crate::regressions::{assert_right, calm, one_volume};
use crate::start::{Setup, Weather};
use spot_rescue::event::InstanceAction;
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
fn regression_the_source_of_a_copy_without_its_mark_stays() {
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
        in_fleet: false,
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

/// The first look could not read enough of the record to write it down.
#[test]
fn regression_a_target_registered_since_the_last_sweep_is_noted_whatever_could_not_be_read() {
    let setup = Setup {
        volumes: vec![],
        ports: vec![],
        address: true,
        behaviour: InstanceAction::Stop,
        ..one_volume()
    };
    let ops = [
        Attack(18, 0, 0),
        Hand(Hand::Register, 0),
        RefuseRead(4, "RequestLimitExceeded"),
        Interrupt(14079),
        Interrupt(25358),
    ];
    assert_right(13_385_063_904_892_119_104, setup, calm(), &ops);
}

/// A group replaces it half a day later.
#[test]
fn regression_copies_of_a_long_rescue_get_their_expiry_as_soon_as_it_is_over() {
    let setup = Setup {
        volumes: vec![],
        policy: vec![("spot-rescue:private-ip", "keep")],
        in_group: true,
        in_fleet: false,
        ..one_volume()
    };
    let weather = Weather {
        lag_seconds: 1,
        late_seconds: 8,
        ..calm()
    };
    let ops = [
        Interrupt(0),
        Retag(7106, "spot-rescue:replace", "none"),
        Interrupt(0),
    ];
    assert_right(16_437_186_416_620_582_205, setup, weather, &ops);
}

/// A launch of an invocation that crashed can only be repeated with the version that it named.
#[test]
fn regression_twins_that_prepare_at_the_same_time_delete_no_version_that_was_launched() {
    let setup = Setup {
        volumes: vec![],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        batch: 2,
        snapshot_seconds: 40,
        boot_seconds: 11,
        late_seconds: 4,
        ..calm()
    };
    let ops = [
        CrashBefore(1),
        Interrupt(19220),
        CrashAfter(4),
        StaleWarning(23168),
        Pass(29),
        Pass(80),
        StaleWarning(2474),
        Hand(Hand::Attach(false), 0),
        Interrupt(0),
        Pass(3),
    ];
    assert_right(2_093_616_738_687_761_241, setup, weather, &ops);
}

/// EC2 itself has answered the token of the clone with it.
#[test]
fn regression_a_clone_stripped_of_its_tags_while_it_is_made_is_still_ours() {
    let setup = Setup {
        volumes: vec![false, false],
        ports: vec![8080],
        classic: true,
        policy: vec![("spot-rescue:data", "clone")],
        persistent: true,
        ..one_volume()
    };
    let weather = Weather {
        doubled_percent: 7,
        late_seconds: 8,
        ..calm()
    };
    let ops = [
        RefuseLaunches(Refused::All, "InsufficientFreeAddressesInSubnet", false),
        Interrupt(229),
        CrashAfter(8),
        Interrupt(0),
        Hand(Hand::StripVolume, 34183),
    ];
    assert_right(13_464_333_541_003_185_073, setup, weather, &ops);
}

/// Its launch was refused and counted; the tombstone was not written.
#[test]
fn regression_a_launch_by_first_aid_after_a_crash_is_waited_for_before_another_one() {
    let both = (0..5).flat_map(|it| (0..5).map(move |other| (it, other)));
    for ((first, second), crash) in both.flat_map(|it| (2..8).map(move |crash| (it, crash))) {
        let setup = Setup {
            volumes: vec![],
            ..one_volume()
        };
        let weather = Weather {
            lag_seconds: 3,
            ..calm()
        };
        let ops = [
            Refuse(first, "UnauthorizedOperation"),
            Refuse(second, "Timeout"),
            CrashAfter(crash),
            Interrupt(0),
        ];
        assert_right(1, setup, weather, &ops);
    }
}

type Policy = Vec<(&'static str, &'static str)>;

/// Changes by its user just before the warning, the disks of an instance, its policy.
fn first_looks() -> impl Iterator<Item = (Hand, Vec<bool>, Policy)> {
    let hands = [Hand::Detach, Hand::Register, Hand::Attach(true)];
    let moved = hands.map(|it| (it, vec![false], vec![]));
    let none = hands.map(|it| (it, vec![], vec![]));
    let cloned = hands.map(|it| (it, vec![false], vec![("spot-rescue:data", "clone")]));
    moved.into_iter().chain(none).chain(cloned)
}

/// A disk detached just before the warning, a target registered: the first look crashes at every call.
#[test]
fn regression_a_first_look_that_crashes_before_it_has_noted_what_it_saw_looks_again() {
    for call in 0..12 {
        for (hand, volumes, policy) in first_looks() {
            let setup = Setup {
                volumes,
                policy,
                ..one_volume()
            };
            let ops = [CrashBefore(call), Hand(hand, 0), Interrupt(0), Interrupt(0)];
            assert_right(1, setup, calm(), &ops);
        }
    }
}

/// The same where a read fails: it is repeated before anything is handed over.
#[test]
fn regression_a_first_look_that_could_not_read_looks_again() {
    for call in 0..16 {
        for (hand, volumes, policy) in first_looks() {
            let setup = Setup {
                volumes,
                policy,
                ..one_volume()
            };
            let ops = [
                Hand(hand, 0),
                RefuseRead(call, "RequestLimitExceeded"),
                Interrupt(0),
            ];
            assert_right(1, setup, calm(), &ops);
        }
    }
}

/// A version was written and not noted, and the old ones were still to be deleted.
#[test]
fn regression_a_version_that_is_not_noted_yet_is_not_deleted_as_foreign() {
    let setup = Setup {
        volumes: vec![false],
        policy: vec![("spot-rescue:private-ip", "keep")],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        lag_seconds: 1,
        late_seconds: 2,
        ..calm()
    };
    let ops = [
        CrashAfter(7),
        Hand(Hand::Detach, 19),
        Sweep,
        Retag(56961, "spot-rescue:on-demand", "fallback"),
        Pass(146),
        Snapshot(64635),
        Pass(53),
        Interrupt(43815),
        Sweep,
    ];
    assert_right(16_862_010_374_442_803_696, setup, weather, &ops);
}

/// The second look of a repeated warning finds the flags switched off by the first, except the interface's.
#[test]
fn regression_the_flag_of_a_new_volume_is_not_taken_from_a_look_that_came_second() {
    let setup = Setup {
        volumes: vec![],
        policy: vec![("spot-rescue:data", "clone")],
        ..one_volume()
    };
    let weather = Weather {
        batch: 2,
        lag_seconds: 1,
        doubled_percent: 3,
        late_seconds: 1,
        launch_millis: 2500,
        ..calm()
    };
    let ops = [Hand(Hand::Attach(true), 0), Interrupt(35099)];
    assert_right(10_958_839_948_252_312_662, setup, weather, &ops);
}

/// Launched from the version before by an invocation that crashed.
#[test]
fn regression_a_spare_is_asked_for_as_the_version_before_as_well() {
    let setup = Setup {
        volumes: vec![false, false],
        ports: vec![8080],
        classic: true,
        policy: vec![("spot-rescue:rebalance", "replace")],
        ..one_volume()
    };
    let weather = Weather {
        interleave: true,
        lag_seconds: 1,
        doubled_percent: 7,
        late_seconds: 10,
        ..calm()
    };
    let ops = [
        Interrupt(7766),
        LoseReply(3),
        StaleWarning(702),
        Rebalance(4543),
        Hand(Hand::Detach, 0),
        Sweep,
        CrashAfter(3),
        Interrupt(6020),
        Pass(2),
    ];
    assert_right(17_958_819_481_339_859_971, setup, weather, &ops);
}

/// The warning comes once more after a crash: the flags are waited for, and registered targets leave all the same, so
/// they are noted.
#[test]
fn regression_a_new_target_is_noted_before_it_leaves_whatever_else_is_uncertain() {
    let setup = Setup {
        volumes: vec![],
        lattice: true,
        ..one_volume()
    };
    let weather = Weather {
        doubled_percent: 6,
        ..calm()
    };
    let ops = [
        Hand(Hand::Attach(false), 0),
        Hand(Hand::Register, 0),
        CrashBefore(5),
        Interrupt(5276),
    ];
    assert_right(9_556_654_762_407_298_490, setup, weather, &ops);
}

/// The same, wherever it crashes and whatever comes with it.
#[test]
fn regression_a_first_look_that_comes_again_loses_nothing_new() {
    for act in 0..10 {
        for (with_flag, behind) in [(false, 0), (false, 1), (true, 0), (true, 1)] {
            let setup = Setup {
                volumes: vec![],
                ports: if behind == 0 { vec![] } else { vec![8080] },
                lattice: behind == 0,
                ..one_volume()
            };
            let ops = [
                Hand(Hand::Attach(with_flag), 0),
                Hand(Hand::Register, 0),
                CrashBefore(act),
                Duplicate(0),
                Interrupt(5276),
                Duplicate(0),
            ];
            for batch in [1, 2] {
                let weather = Weather {
                    batch,
                    doubled_percent: 50,
                    ..calm()
                };
                assert_right(act + 1, setup.clone(), weather, &ops);
            }
        }
    }
}
