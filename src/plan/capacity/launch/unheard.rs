//! Repeats a launch after its answer was lost and its repetition was refused: AWS checks the permissions of a request,
//! which may change, before its token. The instance exists all the same and has the token in a tag that could not be
//! guessed. The same request returns it as soon as AWS accepts the request again.

use crate::clock::Timestamp;
use crate::id::{InstanceId, InterfaceId};
use crate::plan::capacity::lanes::{self, Lane};
use crate::plan::capacity::launch::request::{self, Instead};
use crate::plan::draft::{Plan, Stop};
use crate::plan::lineage::Lineage;
use crate::record::Place;
use crate::situation::Instance;
use crate::step::{InstanceTypes, Step};
use crate::tags;
use time::Duration;

/// After that the instance is reported as one that no launch of ours has returned.
const FOR: Duration = Duration::minutes(3);

/// How many earlier attempts are compared with the tag.
const BACK: u32 = 8;

/// The request that was sent.
pub struct Again {
    pub launched: Timestamp,
    lane: Lane,
    interface: Option<InterfaceId>,
    attempt: u32,
}

pub fn of(lineage: &Lineage, place: &Place, base: &InstanceId) -> Option<Again> {
    young(lineage).find_map(|it| {
        let (attempt, interface) = sent(lineage, base, it)?;
        again(lineage, place, it, attempt, interface)
    })
}

/// Another caller may have overwritten every mark of such an instance. EC2 says that it was launched from the prepared
/// rescue, so the request that was refused last is repeated once. A caller that launches from the prepared rescue thus
/// delays the next request by one look.
pub fn unproven(
    lineage: &Lineage,
    place: &Place,
    base: &InstanceId,
    plan: &mut Plan,
) -> Option<Again> {
    let attempt = lineage.record.attempts.of(base).checked_sub(1)?;
    let unmarked = |it: &&Instance| it.placed && !it.tags.contains_key(tags::REPLACES);
    let it = young(lineage).find(unmarked)?;
    let seen = format!("an instance without marks may be the replacement of {base}");
    let is_asked = lineage.inputs.suspected.contains_key(&seen);
    plan.suspects.entry(seen).or_insert(lineage.now);
    (!is_asked).then(|| again(lineage, place, it, attempt, None))?
}

fn young<'a>(lineage: &Lineage<'a>) -> impl Iterator<Item = &'a Instance> {
    let now = lineage.now;
    { lineage.strangers() }.filter(move |it| now - it.launch_time < FOR)
}

/// The request that has launched the instance.
fn again(
    lineage: &Lineage,
    place: &Place,
    it: &Instance,
    attempt: u32,
    interface: Option<InterfaceId>,
) -> Option<Again> {
    let lanes = match interface {
        None => lanes::lanes(lineage, place),
        Some(_) => lanes::on_interface(lineage, place),
    };
    let lane = lanes.into_iter().find(|lane| led_to(lane, it));
    Some(Again {
        launched: it.launch_time,
        lane: lane.or_else(|| led_by(it))?,
        interface,
        attempt,
    })
}

/// The attempt that launched the instance, and the kept interface if it was launched on that.
fn sent(lineage: &Lineage, base: &InstanceId, it: &Instance) -> Option<(u32, Option<InterfaceId>)> {
    let last = lineage.record.attempts.of(base);
    let primary = lineage.record.primary().map(|it| it.interface.clone());
    let interfaces = [None].into_iter().chain(primary.map(Some));
    let mut all = interfaces.flat_map(|on| {
        (last.saturating_sub(BACK)..=last).map(move |attempt| (attempt, on.clone()))
    });
    all.find(|(attempt, on)| {
        let instead = Instead {
            image: None,
            interface: on.clone(),
        };
        bears(it, base, *attempt, &instead)
    })
}

/// Sends the same request again. It is no new attempt, so a refusal is not counted.
pub fn step(lineage: &Lineage, base: &InstanceId, again: Again, plan: &Plan) -> Result<Step, Stop> {
    let Again {
        launched: _,
        lane,
        interface,
        attempt,
    } = again;
    let instead = Instead {
        image: None,
        interface,
    };
    let step = request::step(lineage, base, lane, instead, attempt, plan)?;
    Ok(Step {
        on_failure: None,
        ..step
    })
}

fn bears(instance: &Instance, base: &InstanceId, attempt: u32, instead: &Instead) -> bool {
    let token = request::launch_token(base, attempt, instead);
    let mark = instance.tags.get(tags::LAUNCHED);
    mark.is_some_and(|it| it.split(' ').next() == Some(token.as_str()))
}

/// The request is not among the ones planned now: it is rebuilt from its instance.
fn led_by(instance: &Instance) -> Option<Lane> {
    Some(Lane {
        market: instance.market,
        subnet: instance.subnet.clone()?,
        types: InstanceTypes::Named(vec![instance.instance_type.clone()]),
    })
}

fn led_to(lane: &Lane, instance: &Instance) -> bool {
    let mut pools = lane.pools().into_iter();
    let subnet = instance.subnet.as_ref();
    lane.market == instance.market
        && Some(&lane.subnet) == subnet
        && pools.any(|it| it.instance_type == instance.instance_type)
}
