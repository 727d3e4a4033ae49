//! Registers the successor as the same targets: in the same groups, on the same ports.
//!
//! A target that cannot be registered holds up no other target, and the rescue for a limited time only. A deleted group
//! is dropped at once; any other refusal (a group in another VPC, a quota, a missing permission) is tried for a while
//! and then named in the outcome.

use crate::dns::same_address;
use crate::plan::draft::Plan;
use crate::plan::facts::ports;
use crate::plan::lineage::Lineage;
use crate::plan::marks::room::record;
use crate::plan::traffic::deregister;
use crate::record::{Record, served_tags};
use crate::situation::{Instance, Registrations, Target, TargetGroup};
use crate::step::{Action, Step};

/// A rescue waits for a target for so many seconds: long enough for throttled calls, and within one chain of wakes.
const REGISTERED_WITHIN: f64 = 120.0;

/// After so many seconds each target gets its own call: AWS refuses a whole call because of one bad target.
const TOGETHER: f64 = 30.0;

/// Registers the recorded targets that are missing. True if none is missing, or after a while. `trying` is the number
/// of seconds since the first attempt.
pub fn plan(lineage: &Lineage, instance: &Instance, trying: f64, plan: &mut Plan) -> bool {
    let Some(found) = lineage.facts.registrations.known() else {
        plan.wait(15, "target groups to be readable");
        return false;
    };
    for group in &found.gone {
        plan.note(format!("{} has been deleted: not joined", group.name()));
    }
    let missing = missing(lineage, instance);
    if missing.is_empty() || trying > REGISTERED_WITHIN {
        return true;
    }
    let nameable = missing.iter().cloned().filter_map(Missing::nameable);
    let nameable: Vec<Target> = nameable.collect();
    let noted = note(lineage, instance, &nameable, plan);
    steps(nameable, trying > TOGETHER, noted, plan);
    for target in missing {
        target.wait(found, plan);
    }
    if trying > TOGETHER {
        plan.wait(15, "targets that are refused");
    }
    false
}

/// A recorded target that is not registered, or that AWS does not show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Missing {
    Unregistered(Target),
    /// The recorded target, if the instance has no address in its place.
    NoAddress(Target),
}

impl Missing {
    fn wait(&self, found: &Registrations, plan: &mut Plan) {
        match self {
            Self::NoAddress(target) => plan.wait(15, format!("an address in place of {target}")),
            Self::Unregistered(target) if !found.was_read(&target.group) => {
                plan.wait(15, format!("{} to be readable", target.group.name()));
            }
            Self::Unregistered(_) => {}
        }
    }

    /// The target to register, if there is one.
    #[must_use]
    pub fn nameable(self) -> Option<Target> {
        match self {
            Self::Unregistered(target) => Some(target),
            Self::NoAddress(_) => None,
        }
    }

    #[must_use]
    pub fn target(&self) -> &Target {
        let (Self::Unregistered(target) | Self::NoAddress(target)) = self;
        target
    }
}

/// The recorded targets that are not registered. A target in a group that was not read counts as missing: registering
/// it again changes nothing.
#[must_use]
pub fn missing(lineage: &Lineage, instance: &Instance) -> Vec<Missing> {
    let Some(found) = lineage.facts.registrations.known() else {
        return Vec::new();
    };
    let wanted = lineage.record.targets.iter();
    let wanted = wanted.filter(|it| !found.gone.contains(&it.group));
    let wanted = wanted.filter(|it| !ports::is_left(lineage, it));
    // An Auto Scaling group registers its members by itself.
    let by_group = |it: &&Target| registers(lineage, instance, &it.group);
    let wanted = wanted.filter(|it| !by_group(it));
    let missing = wanted.filter_map(|it| match translated(&lineage.record, it, instance) {
        Some(target) => (!found.is_registered(&target)).then_some(Missing::Unregistered(target)),
        None => Some(Missing::NoAddress(it.clone())),
    });
    missing.collect()
}

