//! Machines of what runs a workload: it launches another one when it needs it, and ends what it does not know.
//!
//! By the marks it leaves on its machines. Karpenter ends every machine that bears its marks and that it has no node claim
//! for (<https://karpenter.sh/docs/concepts/disruption/>), and a replacement of ours would bear them, too; Amazon EMR
//! replaces what an instance fleet or group of its cluster lacks
//! (<https://docs.aws.amazon.com/emr/latest/ManagementGuide/emr-instance-fleet.html>). What launches by an Auto Scaling
//! group or a fleet is told by those. An instance with `Operator.Managed` is not looked at at all.

use crate::plan::facts::way::Way;
use crate::plan::lineage::Lineage;
use crate::tags::Tags;

const MARKS: [(&str, &str); 4] = [
    ("karpenter.sh/nodepool", "Karpenter"),
    ("karpenter.sh/nodeclaim", "Karpenter"),
    ("karpenter.sh/provisioner-name", "Karpenter"),
    ("aws:elasticmapreduce:job-flow-id", "Amazon EMR"),
];

/// None if nothing like that runs it.
pub fn way(lineage: &Lineage) -> Option<Way> {
    let base = lineage.base().or(lineage.owner)?;
    let name = of(&base.tags)?;
    Some(Way::Orchestrator(format!(
        "{name} launches another machine when it needs one, and ends what it does not know; set \
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
