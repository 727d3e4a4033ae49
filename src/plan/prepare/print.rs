//! What tells one version of the prepared rescue from another: changes when a replacement would have to be launched
//! differently.
//!
//! The values of the user's own tags are part of that. An agent that stamps one at each of its runs would have a version
//! made at each sweep, 95 a day (TRAP 64), each for five calls. So a version that differs from the last one in such values
//! alone is made once an hour at most: a replacement launched meanwhile bears a value that is less than an hour old, and
//! everything that decides how it is launched, its policy and which tags there are, counts at once.

use super::super::Lineage;
use super::template::spec;
use crate::situation::Instance;
use crate::step::{self, TemplateSpec};
use crate::tags;

const HOUR: i64 = 3600;

pub fn of(lineage: &Lineage, owner: &Instance) -> String {
    let spec = spec(lineage, owner);
    let beside = beside(owner);
    let all = step::fingerprint(&(&spec, beside));
    let rest = step::fingerprint(&(&without_values(spec), beside));
    let hour = (lineage.situation.now.unix_timestamp() / HOUR).to_string();
    let template = lineage.template();
    let present = template.and_then(|it| it.tags.get(tags::FINGERPRINT));
    match present {
        Some(present) if serves(present, &all, &rest, &hour) => present.clone(),
        Some(_) | None => format!("{all}.{rest}.{hour}"),
    }
}

/// What a launch template has of an instance beyond what is said of it.
pub fn beside(of: &Instance) -> (&Option<String>, &str) {
    (&of.instance_profile, &of.likeness.settings)
}

/// The version that is there does: it is the same, or differs in values of tags and is of this hour.
fn serves(present: &str, all: &str, rest: &str, hour: &str) -> bool {
    let mut parts = present.split('.');
    parts.next() == Some(all) || (parts.next() == Some(rest) && parts.next() == Some(hour))
}

fn without_values(mut spec: TemplateSpec) -> TemplateSpec {
    let tags = spec.instance_tags.iter_mut();
    let tags = tags.chain(&mut spec.volume_tags);
    let tags = tags.chain(&mut spec.interface_tags);
    let users = tags.filter(|(key, _)| !key.starts_with(tags::OPT_IN));
    users.for_each(|(_, value)| value.clear());
    spec
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The last column: whether another version is made.
    #[test]
    fn a_value_alone_waits_for_the_next_hour_and_nothing_else_does() {
        for (present, made) in [
            ("all.rest.7", false),
            ("all.other.6", false),
            ("other.rest.7", false),
            ("other.rest.6", true),
            ("other.other.7", true),
            // As versions were told apart before.
            ("all", false),
            ("other", true),
            ("", true),
        ] {
            assert_eq!(!serves(present, "all", "rest", "7"), made, "{present}");
        }
    }
}
