//! Notes when a rescue is prepared which attributes of the instance its replacement will not have: those that no launch
//! brings back, and those that do not fit the other types that may be launched.

use crate::plan::draft::Plan;
use crate::plan::facts::{asked, launcher};
use crate::plan::lineage::Lineage;
use crate::policy::Types;
use crate::situation::{Instance, Unlike};

pub fn tell(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    if launcher::why_not_ours(lineage).is_some() {
        return;
    }
    let keeps = asked::kept_interface(lineage).is_some();
    let all = owner.likeness.unlike.iter();
    for it in all.filter(|it| !(keeps && is_of_interface(it))) {
        plan.note(format!("{} {}", owner.id, said(it)));
    }
    processors(lineage, owner, plan);
}

/// The attribute belongs to the primary interface and is kept with it.
fn is_of_interface(it: &Unlike) -> bool {
    match it {
        Unlike::ConnectionTracking
        | Unlike::InterfaceType(_)
        | Unlike::Ipv6(_)
        | Unlike::Prefixes => true,
        Unlike::Accelerator
        | Unlike::Capacity(_)
        | Unlike::Host(_)
        | Unlike::Outpost(_)
        | Unlike::SecondaryInterfaces => false,
    }
}

/// The attribute as a sentence about the instance.
fn said(it: &Unlike) -> String {
    match it {
        Unlike::Accelerator => {
            "has an Elastic Graphics or Elastic Inference accelerator, which EC2 attaches no more: its replacement has \
             none"
                .to_owned()
        }
        Unlike::Capacity(id) => format!(
            "runs in {id}, capacity reserved for it: its replacement is launched outside, as Spot or On-Demand"
        ),
        Unlike::ConnectionTracking => "has idle timeouts of its own for connections (ConnectionTracking) on its \
                                       primary network interface: its replacement has EC2's"
            .to_owned(),
        Unlike::Host(id) => {
            format!("runs on the Dedicated Host {id}: its replacement does not, Spot is not sold there")
        }
        Unlike::InterfaceType(kind) => format!(
            "has a primary network interface of type {kind}: its replacement has a plain one"
        ),
        Unlike::Ipv6(addresses) => format!(
            "has the IPv6 addresses {}: its replacement has others, and only where its subnet gives them at launch \
             (AssignIpv6AddressOnCreation)",
            addresses.join(" ")
        ),
        Unlike::Outpost(arn) => format!(
            "runs on {arn}: Spot is not sold on Outposts, and its replacement needs capacity there as On-Demand"
        ),
        Unlike::Prefixes => "has address prefixes delegated to its primary network interface: its replacement has none"
            .to_owned(),
        Unlike::SecondaryInterfaces => {
            "has interfaces of a secondary network: its replacement has none".to_owned()
        }
    }
}

/// CPU options of one type do not fit others. The type's own number of vCPUs is read only if the policy names other
/// types.
fn processors(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(cpu) = owner.likeness.cpu else {
        return;
    };
    if lineage.policy.instance_types.value == Types::Named(Vec::new()) {
        return;
    }
    let known = lineage.facts.shapes.known().into_iter().flatten();
    let own = { known }.find(|it| it.instance_type == owner.instance_type);
    let differs = own.is_some_and(|it| it.vcpus != cpu.cores * cpu.threads_per_core);
    if differs || cpu.special {
        plan.note(format!(
            "{} has CPU options of its own ({} cores, {} threads each): its replacement has none, as it may be of \
             another type",
            owner.id, cpu.cores, cpu.threads_per_core
        ));
    }
}
