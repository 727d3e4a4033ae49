//! Which launch request is sent next. A pool that has just refused a launch rests.
//!
//! The choice depends on the record alone, never on the time of the look, which decides only *whether* to launch now
//! or later. So two invocations that count the same failures send the same request, as the same token requires
//! (TRAP 7).

use crate::clock::Timestamp;
use crate::error::launching::{Scope, meaning};
use crate::plan::capacity::lanes::Lane;
use crate::record::{FailedPool, Pool};
use std::collections::BTreeSet;
use time::Duration;

/// The pools that refused a launch, and how long they rest.
#[derive(Clone, Copy)]
pub struct Memory<'a> {
    pub failed: &'a [FailedPool],
    pub rest: Duration,
}

/// The request to send, and from when on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Choice {
    pub lane: Lane,
    /// None if a pool of the request does not rest.
    pub not_before: Option<Timestamp>,
}

/// The first lane with a pool that does not rest; if all rest, the one with the pool that is free again first.
/// `since` is when the rescue began: a rest that was over by then does not count.
pub fn choose(lanes: Vec<Lane>, memory: Memory, since: Timestamp) -> Option<Choice> {
    let last = memory.failed.iter().map(|it| it.at).max();
    let reference = last.map_or(since, |it| it.max(since));
    let mut best: Option<(Timestamp, Lane)> = None;
    for lane in lanes {
        let Some(free) = lane.pools().iter().map(|it| memory.free_from(it)).min() else {
            continue;
        };
        if free <= reference {
            return Some(rested(lane, memory, reference, None));
        }
        if best.as_ref().is_none_or(|(earliest, _)| free < *earliest) {
            best = Some((free, lane));
        }
    }
    best.map(|(free, lane)| rested(lane, memory, free, Some(free)))
}

/// The part of the lane that does not rest at that time.
fn rested(lane: Lane, memory: Memory, at: Timestamp, from: Option<Timestamp>) -> Choice {
    let mut pools = lane.pools();
    pools.retain(|it| memory.free_from(it) <= at);
    Choice {
        lane: lane.narrowed(&pools),
        not_before: from,
    }
}

