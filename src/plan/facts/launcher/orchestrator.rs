//! Whether an orchestrator launches the replacement: it launches instances when it needs them, and terminates those it
//! does not know.
//!
//! Told by the orchestrator's tags. Karpenter terminates every instance that has its tags and no node claim
//! (<https://karpenter.sh/docs/concepts/disruption/>), and a replacement of ours would have the tags, too; Amazon EMR
//! replaces missing instances of an instance fleet or group
//! (<https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-instance-fleet.html>). An orchestrator that uses an
//! Auto Scaling group or a fleet is told by those. An instance with `Operator.Managed` is never protected.

use crate::plan::facts::launcher::Launcher;
use crate::plan::lineage::Lineage;
use crate::tags::Tags;

const MARKS: [(&str, &str); 4] = [
    ("karpenter.sh/nodepool", "Karpenter"),
    ("karpenter.sh/nodeclaim", "Karpenter"),
    ("karpenter.sh/provisioner-name", "Karpenter"),
    ("aws:elasticmapreduce:job-flow-id", "Amazon EMR"),
];

/// None if no known orchestrator runs the instance.
pub fn launcher(lineage: &Lineage) -> Option<Launcher> {
    let base = lineage.base().or(lineage.owner)?;
    let name = of(&base.tags)?;
    Some(Launcher::Orchestrator(format!(
        "{name} launches another instance when it needs one, and ends those it does not know; set \
         spot-rescue:replace=launch if it does not"
    )))
}

fn of(tags: &Tags) -> Option<&'static str> {
    let mark = MARKS.iter().find(|(key, _)| tags.contains_key(*key));
    mark.map(|(_, name)| *name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_told_by_its_marks() {
        for (key, expected) in [
            ("karpenter.sh/nodepool", Some("Karpenter")),
            ("aws:elasticmapreduce:job-flow-id", Some("Amazon EMR")),
            ("karpenter.sh/discovery", None),
            ("kubernetes.io/cluster/one", None),
            ("Name", None),
        ] {
            let tags = Tags::from([(key.to_owned(), "x".to_owned())]);
            assert_eq!(of(&tags), expected, "{key}");
        }
    }
}
