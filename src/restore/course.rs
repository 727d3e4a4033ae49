//! What comes next: volumes are made, what is in the way is detached, the volumes are attached, their flags put back.

use super::look::View;
use super::offers::Part;
use super::order::{Order, To};
use super::refusals::{occupant, refusal};
use super::{KEPT_UNTIL, RUN};
use crate::clock;
use crate::id::{InstanceId, VolumeId};
use crate::situation::{Instance, Volume, VolumeState};
use crate::step::{Action, CreateVolume, token};
use crate::tags::Tags;
use std::collections::BTreeMap;
use std::fmt;

/// One call of a restore.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Call {
    Send(Box<Action>),
    Detach { volume: VolumeId, from: InstanceId },
}

/// What comes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// One after the other; those after a failure are not sent.
    Calls(Vec<Call>),
    Wait(String),
    /// The volumes, by device where they are attached.
    Done(Vec<(String, VolumeId)>),
    /// Nothing is done, or nothing more.
    Refused(String),
}

impl fmt::Display for Call {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Send(action) => action.fmt(f),
            Self::Detach { volume, from } => write!(f, "detach {volume} from {from}"),
        }
    }
}

/// The next calls, or what is waited for.
#[must_use]
pub fn next(order: &Order, view: &View) -> Next {
    if let Some(why) = refusal(order, view) {
        return Next::Refused(why);
    }
    made(order, view)
        .or_else(|| match &order.to {
            To::Zone(_) => None,
            To::Instance(_) => attached(order, view),
        })
        .unwrap_or_else(|| done(order, view))
}

fn done(order: &Order, view: &View) -> Next {
    let parts = order.offer.parts.iter();
    let volume = |it| Some((name(it), view.made_for(order, it)?.id.clone()));
    Next::Done(parts.filter_map(volume).collect())
}

fn name(part: &Part) -> String {
    let device = part.device.clone();
    device.unwrap_or_else(|| part.volume.to_string())
}

/// Until every volume is there.
fn made(order: &Order, view: &View) -> Option<Next> {
    let parts = || order.offer.parts.iter();
    let missing = parts().filter(|it| view.made_for(order, it).is_none());
    let calls: Vec<Call> = missing.filter_map(|it| create(order, view, it)).collect();
    if !calls.is_empty() {
        return Some(Next::Calls(calls));
    }
    let made = || parts().filter_map(|it| view.made_for(order, it));
    if let Some(failed) = made().find(|it| !it.is_usable()) {
        let key = failed.settings.kms_key.as_deref();
        let key = key.map_or(String::new(), |it| {
            format!("; its key {it} may be disabled, or you may not use it")
        });
        return Some(Next::Refused(format!(
            "EC2 could not make {}{key}",
            failed.id
        )));
    }
    let creating = made().find(|it| it.state == VolumeState::Creating);
    creating.map(|it| Next::Wait(format!("{} to be available", it.id)))
}

fn create(order: &Order, view: &View, part: &Part) -> Option<Call> {
    let zone = match &order.to {
        To::Zone(zone) => zone,
        To::Instance(_) => &view.target.as_ref()?.availability_zone,
    };
    let run = (RUN.to_owned(), order.run.clone());
    let mut tags: Tags = part.users.clone();
    tags.extend([run]);
    Some(Call::Send(Box::new(Action::CreateVolume(CreateVolume {
        snapshot: part.snapshot.clone(),
        availability_zone: zone.clone(),
        settings: part.like.as_ref()?.settings.clone(),
        initialization_rate: order.rate,
        tags,
        token: token(&[&order.run, &order.attempt, part.snapshot.as_str(), zone]),
    }))))
}

/// Until every volume is under its device, with its flag.
fn attached(order: &Order, view: &View) -> Option<Next> {
    let target = view.target.as_ref()?;
    if let Some(next) = displaced(order, view, target) {
        return Some(next);
    }
    let pairs =
        || { order.offer.parts.iter() }.filter_map(|it| Some((it, view.made_for(order, it)?)));
    let free = pairs().filter(|(_, it)| it.attachments.is_empty());
    let calls = free.filter_map(|(part, it)| attach(part, it, target));
    let calls: Vec<Call> = calls.collect();
    if !calls.is_empty() {
        return Some(Next::Calls(calls));
    }
    let elsewhere = pairs().find(|(_, it)| it.attachment(&target.id).is_none());
    if let Some((_, volume)) = elsewhere {
        let id = &volume.id;
        return Some(Next::Refused(format!(
            "{id} of this restore is attached to another instance; it is left there"
        )));
    }
    let coming = pairs().find(|(_, it)| !it.attached_to(&target.id));
    if let Some((_, volume)) = coming {
        return Some(Next::Wait(format!("{} to be attached", volume.id)));
    }
    flags(order, target).map(|it| Next::Calls(vec![it]))
}

/// What is in the way is marked first, so that it is known once it is detached.
fn displaced(order: &Order, view: &View, target: &Instance) -> Option<Next> {
    let until = order.in_place?;
    let devices = { order.offer.parts.iter() }.filter_map(|it| it.device.as_deref());
    let held: Vec<_> = devices
        .filter_map(|it| occupant(order, view, target, it))
        .collect();
    let leaving = |it: &&Volume| {
        let held = held.iter().any(|held| held.volume == it.id);
        held && !it.attached_to(&target.id)
    };
    if let Some(volume) = view.volumes.iter().find(leaving) {
        return Some(Next::Wait(format!("{} to be detached", volume.id)));
    }
    let calls = held.into_iter().flat_map(|it| {
        let mark = Call::Send(Box::new(Action::Tag {
            resources: vec![it.volume.to_string()],
            tags: [(KEPT_UNTIL.to_owned(), clock::format(until))].into(),
        }));
        let detach = Call::Detach {
            volume: it.volume.clone(),
            from: target.id.clone(),
        };
        [mark, detach]
    });
    let calls: Vec<Call> = calls.collect();
    (!calls.is_empty()).then_some(Next::Calls(calls))
}

fn attach(part: &Part, volume: &Volume, target: &Instance) -> Option<Call> {
    Some(Call::Send(Box::new(Action::Attach {
        volume: volume.id.clone(),
        instance: target.id.clone(),
        device: part.device.clone()?,
    })))
}

/// An attachment begins without `DeleteOnTermination`.
fn flags(order: &Order, target: &Instance) -> Option<Call> {
    let wanted = |it: &Part| {
        let device = it.device.clone()?;
        let flag = it.like.as_ref()?.delete_on_termination;
        let shown = target.devices.iter().find(|it| it.name == device);
        let differs = shown.is_some_and(|it| it.delete_on_termination != flag);
        differs.then_some((device, flag))
    };
    let devices: BTreeMap<String, bool> = order.offer.parts.iter().filter_map(wanted).collect();
    (!devices.is_empty()).then(|| {
        Call::Send(Box::new(Action::SetDeleteOnTermination {
            instance: target.id.clone(),
            devices,
        }))
    })
}
