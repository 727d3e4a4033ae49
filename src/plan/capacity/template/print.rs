//! The fingerprint of a launch template version: it changes when a replacement would be launched differently.
//!
//! It covers the values of the user's own tags. An agent that writes such a value at each of its runs would cause a new
//! version at each sweep, 95 a day (TRAP 64), of five calls each. So a version that differs in those values alone is
//! written at most once an hour, the first one at once: a replacement launched meanwhile has values less than an hour
//! old. Any other change, of the launch, the policy or the keys of tags, is written at once.

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
    let hour = lineage.now.unix_timestamp() / HOUR;
    let template = lineage.template();
    let present = template.and_then(|it| it.tags.get(tags::FINGERPRINT));
    next(present.map_or("", String::as_str), &all, &rest, hour)
}

/// The present fingerprint, if its version still serves. The hour is that of the last change of values alone.
fn next(present: &str, all: &str, rest: &str, hour: i64) -> String {
    if serves(present, all, rest, &hour.to_string()) {
        return present.to_owned();
    }
    let values_alone = present.split('.').nth(1) == Some(rest);
    let counted = if values_alone { hour } else { hour - 1 };
    format!("{all}.{rest}.{counted}")
}

/// What the launch template copies from the instance besides the [`TemplateSpec`].
pub fn beside(of: &Instance) -> (&Option<String>, &str) {
    (&of.instance_profile, &of.likeness.settings)
}

/// The present version is the same, or differs only in values of tags and was written in this hour.
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
