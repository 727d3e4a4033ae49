//! What the stack's parameters allow. The function's role refuses everything else, so it is not requested, and a note
//! says so when a rescue is prepared rather than when it is needed.

use crate::id::SubnetId;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::policy::Types;
use crate::situation::{Instance, Target, TargetGroup};
use crate::tags;

fn named<'a>(lineage: &'a Lineage, parameter: &str) -> Vec<&'a str> {
    let all = lineage.inputs.defaults.get(parameter);
    let words = all.map(|it| it.split(',')).into_iter().flatten();
    words.map(str::trim).filter(|it| !it.is_empty()).collect()
}

/// An empty parameter allows everything.
fn allows(lineage: &Lineage, parameter: &str, what: &str) -> bool {
    let named = named(lineage, parameter);
    named.is_empty() || named.iter().any(|it| is_like(it, what))
}

#[must_use]
pub fn allows_type(lineage: &Lineage, name: &str) -> bool {
    allows(lineage, tags::ALLOWED_TYPES, name)
}

#[must_use]
pub fn allows_subnet(lineage: &Lineage, subnet: &SubnetId) -> bool {
    allows(lineage, tags::ALLOWED_SUBNETS, subnet.as_str())
}

/// A Classic Load Balancer is known by its name, a target group by its ARN.
fn allows_group(lineage: &Lineage, group: &TargetGroup) -> bool {
    let by_name = format!("loadbalancer/{}", group.as_str());
    let named = named(lineage, tags::ALLOWED_TARGET_GROUPS);
    let mut named = named.iter();
    let fits = |it: &&&str| match group {
        TargetGroup::Classic(_) => it
            .rsplit_once(':')
            .is_some_and(|it| is_like(it.1, &by_name)),
        TargetGroup::Elb(_) | TargetGroup::Lattice(_) => is_like(it, group.as_str()),
    };
    named.len() == 0 || named.any(|it| fits(&it))
}

/// As in IAM: `*` stands for any text, `?` for one character.
fn is_like(pattern: &str, text: &str) -> bool {
    let (mut pattern_at, mut text_at, mut star) = (0, 0, None);
    let (pattern, text) = (pattern.as_bytes(), text.as_bytes());
    while text_at < text.len() {
        match pattern.get(pattern_at) {
            Some(b'*') => {
                star = Some((pattern_at, text_at));
                pattern_at += 1;
            }
            Some(it) if *it == b'?' || *it == text[text_at] => {
                pattern_at += 1;
                text_at += 1;
            }
            // The last star matches one more character.
            Some(_) | None => match star {
                Some((at, taken)) => {
                    star = Some((at, taken + 1));
                    (pattern_at, text_at) = (at + 1, taken + 1);
                }
                None => return false,
            },
        }
    }
    pattern[pattern_at..].iter().all(|it| *it == b'*')
}

/// Notes the parts of a prepared rescue that the role would refuse.
pub fn tell(lineage: &Lineage, owner: &Instance, targets: &[Target], plan: &mut Plan) {
    let id = &owner.id;
    for name in types(lineage) {
        if !allows_type(lineage, &name) {
            plan.note(format!(
                "no replacement of {id} is launched as {name}: name it in the stack's parameter AllowedInstanceTypes"
            ));
        }
    }
    for subnet in subnets(lineage) {
        if !allows_subnet(lineage, &subnet) {
            plan.note(format!(
                "no replacement of {id} is launched in {subnet}: name it in the stack's parameter AllowedSubnets"
            ));
        }
    }
    for target in targets {
        if !allows_group(lineage, &target.group) {
            plan.note(format!(
                "{id} is not taken out of {}: name it in the stack's parameter TargetGroupArns",
                target.group
            ));
        }
    }
    role(lineage, owner, plan);
}

/// An instance shows its instance profile, not the role in it; mostly both have the same name.
fn role(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(profile) = &owner.instance_profile else {
        return;
    };
    let name = profile.rsplit('/').next().unwrap_or(profile);
    let of_that_name = |arn: &&str| arn.rsplit('/').next().is_some_and(|it| is_like(it, name));
    if !named(lineage, tags::INSTANCE_ROLES)
        .iter()
        .any(of_that_name)
    {
        plan.note(format!(
            "{} has the instance profile {name}: unless its role is named in the stack's parameter \
             InstanceRoleArns, no replacement can be launched with it",
            owner.id
        ));
    }
}

fn types(lineage: &Lineage) -> Vec<String> {
    let own = lineage
        .record
        .place
        .iter()
        .map(|it| it.instance_type.clone());
    let others = match &lineage.policy.instance_types.value {
        Types::Named(names) => names.clone(),
        Types::Like => Vec::new(),
    };
    own.chain(others).collect()
}

fn subnets(lineage: &Lineage) -> Vec<SubnetId> {
    let own = lineage.record.place.iter().map(|it| it.subnet.clone());
    own.chain(lineage.policy.subnets.value.clone()).collect()
}

#[cfg(test)]
mod tests {
    use super::is_like;

    #[test]
    fn patterns_are_those_of_iam() {
        for (pattern, text, fits) in [
            ("m5.large", "m5.large", true),
            ("m5.*", "m5.large", true),
            ("m5.*", "m5d.large", false),
            ("m?.large", "m6.large", true),
            ("*", "", true),
            ("", "x", false),
            ("a*b*c", "aXbYbZc", true),
            ("a*b*c", "aXbYbZ", false),
            ("arn:*:role/web-*", "arn:aws:iam::1:role/web-a", true),
        ] {
            assert_eq!(is_like(pattern, text), fits, "{pattern} {text}");
        }
    }
}
