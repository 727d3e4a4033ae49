//! Notes about the instance types that the policy names, while there is time to change them.

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::policy::Types;
use crate::situation::Shape;

const TAG: &str = "tag spot-rescue:instance-types";

/// EC2 skips a type that it cannot launch and takes the next, so a wrong type never stops a rescue.
pub fn check(lineage: &Lineage, plan: &mut Plan) {
    let (Some(shapes), Some(place)) = (lineage.facts.shapes.known(), &lineage.record.place) else {
        return;
    };
    let find = |name: &str| shapes.iter().find(|it| it.instance_type == name);
    let own = find(&place.instance_type);
    match &lineage.policy.instance_types.value {
        Types::Like if own.is_some_and(|it| it.accelerated) => {
            let own = &place.instance_type;
            plan.note(format!("{TAG}: {own} has accelerators; only it is tried"));
        }
        Types::Like => {}
        Types::Named(names) => {
            for name in names {
                match (find(name), own) {
                    (None, _) => plan.note(format!("{TAG}: there is no {name} here")),
                    (Some(it), Some(own)) if !runs_the_same(it, own) => {
                        let (is, was) = (it.architectures.join("/"), own.architectures.join("/"));
                        plan.note(format!("{TAG}: {name} is {is}, the instance {was}"));
                    }
                    (Some(_), _) => {}
                }
            }
        }
    }
}

fn runs_the_same(one: &Shape, other: &Shape) -> bool {
    let mut architectures = one.architectures.iter();
    architectures.any(|it| other.architectures.contains(it))
}
