//! Targets as packed lists. An instance may be in a hundred target groups, on several ports in each, so what many
//! items have in common is an item of its own before them: the ARN up to the group's name, and the target's id.
//!
//! | item | is |
//! |---|---|
//! | `<arn>=<id>=<port>`, `<name>=<id>` | one target, as it was always written |
//! | `<beginning of the arn>/=<id>` | what the following items begin with |
//! | `<rest of the arn>=<port>,<port>` | targets of that beginning and id |

use crate::id::InstanceId;
use crate::situation::{Target, TargetGroup};
use crate::tags::{self, Tags};

/// Ports of one item, so that it fits into a value whatever the group is called.
const MOST_PORTS: usize = 20;
const PART: &str = "targetgroup/";

/// As tags, in one order.
#[must_use]
pub fn packed(list: &str, targets: &[Target]) -> Tags {
    let mut sorted: Vec<&Target> = targets.iter().collect();
    sorted.sort_by_key(|it| (beginning(&it.group), &it.id, *it));
    sorted.dedup();
    let alike = sorted.chunk_by(|a, b| beginning(&a.group) == beginning(&b.group) && a.id == b.id);
    tags::pack(list, alike.flat_map(items))
}

/// Reads the tags back, those of earlier versions too; what is not understood is left out.
#[must_use]
pub fn unpacked(list: &str, tags: &Tags) -> Vec<Target> {
    let mut begun: Option<(&str, &str)> = None;
    let mut all = Vec::new();
    for item in tags::unpack(list, tags) {
        let Some((first, rest)) = item.split_once('=') else {
            continue;
        };
        if first.ends_with('/') {
            begun = Some((first, rest));
        } else if let (true, Some((beginning, id))) = (are_ports(rest), begun) {
            all.extend(of_group(&format!("{beginning}{first}"), id, rest));
        } else {
            all.extend(item.parse::<Target>());
        }
    }
    all.sort();
    all.dedup();
    all
}

/// The targets of this owner among what it has gained (`+`) and not lost again (`-`).
pub fn came(changed: &[String], owner: Option<&InstanceId>) -> Vec<Target> {
    let Some(owner) = owner else {
        return Vec::new();
    };
    let gained = changed.iter().filter_map(|it| it.strip_prefix('+'));
    let lost = |it: &str| {
        changed
            .iter()
            .any(|other| other.strip_prefix('-') == Some(it))
    };
    let targets = gained
        .filter(|it| !lost(it))
        .filter_map(|it| it.parse::<Target>().ok());
    targets.filter(|it| it.id == owner.as_str()).collect()
}

/// The ARN up to the group's own name. None for names without an ARN.
fn beginning(group: &TargetGroup) -> Option<&str> {
    let text = group.as_str();
    text.find(PART).map(|at| &text[..at + PART.len()])
}

fn items(alike: &[&Target]) -> Vec<String> {
    let first = alike.first().filter(|_| alike.len() > 1);
    let Some((first, beginning)) = first.and_then(|it| Some((it, beginning(&it.group)?))) else {
        return alike.iter().map(ToString::to_string).collect();
    };
    let mut all = vec![format!("{beginning}={}", first.id)];
    for of_group in alike.chunk_by(|a, b| a.group == b.group) {
        let name = &of_group[0].group.as_str()[beginning.len()..];
        let ports: Vec<String> = of_group
            .iter()
            .filter_map(|it| it.port.map(|it| it.to_string()))
            .collect();
        all.extend(
            ports
                .chunks(MOST_PORTS)
                .map(|it| format!("{name}={}", it.join(","))),
        );
    }
    all
}

fn are_ports(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|it| it.is_ascii_digit() || it == b',')
}

