//! A launch whose answer nobody has heard, and that was refused when it was sent again: what comes and goes, like a
//! policy, is looked at before the token. The instance is there all the same, and bears the token in a mark that
//! nobody could know beforehand; the same request returns it, as soon as it is let through.

use super::Stop;
use super::request::{self, Instead};
use crate::id::InstanceId;
use crate::plan::lanes::{Lane, lanes};
use crate::plan::{Lineage, Plan};
use crate::record::Place;
use crate::situation::Instance;
use crate::step::Step;
use crate::tags;
use time::Duration;

/// Then it is given up, and told as a stranger.
const FOR: Duration = Duration::minutes(3);
/// So many launches back at most.
const BACK: u32 = 8;

/// The request that was sent.
pub struct Again {
    lane: Lane,
    attempt: u32,
}

pub fn of(lineage: &Lineage, place: &Place, base: &InstanceId) -> Option<Again> {
    let now = lineage.situation.now;
    let sent = lineage.record.attempts.of(base);
    let mut young = lineage.strangers().filter(|it| now - it.launch_time < FOR);
    young.find_map(|it| {
        let attempt = (sent.saturating_sub(BACK)..=sent).find(|n| bears(it, base, *n))?;
        let lane = lanes(lineage, place)
            .into_iter()
            .find(|lane| led_to(lane, it))?;
        Some(Again { lane, attempt })
    })
}

/// It is not counted: it is no new request.
pub fn step(lineage: &Lineage, base: &InstanceId, again: Again, plan: &Plan) -> Result<Step, Stop> {
    let Again { lane, attempt } = again;
    let step = request::step(lineage, base, lane, Instead::default(), attempt, plan)?;
    Ok(Step {
        on_failure: None,
        ..step
    })
}

fn bears(instance: &Instance, base: &InstanceId, attempt: u32) -> bool {
    let token = request::launch_token(base, attempt, &Instead::default());
    let mark = instance.tags.get(tags::LAUNCHED);
    mark.is_some_and(|it| it.split(' ').next() == Some(token.as_str()))
}

fn led_to(lane: &Lane, instance: &Instance) -> bool {
    let mut pools = lane.pools().into_iter();
    let subnet = instance.subnet.as_ref();
    lane.market == instance.market
        && Some(&lane.subnet) == subnet
        && pools.any(|it| it.instance_type == instance.instance_type)
}
