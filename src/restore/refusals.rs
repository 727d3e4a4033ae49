//! Why an order is not carried out: said before anything is changed, and again at each look.

use super::look::View;
use super::offers::{Offer, Part};
use super::order::{Order, To};
use crate::backup::SetState;
use crate::event::InstanceState;
use crate::id::InstanceId;
use crate::situation::{Device, Instance};

/// The first reason, with what to do.
#[must_use]
pub fn refusal(order: &Order, view: &View) -> Option<String> {
    of_the_set(&order.offer).or_else(|| match &order.to {
        To::Zone(_) => None,
        To::Instance(id) => of_the_instance(order, view, id),
    })
}

fn of_the_set(offer: &Offer) -> Option<String> {
    let name = &offer.set.name;
    let hindrance = match offer.set.state {
        SetState::Completed => None,
        SetState::Pending => Some("is not complete yet"),
        SetState::Failed => Some("has a snapshot that has failed"),
    };
    if let Some(why) = hindrance {
        return Some(format!("{name} {why}; choose another set"));
    }
    if offer.parts.is_empty() {
        return Some(format!("{name} has no volume that was asked for"));
    }
    let unknown = { offer.parts.iter() }.find(|it| it.like.is_none());
    unknown.map(|it| {
        let (snapshot, volume) = (&it.snapshot, &it.volume);
        format!(
            "{snapshot} does not say what {volume} was like; make a volume of it with `aws ec2 create-volume`"
        )
    })
}

fn of_the_instance(order: &Order, view: &View, id: &InstanceId) -> Option<String> {
    let Some(target) = &view.target else {
        return Some(format!("{id} does not exist in this account and Region"));
    };
    if view.rescue {
        return Some(format!(
            "a rescue of {id} is under way and moves its volumes; wait for its outcome"
        ));
    }
    let ready = matches!(
        target.state,
        InstanceState::Running | InstanceState::Stopped
    );
    if !ready {
        return Some(format!(
            "{id} neither runs nor is stopped: EC2 attaches nothing to it"
        ));
    }
    let mut parts = order.offer.parts.iter();
    parts.find_map(|it| of_the_device(order, view, target, it))
}

fn of_the_device(order: &Order, view: &View, target: &Instance, part: &Part) -> Option<String> {
    let (id, snapshot) = (&target.id, &part.snapshot);
    let Some(device) = &part.device else {
        return Some(format!(
            "{snapshot} does not say under which device its volume was; without --to the volume is left unattached"
        ));
    };
    let held = occupant(order, view, target, device)?;
    let volume = &held.volume;
    if order.in_place.is_none() {
        return Some(format!(
            "{device} of {id} is {volume}: nothing is overwritten; --in-place puts the restored volume there and keeps {volume}"
        ));
    }
    (target.state != InstanceState::Stopped).then(|| {
        format!(
            "{id} runs and may be writing to {volume}; stop it first, then restore in place: aws ec2 stop-instances --instance-ids {id}"
        )
    })
}

/// A volume under the device that this order has not made.
#[must_use]
pub fn occupant<'a>(
    order: &Order,
    view: &View,
    target: &'a Instance,
    device: &str,
) -> Option<&'a Device> {
    let held = target.devices.iter().find(|it| it.name == device)?;
    let ours = view.made(order).any(|it| it.id == held.volume);
    (!ours).then_some(held)
}