fn of_group(group: &str, id: &str, ports: &str) -> Vec<Target> {
    let group = group.parse::<TargetGroup>().ok().filter(|_| !id.is_empty());
    let of_port = |port: &str| {
        Some(Target {
            group: group.clone()?,
            id: id.to_owned(),
            port: Some(port.parse().ok()?),
        })
    };
    ports.split(',').filter_map(of_port).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::TARGETS;
    use proptest::prelude::*;

    const ARN: &str = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup";
    const ID: &str = "i-0123456789abcdef0";

    fn target(group: &str, id: &str, port: u16) -> Target {
        Target {
            group: group.parse().unwrap(),
            id: id.to_owned(),
            port: Some(port),
        }
    }

    /// The longest names there are.
    fn groups(count: usize, ports: &[u16]) -> Vec<Target> {
        let group = |n: usize| format!("{ARN}/k8s-production-databases-x-{n:05}/{n:016x}");
        let of = |n| ports.iter().map(move |port| target(&group(n), ID, *port));
        (0..count).flat_map(of).collect()
    }

    #[test]
    fn one_target_is_written_as_it_always_was() {
        let one = groups(1, &[80]);
        let tags = packed(TARGETS, &one);
        assert_eq!(tags["spot-rescue:target-1"], one[0].to_string());
    }

    #[test]
    fn ports_of_a_group_are_one_item() {
        let all = [
            target(&format!("{ARN}/a/1"), ID, 80),
            target(&format!("{ARN}/a/1"), ID, 81),
        ];
        let tags = packed(TARGETS, &all);
        assert_eq!(
            tags["spot-rescue:target-1"],
            format!("{ARN}/={ID} a/1=80,81")
        );
    }

    /// Groups, ports, and how many tags they may take.
    #[test]
    fn a_hundred_groups_fit() {
        for (count, ports, most) in [
            (100, &[80][..], 26),
            (40, &[30080, 30081, 30082], 14),
            (1, &[80; 1], 1),
        ] {
            let all = groups(count, ports);
            let tags = packed(TARGETS, &all);
            assert!(tags.len() <= most, "{count}: {}", tags.len());
            assert!(tags.values().all(|it| it.len() <= 238));
            assert_eq!(unpacked(TARGETS, &tags), all);
        }
    }

    #[test]
    fn tags_of_earlier_versions_are_read() {
        let all = groups(3, &[80, 81]);
        let full = tags::pack(TARGETS, all.iter().map(ToString::to_string));
        assert_eq!(unpacked(TARGETS, &full), all);
    }

    #[test]
    fn an_item_without_a_beginning_is_left_out() {
        for text in [
            "a/1=80",
            &format!("{ARN}/= a/1=80"),
            "/=i-1 a/1=80",
            "a/1=80,x",
        ] {
            let tags = Tags::from([(format!("{TARGETS}-1"), text.to_owned())]);
            assert_eq!(unpacked(TARGETS, &tags), [], "{text}");
        }
    }

    fn any_target() -> impl Strategy<Value = Target> {
        let group = prop_oneof![
            "arn:aws:elasticloadbalancing:(r|s):1:targetgroup/[a-b]{1,3}/[0-9a-f]{2}",
            "arn:aws:vpc-lattice:r:1:targetgroup/tg-[0-9a-b]{2}",
            "[a-c]{1,2}",
        ];
        let id = prop_oneof![
            "i-0123456789abcdef[0-2]",
            "10\\.0\\.0\\.[0-2]",
            "2001:db8::[0-2]"
        ];
        (group, id, 80_u16..84).prop_map(|(group, id, port)| {
            let group: TargetGroup = group.parse().unwrap();
            let port = group.as_str().starts_with("arn").then_some(port);
            Target { group, id, port }
        })
    }

    proptest! {
        /// All kinds side by side, in any order.
        #[test]
        fn whatever_is_packed_is_unpacked(mut all in prop::collection::vec(any_target(), 0..60)) {
            let tags = packed(TARGETS, &all);
            all.sort();
            all.dedup();
            prop_assert!(tags.values().all(|it| it.len() <= 238));
            prop_assert_eq!(unpacked(TARGETS, &tags), all);
        }

        #[test]
        fn nothing_makes_reading_panic(text in "[a-z/=,0-9: ]{0,80}") {
            let _ = unpacked(TARGETS, &Tags::from([(format!("{TARGETS}-1"), text)]));
        }
    }
}
