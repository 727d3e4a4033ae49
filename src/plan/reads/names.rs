//! Names that follow an instance: looked up one after the other, and only when something depends on it.
//!
//! Route 53 grants an account five requests a second, for all its callers together: so a name is looked up once when
//! its rescue is prepared, and not again before a replacement has its data.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>

use crate::dns::DnsName;
use crate::event::{InstanceAction, InstanceState};
use crate::id::InstanceId;
use crate::plan::reads::first::First;
use crate::record::{Milestone, Named, Record};
use crate::situation::Instance;
use std::collections::BTreeMap;

/// Twice as many as a second allows, in one look.
const AT_MOST: usize = 10;

/// The names to look up, those of rescues first.
pub fn wanted(first: &First) -> Vec<(InstanceId, DnsName)> {
    // As the tags say, or, where the tag is an Auto Scaling group's, the record.
    let of_rescues = first.rescues.iter().filter_map(|it| {
        let recorded = || Some(it.record.named.as_ref()?.name.clone());
        let name = it.policy.dns.value.clone().or_else(recorded)?;
        Some((it.lineage.clone()?, name))
    });
    let of_instances = { first.instances.iter() }
        .filter_map(|it| Some((it.lineage(), first.policy(it).dns.value?)));
    let named: BTreeMap<InstanceId, DnsName> = of_rescues.chain(of_instances).collect();
    let mut due: Vec<(bool, InstanceId, DnsName)> = Vec::new();
    for (lineage, name) in named {
        let record = first.record(&lineage).cloned().unwrap_or_default();
        if is_due(&record, &name, first.instances) {
            due.push((record.interruption.is_none(), lineage, name));
        }
    }
    due.sort();
    let due = due.into_iter().map(|(_, lineage, name)| (lineage, name));
    due.take(AT_MOST).collect()
}

fn is_due(record: &Record, name: &DnsName, instances: &[Instance]) -> bool {
    let head = instances
        .iter()
        .find(|it| Some(&it.id) == record.head.as_ref());
    match &record.interruption {
        None => {
            let known = record.named.as_ref().filter(|it| it.looked_up);
            let now = head.map(|it| Named::of(name.clone(), it));
            known
                .zip(now)
                .is_none_or(|(known, now)| !known.is_like(&now))
        }
        Some(it) => {
            let back = it.action != InstanceAction::Terminate
                && head.is_some_and(|it| it.state == InstanceState::Running);
            back || record.progress.contains_key(&Milestone::DataAttached)
        }
    }
}