impl Memory<'_> {
    fn free_from(self, pool: &Pool) -> Timestamp {
        let own = self.failed.iter().filter(|it| self.concerns(it, pool));
        let own = own.map(|it| it.at + meaning(&it.code).rest.unwrap_or(self.rest));
        let paused = self.failed.iter().map(|it| it.at + meaning(&it.code).pause);
        let paused = paused.max().filter(|_| self.pauses());
        own.chain(paused).max().unwrap_or(Timestamp::UNIX_EPOCH)
    }

    fn pauses(self) -> bool {
        let mut all = self.failed.iter();
        all.any(|it| meaning(&it.code).pause > Duration::ZERO)
    }

    /// An unknown code or a denial counts for the whole market once it has come from a second subnet.
    fn concerns(self, failed: &FailedPool, pool: &Pool) -> bool {
        let scope = meaning(&failed.code).scope;
        let grows = matches!(scope, Scope::Unknown | Scope::Denied);
        let here = |it: &&FailedPool| it.code == failed.code && it.pool.market == pool.market;
        let subnets: BTreeSet<_> = self
            .failed
            .iter()
            .filter(here)
            .map(|it| &it.pool.subnet)
            .collect();
        let everywhere = grows && failed.pool.market == pool.market && subnets.len() > 1;
        everywhere || failed.concerns(pool)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::situation::Market;
    use crate::step::InstanceTypes;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_unix_timestamp(1_790_000_000 + seconds).unwrap()
    }

    fn lane(market: Market, subnet: u8, types: &[&str]) -> Lane {
        Lane {
            market,
            subnet: format!("subnet-0000000000000000{subnet}").parse().unwrap(),
            types: InstanceTypes::Named(types.iter().map(|it| (*it).to_owned()).collect()),
        }
    }

    fn failed(lane: &Lane, code: &str, seconds: i64) -> Vec<FailedPool> {
        let failed = |pool| FailedPool {
            pool,
            code: code.to_owned(),
            at: at(seconds),
        };
        lane.pools().into_iter().map(failed).collect()
    }

    fn choose(lanes: Vec<Lane>, failed: &[FailedPool], since: Timestamp) -> Option<Choice> {
        let rest = Duration::minutes(3);
        super::choose(lanes, Memory { failed, rest }, since)
    }

    const NONE_LEFT: &str = "InsufficientInstanceCapacity";

    #[test]
    fn a_pool_without_capacity_rests_for_three_minutes() {
        let spot = lane(Market::Spot, 1, &["m6i.large"]);
        let on_demand = lane(Market::OnDemand, 1, &["m6i.large"]);
        let lanes = vec![spot.clone(), on_demand.clone()];
        let mut memory = failed(&spot, NONE_LEFT, 0);
        let next = choose(lanes.clone(), &memory, at(0)).unwrap();
        assert_eq!((next.lane, next.not_before), (on_demand.clone(), None));
        memory.extend(failed(&on_demand, NONE_LEFT, 2));
        let next = choose(lanes.clone(), &memory, at(0)).unwrap();
        assert_eq!((next.lane, next.not_before), (spot.clone(), Some(at(180))));
        // Three minutes later it is asked again; when that fails, the other has rested, too.
        memory = failed(&on_demand, NONE_LEFT, 2);
        memory.extend(failed(&spot, NONE_LEFT, 182));
        let next = choose(lanes, &memory, at(0)).unwrap();
        assert_eq!((next.lane, next.not_before), (on_demand, None));
    }

    #[test]
    fn of_a_request_only_the_rested_pools_are_asked() {
        let both = lane(Market::Spot, 1, &["m6i.large", "m7i.large"]);
        let memory = failed(&lane(Market::Spot, 1, &["m6i.large"]), NONE_LEFT, 0);
        let next = choose(vec![both], &memory, at(10)).unwrap();
        assert_eq!(next.lane, lane(Market::Spot, 1, &["m7i.large"]));
        assert_eq!(next.not_before, None);
    }

    #[test]
    fn an_exhausted_quota_rules_its_market_out_everywhere() {
        let spot = |subnet| lane(Market::Spot, subnet, &["m6i.large"]);
        let on_demand = |subnet| lane(Market::OnDemand, subnet, &["m6i.large"]);
        let lanes = vec![spot(1), on_demand(1), spot(2), on_demand(2)];
        let mut memory = failed(&spot(1), NONE_LEFT, 0);
        memory.extend(failed(&on_demand(1), "VcpuLimitExceeded", 1));
        let next = choose(lanes.clone(), &memory, at(0)).unwrap();
        assert_eq!(next.lane, spot(2));
        memory.extend(failed(&spot(2), "MaxSpotInstanceCountExceeded", 2));
        let next = choose(lanes, &memory, at(0)).unwrap();
        assert_eq!(
            next.not_before,
            Some(at(181)),
            "On-Demand is not asked elsewhere"
        );
    }

    #[test]
    fn what_failed_long_before_the_rescue_counts_for_nothing() {
        let spot = lane(Market::Spot, 1, &["m6i.large"]);
        let memory = failed(&spot, NONE_LEFT, 0);
        let next = choose(vec![spot], &memory, at(200)).unwrap();
        assert_eq!(next.not_before, None);
    }

    /// It rules out the subnet, then the market, then everything for as long as the policy lets a pool rest; and
    /// before another request is sent, other invocations that may have sent it learn of it.
    #[test]
    fn an_unknown_code_rules_out_more_when_it_is_met_again() {
        const NEW: &str = "SomethingNew";
        let spot = |subnet| lane(Market::Spot, subnet, &["m6i.large"]);
        let on_demand = |subnet| lane(Market::OnDemand, subnet, &["m6i.large"]);
        let lanes = vec![spot(1), spot(2), spot(3), on_demand(1)];
        let mut memory = failed(&spot(1), NEW, 0);
        let next = choose(lanes.clone(), &memory, at(0)).unwrap();
        assert_eq!((next.lane, next.not_before), (spot(2), Some(at(20))));
        memory.extend(failed(&spot(2), NEW, 20));
        let next = choose(lanes.clone(), &memory, at(0)).unwrap();
        assert_eq!((next.lane, next.not_before), (on_demand(1), Some(at(40))));
        memory.extend(failed(&on_demand(1), NEW, 40));
        let next = choose(lanes, &memory, at(0)).unwrap();
        assert_eq!(next.not_before, Some(at(200)), "{}", next.lane.name());
    }

    /// What a person has to mend rests longer than a pool does.
    #[test]
    fn a_market_that_is_refused_rests_for_ten_minutes_everywhere() {
        let spot = |subnet| lane(Market::Spot, subnet, &["m6i.large"]);
        let memory = failed(&spot(1), "MaxFleetCountExceeded", 0);
        let on_demand = lane(Market::OnDemand, 1, &["m6i.large"]);
        let lanes = vec![spot(1), spot(2), on_demand.clone()];
        let next = choose(lanes, &memory, at(0)).unwrap();
        assert_eq!((next.lane, next.not_before), (on_demand, Some(at(20))));
        let next = choose(vec![spot(1), spot(2)], &memory, at(0)).unwrap();
        assert_eq!(next.not_before, Some(at(600)));
    }
}
