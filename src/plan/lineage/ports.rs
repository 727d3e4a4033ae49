//! Which targets an orchestrator registers, with a port that it chose for a task and that no replacement has (TRAP 66).
//!
//! They are deregistered like all others, and not registered for the replacement: the orchestrator starts its tasks
//! there, on new ports, and registers those. They are told by the target group and by the instance's tags, recorded
//! while the instance runs, and the user may decide: `spot-rescue:targets`.
//!
//! - Amazon ECS registers an instance with the host port of the task; a dynamic port is in the ephemeral range, from
//!   32768 on, and is not the target group's own. Instances of its capacity providers have the tag `AmazonECSManaged`.
//!   <https://docs.aws.amazon.com/AmazonECS/latest/developerguide/networking-networkmode-bridge.html>
//! - A Kubernetes node is registered by a controller: with a node port, 30000 to 32767, or by the addresses of its
//!   pods. <https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/how-it-works/>

use crate::event::InstanceState;
use crate::record::Record;
use crate::situation::{Facts, Instance, Situation, Target};
use crate::tags::Tags;

const EPHEMERAL: u16 = 32_768;

const NODE_PORTS: std::ops::RangeInclusive<u16> = 30_000..=32_767;

const CONTAINER_INSTANCE: &str = "AmazonECSManaged";

const NODE: &str = "kubernetes.io/cluster/";

/// Corrects the record. After an interruption of the owner no target is removed from it.
pub fn live(record: &mut Record, owner: &Instance, situation: &Situation, is_touched: bool) {
    let before = std::mem::take(&mut record.left_targets);
    let settled = owner.state == InstanceState::Running && !is_touched;
    record.left_targets = left(&record.targets, &before, owner, &situation.facts, settled);
}

/// The targets that an orchestrator registers. A target that cannot be told stays as recorded.
pub fn left(
    targets: &[Target],
    before: &[Target],
    owner: &Instance,
    facts: &Facts,
    is_settled: bool,
) -> Vec<Target> {
    let found = facts.registrations.known();
    let is_left = |it: &&Target| {
        let own = found.and_then(|found| found.ports.get(&it.group)).copied();
        let told = is_settled && own.is_some();
        chosen(it, own, &owner.tags) || (!told && before.contains(it))
    };
    targets.iter().filter(is_left).cloned().collect()
}

/// Whether an orchestrator chose the port, by the target group's own port and the instance's tags.
fn chosen(target: &Target, own: Option<u16>, tags: &Tags) -> bool {
    let Some(port) = target.port else {
        return false;
    };
    let is_node = tags.keys().any(|it| it.starts_with(NODE));
    let of_node = is_node && (NODE_PORTS.contains(&port) || !target.is_instance());
    let of_task = port >= EPHEMERAL && own.is_some_and(|own| own != port);
    tags.contains_key(CONTAINER_INSTANCE) || of_node || of_task
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_port_is_an_orchestrators_by_its_range_the_groups_own_and_the_machines_marks() {
        let arn = "arn:aws:elasticloadbalancing:r:1:targetgroup/web/1";
        let (id, address) = ("i-0123456789abcdef0", "10.0.0.7");
        for (target, own, tag, expected) in [
            (id, Some(80), "Name", [false, false, false, true, true]),
            (id, Some(49_153), "Name", [false, false, false, true, false]),
            (id, None, "Name", [false; 5]),
            (address, Some(80), "Name", [false, false, false, true, true]),
            (
                id,
                Some(80),
                "kubernetes.io/cluster/x",
                [false, true, true, true, true],
            ),
            (
                id,
                None,
                "kubernetes.io/cluster/x",
                [false, true, true, false, false],
            ),
            (address, None, "kubernetes.io/cluster/x", [true; 5]),
            (id, None, "AmazonECSManaged", [true; 5]),
        ] {
            let tags = Tags::from([(tag.to_owned(), String::new())]);
            let found = [8080, 30_000, 32_767, 32_768, 49_153].map(|port| {
                let target = Target {
                    group: arn.parse().expect("an ARN"),
                    id: target.to_owned(),
                    port: Some(port),
                };
                chosen(&target, own, &tags)
            });
            assert_eq!(found, expected, "{target} {own:?} {tag}");
        }
        let classic = Target {
            group: "classic".parse().expect("a name"),
            id: id.to_owned(),
            port: None,
        };
        assert!(!chosen(&classic, None, &Tags::new()));
    }
}
