//! What tells one version of the prepared rescue from another: changes when a replacement would have to be launched
//! differently.
//!
//! The values of the user's own tags are part of that. An agent that stamps one at each of its runs would have a version
//! made at each sweep, 95 a day (TRAP 64), each for five calls. So a version that differs from the last one in such values
//! alone is made once an hour at most, the first one at once: a replacement launched meanwhile bears a value that is less
//! than an hour old. Everything that decides how it is launched, its policy and which tags there are, counts at once.

use crate::plan::capacity::template;
use crate::plan::lineage::Lineage;
use crate::situation::Instance;
use crate::step::{self, TemplateSpec};
use crate::tags;

const HOUR: i64 = 3600;

pub fn of(lineage: &Lineage, owner: &Instance) -> String {
    let spec = template::spec(lineage, owner);
    let beside = beside(owner);
    let all = step::fingerprint(&(&spec, beside));
    let rest = step::fingerprint(&(&without_values(spec), beside));
    let hour = lineage.situation.now.unix_timestamp() / HOUR;
    let template = lineage.template();
    let present = template.and_then(|it| it.tags.get(tags::FINGERPRINT));
    next(present.map_or("", String::as_str), &all, &rest, hour)
}

/// The same, if the version that is there does. The hour is that of the last change of values alone.
fn next(present: &str, all: &str, rest: &str, hour: i64) -> String {
    if serves(present, all, rest, &hour.to_string()) {
        return present.to_owned();
    }
    let values_alone = present.split('.').nth(1) == Some(rest);
    let counted = if values_alone { hour } else { hour - 1 };
    format!("{all}.{rest}.{counted}")
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

    /// What comes in the seventh hour; the same, if no other version is made.
    #[test]
    fn a_second_value_alone_waits_for_the_next_hour_and_nothing_else_does() {
        for (present, then) in [
            ("all.rest.7", "all.rest.7"),
            ("all.other.6", "all.other.6"),
            ("other.rest.7", "other.rest.7"),
            ("other.rest.6", "all.rest.7"),
            ("other.other.7", "all.rest.6"),
            // As versions were told apart before.
            ("all", "all"),
            ("other", "all.rest.6"),
            ("", "all.rest.6"),
        ] {
            assert_eq!(next(present, "all", "rest", 7), then, "{present}");
        }
    }
}