/// The targets for the record after the hand-over, including those that are still owed.
#[must_use]
pub fn handed_over(lineage: &Lineage, instance: &Instance) -> Vec<Target> {
    let found = lineage.facts.registrations.known();
    let wanted = lineage.record.targets.iter();
    let wanted = wanted.filter(|it| !ports::is_left(lineage, it));
    let wanted = wanted.filter_map(|it| translated(&lineage.record, it, instance));
    wanted
        .filter(|it| found.is_none_or(|found| !found.gone.contains(&it.group)))
        .collect()
}

/// The target in the place of the recorded one: the instance's id in a group of instances; in a group of addresses the
/// same address if the instance has it now, else the one in its place.
#[must_use]
pub fn translated(record: &Record, recorded: &Target, instance: &Instance) -> Option<Target> {
    let mut own = instance.private_addresses.iter();
    let id = if recorded.is_instance() {
        instance.id.to_string()
    } else if own.any(|it| recorded.is_address(it)) {
        recorded.id.clone()
    } else {
        in_its_place(record, &recorded.id, instance)?.clone()
    };
    Some(Target {
        id,
        ..recorded.clone()
    })
}

/// The address in the same position among those of the same family, counted from the primary interface's primary
/// address; the first one if the old addresses are not on record.
pub fn in_its_place<'a>(
    record: &Record,
    address: &str,
    instance: &'a Instance,
) -> Option<&'a String> {
    let same_family = |it: &&String| it.contains(':') == address.contains(':');
    let before = record.private_addresses.iter().filter(same_family);
    let place = before.clone().position(|it| same_address(it, address));
    let place = if before.count() == 0 { 0 } else { place? };
    let mut now = instance.private_addresses.iter().filter(same_family);
    now.nth(place)
}

const NOTE: &str = "note the addresses that serve";

/// Records the `ip` targets of a successor before they are registered: if it ends before the hand-over, it no longer
/// shows its addresses, and EC2 gives them to other instances. True if they had to be recorded.
fn note(lineage: &Lineage, instance: &Instance, missing: &[Target], plan: &mut Plan) -> bool {
    let Some(template) = lineage.template() else {
        return false;
    };
    let is_successor = lineage.successor.is_some_and(|it| it.id == instance.id);
    let mut served = lineage.record.served.clone();
    let known = served.len();
    let by_address = missing.iter().filter(|it| !it.is_instance());
    for target in by_address.filter(|_| is_successor) {
        if !served.contains(target) {
            served.push(target.clone());
        }
    }
    if served.len() == known {
        return false;
    }
    let resources = vec![template.id.to_string()];
    let tags = record::onto_record(&served_tags(&served), template);
    plan.step(Step::new(NOTE, Action::Tag { resources, tags }));
    true
}

fn steps(missing: Vec<Target>, alone: bool, noted: bool, plan: &mut Plan) {
    let groups: Vec<(TargetGroup, Vec<Target>)> = if alone {
        let one = |it: Target| (it.group.clone(), vec![it]);
        missing.into_iter().map(one).collect()
    } else {
        deregister::by_group(missing).into_iter().collect()
    };
    for (group, targets) in groups {
        let mut id = deregister::step_id("register", &group, &targets);
        if let (true, Some(port)) = (alone, targets.first().and_then(|it| it.port)) {
            id = format!("{id} {port}");
        }
        let by_address = targets.iter().any(|it| !it.is_instance());
        let step = Step::new(id, Action::Register { group, targets });
        plan.step(if noted && by_address {
            step.after(NOTE)
        } else {
            step
        });
    }
}

/// Auto Scaling registers the claimed member in this group by itself when it goes into service.
#[must_use]
pub fn registers(lineage: &Lineage, instance: &Instance, target_group: &TargetGroup) -> bool {
    let group = lineage.facts.group.known().and_then(Option::as_ref);
    lineage.is_claimed(instance) && group.is_some_and(|it| it.scaling.serves(target_group))
}
