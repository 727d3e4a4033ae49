//! Schedules that failed once, shrunk: changes by a user just before an instance is interrupted.

use crate::op::Hand;
use crate::op::Op::*;
use crate::regressions::{assert_right, calm, one_volume};
use crate::start::{Setup, Weather};
use spot_rescue::event::InstanceAction;

fn nothing() -> Setup {
    Setup {
        volumes: vec![],
        ..one_volume()
    }
}

/// It is stopping already when its warning comes.
#[test]
fn regression_a_hibernated_instance_serves_in_its_new_group_when_it_returns() {
    let setup = Setup {
        behaviour: InstanceAction::Hibernate,
        ..nothing()
    };
    let ops = [Hand(Hand::Register, 0), Pass(1), Interrupt(7116)];
    assert_right(6_057_773_900_760_049_822, setup, calm(), &ops);
}

/// The replacement begins to run in the same second, which another invocation looks into.
#[test]
fn regression_an_event_of_the_same_second_does_not_write_over_the_users_flags() {
    let setup = Setup {
        policy: vec![("spot-rescue:on-demand", "never")],
        ..nothing()
    };
    let weather = Weather {
        lag_seconds: 1,
        launch_millis: 2500,
        ..calm()
    };
    let ops = [Hand(Hand::Attach(true), 0), Interrupt(24253)];
    assert_right(2_064_144_082_452_134_571, setup, weather, &ops);
}

#[test]
fn regression_all_target_groups_are_asked_again_if_the_first_look_could_not() {
    let setup = Setup {
        ports: vec![80],
        ..nothing()
    };
    let weather = Weather {
        lag_seconds: 1,
        late_seconds: 6,
        ..calm()
    };
    let ops = [
        RefuseRead(13, "RequestLimitExceeded"),
        StaleWarning(0),
        Hand(Hand::Register, 0),
        Refuse(1, "RequestLimitExceeded"),
        Interrupt(24192),
    ];
    assert_right(3_946_884_522_263_437_992, setup, weather, &ops);
}

/// A read of the first look fails, and its invocation ends before the groups were asked again: what goes on without the
/// warning is not over before some look has asked all of them. Which read and which call that is changes with the code.
#[test]
fn regression_a_rescue_is_not_over_before_every_target_group_has_been_asked() {
    let weather = Weather {
        lag_seconds: 1,
        boot_seconds: 1,
        ..calm()
    };
    let crashes = (2..8).flat_map(|it| [CrashBefore(it), CrashAfter(it)]);
    for (read, crash) in crashes.flat_map(|it| (0..20).map(move |read| (read, it.clone()))) {
        let setup = Setup {
            ports: vec![80],
            ..nothing()
        };
        let refused = RefuseRead(read, "RequestLimitExceeded");
        let ops = [refused, crash, Hand(Hand::Register, 0), Interrupt(0)];
        assert_right(1, setup, weather.clone(), &ops);
    }
}

#[test]
fn regression_a_new_volume_that_no_look_has_seen_goes_unreported() {
    let setup = Setup {
        policy: vec![("spot-rescue:private-ip", "keep")],
        ..nothing()
    };
    let ops = [
        Hand(Hand::Attach(true), 0),
        Interrupt(41833),
        InterruptSilently(0),
    ];
    assert_right(1_958_539_860_207_770_366, setup, calm(), &ops);
}

#[test]
fn regression_an_instance_hibernated_without_a_warning_serves_in_its_new_group() {
    let setup = Setup {
        behaviour: InstanceAction::Hibernate,
        ..nothing()
    };
    let ops = [Hand(Hand::Register, 0), InterruptSilently(1685), Sweep];
    assert_right(6_956_615_107_308_106_856, setup, calm(), &ops);
}

#[test]
fn regression_a_new_target_is_on_record_before_it_is_taken_out() {
    let setup = Setup {
        by_address: true,
        classic: true,
        lattice: true,
        behaviour: InstanceAction::Stop,
        policy: vec![("spot-rescue:replace", "launch")],
        ..nothing()
    };
    let weather = Weather {
        interleave: true,
        late_seconds: 10,
        ..calm()
    };
    let ops = [
        CrashBefore(7),
        Sweep,
        Hand(Hand::Register, 0),
        Interrupt(1909),
        Duplicate(0),
        Interrupt(0),
    ];
    assert_right(10_549_773_224_116_376_740, setup, weather, &ops);
}

#[test]
fn regression_a_launch_under_way_on_another_interface_leads_to_one_replacement() {
    let setup = Setup {
        policy: vec![("spot-rescue:private-ip", "keep")],
        ..nothing()
    };
    let ops = [
        Interrupt(2834),
        BootFails(5, "Client.InternalError"),
        Pass(136),
        LaunchUnderWay(1),
    ];
    assert_right(0, setup, calm(), &ops);
}

#[test]
fn regression_the_record_is_written_although_the_answer_is_lost() {
    let setup = Setup {
        volumes: vec![true],
        by_address: true,
        classic: true,
        persistent: true,
        ..nothing()
    };
    let weather = Weather {
        late_seconds: 3,
        launch_millis: 2500,
        ..calm()
    };
    let ops = [LoseReply(2), Interrupt(200), Drop(0), Pass(39), Pass(78)];
    assert_right(6_672_965_718_336_395_519, setup, weather, &ops);
}
