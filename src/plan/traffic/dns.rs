//! The name that follows the instance: where it held an address of the one replaced, it gets the address
//! that stands for it. What was private stays private, what was public stays public.
//!
//! Whoever may tag his instance may name anybody's record. So a record set is only ever written over while
//! it says nothing but one address of this instance, and only if writing it anew changes nothing else: not
//! an alias, not one of several that share the name.
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

/// So many seconds after its data a replacement counts as back without its name: longer than its
/// addresses are waited for, which the name depends on.
const PATIENCE: f64 = 420.0;

/// So many if Route 53 or IAM says no: a permission that was given a moment ago is not seen everywhere.
const REFUSALS: f64 = 45.0;

/// What is to become of one record set.
#[derive(Debug, PartialEq)]
enum Verdict {
    /// It says where the instance is.
    Right,
    /// And what it said before.
    Point(PointName, String),
    /// It spoke of the one replaced; this one has nothing in that place yet.
    NoAddress,
    /// Not ours to write: why.
    Left(String),
}

/// True once the name says where the instance is, or never will.
pub fn plan(lineage: &Lineage, instance: &Instance, trying: f64, plan: &mut Plan) -> bool {
    let Some(named) = &lineage.record.named else {
        return true;
    };
    let late = trying > PATIENCE;
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

/// What was refused is asked for a few times more.
fn given_up(trying: f64, plan: &mut Plan) -> bool {
    let given_up = trying > REFUSALS;
    if !given_up {
        plan.wait(15, "Route 53 to allow what it has refused");
    }
    given_up
}

/// True if there is nothing left to do about it.
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
            if lineage.situation.refused.contains(&step_id(&point)) {
                let what = titled(named, set, "may not be changed");
                plan.note(format!("{what}: it is to say {}", point.address));
                return given_up(trying, plan);
            }
            change(lineage, point, before, plan);
            false
        }
    }
}

/// What it is pointed at is written down first: an instance that has ended shows no address, and the next
/// one must know what became of the old one's.
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
    // What it was pointed at counts no more once the one it was pointed at owns everything.
    let before = [Some(value), record.pointed.get(value)];
    let mut before = before.into_iter().flatten();
    let Some(before) = before.find(|it| was_its(record, named, it)) else {
        return Verdict::Left(format!("says {value}, which is somewhere else"));
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

/// The one address it says.
fn single(set: &RecordSet) -> Result<(i64, &String), String> {
    match &set.says {
        Says::Special(what) => Err(format!("is {what}")),
        Says::Addresses { ttl, values } => match values.as_slice() {
            [value] => Ok((*ttl, value)),
            _ => Err(format!("says {} addresses", values.len())),
        },
    }
}

/// An address of the instance replaced.
fn was_its(record: &Record, named: &Named, address: &str) -> bool {
    let mut all = record.private_addresses.iter().chain(&named.public);
    all.any(|it| same_address(it, address))
}

/// What stands for it, once there is such an address.
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

/// What the record should say of it; looked up once it was.
pub fn noted(lineage: &Lineage) -> Option<Named> {
    let named = lineage.record.named.clone()?;
    let looked_up = named.looked_up || lookup(lineage, &named).is_some();
    Some(Named { looked_up, ..named })
}

/// While all is well: what of the name will not follow.
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

/// Record sets that do not say where the instance is, and why, for a person to look after.
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
        Verdict::NoAddress => Some(titled(named, set, "has no address to say")),
        Verdict::Point(..) => Some(titled(named, set, "could not be changed")),
    };
    sets.iter().filter_map(why).collect()
}

fn lookup<'a>(lineage: &'a Lineage, named: &Named) -> Option<&'a Lookup> {
    match &lineage.situation.lookup {
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
