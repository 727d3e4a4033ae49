//! What an attacker must never be given, nor the function do to what is others'.

#![expect(
    clippy::wildcard_enum_match_arm,
    reason = "only what gives or takes something is looked at"
)]

use crate::id::{InstanceId, VolumeId};
use crate::sim::{Entry, SimInstance, State, lineage};
use crate::situation::{Instance, Target};
use crate::step::{Action, Network, RootSource};
use std::collections::BTreeSet;

/// No resource of others goes to an attacker's instance, no resource of an attacker's to an instance of others, and
/// no instance runs with a role that an attacker has named.
#[must_use]
pub fn nothing_stolen(state: &State) -> Vec<String> {
    if state.attackers.is_empty() {
        return Vec::new();
    }
    let done = state.journal.iter().filter(|it| it.outcome.is_ok());
    let given = done.filter_map(|it| Some(format!("{}: {it}", given(state, it)?)));
    let held = state.addresses.keys();
    let held = held.filter(|it| {
        let holder = state.address_holder(it);
        holder.is_some_and(|it| is_attackers(state, &it))
    });
    let held = held.map(|it| format!("{it} is with an attacker"));
    let roles = state.instances.values().filter_map(|it| {
        let profile = it.facts.instance_profile.as_ref()?;
        let stolen = state.attackers.contains(profile);
        stolen.then(|| {
            format!(
                "{} runs with {profile}, which an attacker named",
                it.facts.id
            )
        })
    });
    given.chain(held).chain(roles).collect()
}

/// Snapshots, images and launch templates that the function has deleted and not made. A description of ours on
/// an attacker's own snapshot makes it ours to delete, and the attacker's loss.
#[must_use]
pub fn deleted_others(state: &State) -> Vec<String> {
    let done = || state.journal.iter().filter(|it| it.outcome.is_ok());
    let answers = done().filter_map(|it| it.outcome.as_deref().ok());
    let made: BTreeSet<&str> = answers.flat_map(str::split_whitespace).collect();
    let deleted = done().filter_map(|it| match &it.action {
        Action::DeleteSnapshot { snapshot } => Some(snapshot.to_string()),
        Action::DeregisterImage { image } => Some(image.to_string()),
        Action::DeleteTemplate { template } => Some(template.to_string()),
        _ => None,
    });
    let others = deleted.filter(|id| {
        let planted = id.starts_with("snap-") && state.attackers.contains(id);
        !planted && !made.contains(id.as_str())
    });
    others
        .map(|id| format!("{id} was deleted, and is not of our making"))
        .collect()
}

fn given(state: &State, entry: &Entry) -> Option<&'static str> {
    let planted = |id: &str| state.attackers.contains(id);
    match &entry.action {
        Action::Attach {
            volume, instance, ..
        } => match (is_attackers(state, instance), is_planted(state, volume)) {
            (true, false) => Some("a volume was given to an attacker"),
            (false, true) => Some("a volume of an attacker's was given to an instance of others"),
            _ => None,
        },
        Action::Register { targets, .. } => {
            let mut targets = targets.iter();
            let robbed = targets.any(|it| behind(state, it).is_some_and(|it| of(state, it)));
            robbed.then_some("traffic was given to an attacker")
        }
        Action::Network(Network::Attach {
            interface,
            instance,
            ..
        }) => {
            let given = is_attackers(state, instance) && !planted(interface.as_str());
            given.then_some("an interface was given to an attacker")
        }
        Action::ReplaceRoot(replace) => {
            let of_attacker = match &replace.by {
                RootSource::Volume(id) => is_planted(state, id),
                RootSource::Image(id) => planted(id.as_str()),
            };
            let robbed = of_attacker != is_attackers(state, &replace.instance);
            robbed.then_some("a root went to where it does not belong")
        }
        Action::Launch(launch) => {
            let image = launch.image.as_ref();
            let booted = image.is_some_and(|it| planted(it.as_str()));
            booted.then_some("an image of an attacker's was booted")
        }
        _ => None,
    }
}

fn behind<'a>(state: &'a State, target: &Target) -> Option<&'a Instance> {
    let mut all = state.instances.values().map(|it| &it.facts);
    all.find(|it| it.answers_to(target))
}

fn is_attackers(state: &State, id: &InstanceId) -> bool {
    let known: Option<&SimInstance> = state.instances.get(id);
    state.attackers.contains(id.as_str()) || known.is_some_and(|it| of(state, &it.facts))
}

/// The attacker's own, or what the function has launched to replace it.
fn of(state: &State, instance: &Instance) -> bool {
    let own = |id: &InstanceId| state.attackers.contains(id.as_str());
    let known = state.instances.get(&instance.id);
    own(&instance.id) || known.is_some_and(|it| own(&lineage(state, it)))
}

/// Or a copy of one. A volume that is gone counts as not planted.
fn is_planted(state: &State, id: &VolumeId) -> bool {
    let origin = state.volumes.get(id).map(|it| &it.content.origin);
    let own = |id: &VolumeId| state.attackers.contains(id.as_str());
    own(id) || origin.is_some_and(own)
}
