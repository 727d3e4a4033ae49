//! The DNS name that follows the instance: a record with an address of the replaced instance gets the address in its
//! place. A private address is replaced by a private one, a public by a public one.
//!
//! A user who may tag an instance may name any record. So a record set is changed only while it has one address, which
//! is of this instance, and only if nothing else changes with it: no alias, and none of several that share the name.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>

use crate::dns::{Lookup, RecordSet, Says, same_address};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::traffic::register;
use crate::record::{Named, Record, pointed_tags};
use crate::situation::{Fact, Instance};
use crate::step::{Action, PointName, Step};

/// So many seconds after its volumes are attached, a replacement counts as back without its name. That is longer than
/// its addresses are waited for, which the name depends on.
const NAME_FOLLOWS_WITHIN: f64 = 420.0;

/// So many seconds if Route 53 or IAM refuses: a new permission takes a while to work everywhere.
const REFUSALS: f64 = 45.0;

/// What to do with a record set.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// It has an address of the instance.
    Right,
    /// It gets a new address. The text is the address it had before.
    Point(PointName, String),
    /// It has an address of the replaced instance, and the instance has none in that place yet.
    NoAddress,
    /// It is left as it is, and why.
    Left(String),
}

/// True once the name has an address of the instance, or is given up.
pub fn plan(lineage: &Lineage, instance: &Instance, trying: f64, plan: &mut Plan) -> bool {
    let Some(named) = &lineage.record.named else {
        return true;
    };
    let late = trying > NAME_FOLLOWS_WITHIN;
    let Some(lookup) = lookup(lineage, named) else {
        if late {
            plan.note(format!(
                "{} could not be looked up: left as it is",
                named.name
            ));
        } else {
            plan.wait(5, format!("{} to be looked up", named.name));
        }
        return late;
    };
    let sets = match &lookup.found {
        Err(why) => {
            plan.note(unreadable(named, why));
            return given_up(trying, plan);
        }
        Ok(sets) => sets,
    };
    let mut settled = true;
    for set in sets {
        settled &= settle(lineage, named, set, instance, trying, plan);
    }
    settled || late
}

/// A refused call is repeated a few times.
fn given_up(trying: f64, plan: &mut Plan) -> bool {
    let given_up = trying > REFUSALS;
    if !given_up {
        plan.wait(15, "Route 53 to allow what it has refused");
    }
    given_up
}

/// True if no step is left for this record set.
fn settle(
    lineage: &Lineage,
    named: &Named,
    set: &RecordSet,
    instance: &Instance,
    trying: f64,
    plan: &mut Plan,
) -> bool {
    match verdict(&lineage.record, named, set, instance) {
        Verdict::Right => true,
        Verdict::Left(why) => {
            plan.note(format!("{}: left as it is", titled(named, set, &why)));
            true
        }
        Verdict::NoAddress => {
            plan.wait(
                15,
                format!("an address of {} for {}", instance.id, named.name),
            );
            false
        }
        Verdict::Point(point, before) => {
            if lineage.inputs.refused.contains(&step_id(&point)) {
                let what = titled(named, set, "may not be changed");
                plan.note(format!("{what}: it should have {}", point.address));
                return given_up(trying, plan);
            }
            change(lineage, point, before, plan);
            false
        }
    }
}

/// Writes the new address into the record before the change: a terminated instance shows no address, and the next
/// replacement must know which address replaced the old one.
fn change(lineage: &Lineage, point: PointName, before: String, plan: &mut Plan) {
    let Some(template) = lineage.template() else {
        plan.wait(
            5,
            "the prepared rescue to be readable, to note where its name goes",
        );
        return;
    };
    let mut pointed = lineage.record.pointed.clone();
    pointed.insert(point.address.clone(), before);
    let tags = pointed_tags(&pointed);
    let known = own::holds(&template.tags, &tags);
    let (id, note) = (step_id(&point), format!("note {}", step_id(&point)));
    let step = Step::new(id, Action::PointName(point));
    if known {
        plan.step(step);
        return;
    }
    let resources = vec![template.id.to_string()];
    plan.step(Step::new(&note, Action::Tag { resources, tags }));
    plan.step(step.after(&note));
}

fn step_id(point: &PointName) -> String {
    format!("point {} of {}", point.kind.as_str(), point.name.name())
}

