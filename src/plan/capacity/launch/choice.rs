//! Which request is sent next: the first one with a pool that does not rest.

use crate::clock::Timestamp;
use crate::id::InstanceId;
use crate::plan::capacity::deaths;
use crate::plan::capacity::lanes::{self, Lane};
use crate::plan::capacity::launch::plain;
use crate::plan::capacity::launch::request::Instead;
use crate::plan::capacity::pools::{self, Choice, Memory};
use crate::plan::draft::Stop;
use crate::plan::lineage::{Lineage, chosen};
use crate::record::{FailedPool, Place};
use crate::situation::{Instance, Market};
use time::Duration;

/// The next request to send, unless all its pools rest.
pub fn lane(
    lineage: &Lineage,
    place: &Place,
    base: &InstanceId,
    instead: &Instead,
) -> Result<Lane, Stop> {
    let lanes = match &instead.interface {
        None => lanes::lanes(lineage, place),
        Some(_) => lanes::on_interface(lineage, place),
    };
    let open = free(lineage, lanes, base, instead);
    let elsewhere = || free(lineage, lanes::lanes(lineage, place), base, instead).is_ok();
    if instead.interface.is_some() && open.is_err() && elsewhere() {
        let why = format!("there is no capacity in {}", place.subnet);
        return Err(Stop::GiveUpAddress(why));
    }
    open
}

/// The first of these requests with a pool that does not rest.
pub fn free(
    lineage: &Lineage,
    lanes: Vec<Lane>,
    base: &InstanceId,
    instead: &Instead,
) -> Result<Lane, Stop> {
    let mut failed = failed(lineage);
    if instead.image.is_some() {
        // A pool that was refused because the prepared image is missing has not been tried with the other image, which
        // takes longer than a minute to be made.
        let lately = |it: &FailedPool| lineage.now - it.at < Duration::MINUTE;
        failed.retain(|it| !it.code.starts_with(chosen::NO_IMAGE) || lately(it));
    }
    let memory = Memory {
        failed: &failed,
        rest: lineage.policy.pool_rest.value,
    };
    let Some(Choice { lane, not_before }) = pools::choose(lanes, memory, since(lineage, base))
    else {
        let what = "a pool to launch in that the policy and the stack's parameters allow";
        return Err(Stop::Wait(60, what.to_owned()));
    };
    let rests = not_before.map_or(0, |it| (it - lineage.now).whole_seconds());
    if rests <= 0 {
        return Ok(lane);
    }
    let what = format!(
        "a pool to launch in: all have refused lately, {} is tried first",
        lane.name()
    );
    let seconds = u16::try_from(rests).unwrap_or(u16::MAX).max(5);
    Err(Stop::Wait(seconds, what))
}

/// The pools of refused launches, and those of replacements that ended for want of capacity.
fn failed(lineage: &Lineage) -> Vec<FailedPool> {
    let mut all = deaths::pools(lineage);
    let later = |it: &FailedPool| {
        lineage
            .record
            .failed_pools
            .iter()
            .any(|known| known.pool == it.pool && known.at >= it.at)
    };
    all.retain(|it| !later(it));
    let again = |it: &&FailedPool| {
        all.iter().all(|dead| dead.pool != it.pool) && !plain::answers(lineage, it)
    };
    let known = lineage.record.failed_pools.iter().filter(again).cloned();
    known.chain(all.clone()).collect()
}

/// The first request that a warning would send, if it is for Spot.
pub fn first_lane(lineage: &Lineage) -> Vec<Lane> {
    let place = lineage.record.place.as_ref();
    let mut lanes = place.map_or_else(Vec::new, |it| lanes::lanes(lineage, it));
    lanes.truncate(1);
    lanes.retain(|it| it.market == Market::Spot);
    lanes
}

/// Spot requests in the instance's own subnet, where its volumes need no copy.
pub fn spot_here(lineage: &Lineage) -> Vec<Lane> {
    let Some(place) = &lineage.record.place else {
        return Vec::new();
    };
    let mut lanes = lanes::lanes(lineage, place);
    lanes.retain(|it| it.market == Market::Spot && it.subnet == place.subnet);
    lanes
}

/// The record names pools that failed, and first aid does not read it. For an instance that was launched longer ago
/// than pools rest, those failures no longer count.
pub fn knows_all_pools(lineage: &Lineage, instance: &Instance) -> bool {
    since(lineage, &instance.id) - instance.launch_time > lineage.policy.pool_rest.value
}

/// The time of the interruption of the instance to be replaced, or of its launch if no interruption is known.
pub fn since(lineage: &Lineage, base: &InstanceId) -> Timestamp {
    let instance = lineage.member(base);
    let taken = instance.and_then(|it| lineage.interruption(it));
    let recorded = lineage.record.interruption.as_ref();
    // An interruption that is announced for later counts from now on, since pools rest from now on.
    let now = lineage.now;
    let taken = taken.as_ref().or(recorded).map(|it| it.at.min(now));
    taken
        .or(instance.map(|it| it.launch_time))
        .unwrap_or(Timestamp::UNIX_EPOCH)
}
