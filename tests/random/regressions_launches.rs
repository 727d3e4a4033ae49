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