fn verdict(record: &Record, named: &Named, set: &RecordSet, instance: &Instance) -> Verdict {
    let (ttl, value) = match single(set) {
        Ok(single) => single,
        Err(why) => return Verdict::Left(why),
    };
    let mut own = instance
        .private_addresses
        .iter()
        .chain(&instance.public_address);
    if own.any(|it| same_address(it, value)) {
        return Verdict::Right;
    }
    // The address is one of the owner's, or one that a rescue has written in place of an owner's.
    let before = [Some(value), record.pointed.get(value)];
    let mut before = before.into_iter().flatten();
    let Some(before) = before.find(|it| was_its(record, named, it)) else {
        return Verdict::Left(format!("says {value}, which is no address of the instance"));
    };
    match in_its_place(record, named, before, instance) {
        None => Verdict::NoAddress,
        Some(address) => {
            let point = PointName {
                name: named.name.clone(),
                kind: set.kind,
                ttl,
                address: address.clone(),
            };
            Verdict::Point(point, before.clone())
        }
    }
}

/// The only address of the record set, or why it is left as it is.
fn single(set: &RecordSet) -> Result<(i64, &String), String> {
    match &set.says {
        Says::Special(what) => Err(format!("is {what}")),
        Says::Addresses { ttl, values } => match values.as_slice() {
            [value] => Ok((*ttl, value)),
            _ => Err(format!("says {} addresses", values.len())),
        },
    }
}

/// The address is one of the replaced instance.
fn was_its(record: &Record, named: &Named, address: &str) -> bool {
    let mut all = record.private_addresses.iter().chain(&named.public);
    all.any(|it| same_address(it, address))
}

/// The instance's address in the place of this one, once there is one.
fn in_its_place<'a>(
    record: &Record,
    named: &Named,
    address: &str,
    instance: &'a Instance,
) -> Option<&'a String> {
    let public = |it: &String| same_address(it, address);
    if named.public.as_ref().is_some_and(public) {
        return instance.public_address.as_ref();
    }
    register::in_its_place(record, address, instance)
}

/// The name as the record should have it, and whether it has ever been looked up.
pub fn noted(lineage: &Lineage) -> Option<Named> {
    let named = lineage.record.named.clone()?;
    let looked_up = named.looked_up || lookup(lineage, &named).is_some();
    Some(Named { looked_up, ..named })
}

/// Notes before any interruption which record sets will not follow the instance.
pub fn foretell(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(named) = &lineage.record.named else {
        return;
    };
    let Some(lookup) = lookup(lineage, named) else {
        return;
    };
    match &lookup.found {
        Err(why) => plan.note(unreadable(named, why)),
        Ok(sets) if sets.is_empty() => plan.note(format!(
            "{} has neither an A nor an AAAA record: it will not follow {}",
            named.name, owner.id
        )),
        Ok(sets) => {
            for why in left(lineage, named, sets, owner) {
                plan.note(format!("{why}: it will not follow {}", owner.id));
            }
        }
    }
}

/// Record sets without an address of the instance, and why, for a person to look after.
pub fn names_left(lineage: &Lineage, instance: &Instance) -> Vec<String> {
    let Some(named) = &lineage.record.named else {
        return Vec::new();
    };
    match lookup(lineage, named).map(|it| &it.found) {
        None => vec![format!("{} could not be looked up", named.name)],
        Some(Err(why)) => vec![unreadable(named, why)],
        Some(Ok(sets)) => left(lineage, named, sets, instance),
    }
}

fn left(lineage: &Lineage, named: &Named, sets: &[RecordSet], instance: &Instance) -> Vec<String> {
    let why = |set: &RecordSet| match verdict(&lineage.record, named, set, instance) {
        Verdict::Right => None,
        Verdict::Left(why) => Some(titled(named, set, &why)),
        Verdict::NoAddress => Some(titled(named, set, "has no address to get")),
        Verdict::Point(..) => Some(titled(named, set, "could not be changed")),
    };
    sets.iter().filter_map(why).collect()
}

fn lookup<'a>(lineage: &'a Lineage, named: &Named) -> Option<&'a Lookup> {
    match &lineage.facts.lookup {
        Fact::Known(lookup) => (lookup.name == named.name).then_some(lookup),
        Fact::Unavailable { .. } | Fact::NotRead => None,
    }
}

fn titled(named: &Named, set: &RecordSet, what: &str) -> String {
    format!("the {} record of {} {what}", set.kind.as_str(), named.name)
}

fn unreadable(named: &Named, why: &str) -> String {
    format!(
        "{} does not follow: {why}; name its zone in the stack's parameter HostedZoneArns",
        named.name
    )
}
