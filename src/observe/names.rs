//! Names that follow an instance: looked up one after the other, and only when something depends on it.
//!
//! Route 53 grants an account five requests a second, for all its callers together: so a name is looked up once when
//! its rescue is prepared, and not again before a replacement has its data.
//! <https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html>

use super::fact;
use crate::cloud::{Class, Cloud, CloudError};
use crate::dns::{DnsName, Lookup, RecordSet};
use crate::event::{InstanceAction, InstanceState};
use crate::id::InstanceId;
use crate::policy::Policy;
use crate::record::{Milestone, Named, Record};
use crate::situation::{Fact, Instance, Template};
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

/// Twice as many as a second allows, in one look.
const AT_MOST: usize = 10;

/// The names to look up, those of rescues first.
pub fn wanted(
    instances: &[Instance],
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> Vec<(InstanceId, DnsName)> {
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let of_instances = instances.iter().map(|it| (it.lineage(), &it.tags));
    let of_templates = templates.iter().filter_map(|it| {
        let lineage = it.tags.get(tags::RESCUE)?.parse().ok()?;
        Some((lineage, &it.tags))
    });
    let all = of_templates.chain(of_instances);
    let named = all.filter_map(|(lineage, tags)| Some((lineage, name(tags, defaults)?)));
    let named: BTreeMap<InstanceId, DnsName> = named.collect();
    let record = |lineage: &InstanceId| {
        let of = |it: &&Template| {
            it.tags.get(tags::RESCUE).map(String::as_str) == Some(lineage.as_str())
        };
        templates
            .iter()
            .find(of)
            .map(|it| Record::from_tags(&it.tags))
    };
    let mut due: Vec<(bool, InstanceId, DnsName)> = Vec::new();
    for (lineage, name) in named {
        let record = record(&lineage).unwrap_or_default();
        if is_due(&record, &name, instances) {
            due.push((record.interruption.is_none(), lineage, name));
        }
    }
    due.sort();
    let due = due.into_iter().map(|(_, lineage, name)| (lineage, name));
    due.take(AT_MOST).collect()
}

/// As the tags say, or, where the tag is an Auto Scaling group's, the record.
fn name(tags: &Tags, defaults: &Tags) -> Option<DnsName> {
    let tagged = Policy::of(defaults, tags).0.dns.value;
    tagged.or_else(|| Some(Named::parse(tags.get(tags::NAMED)?)?.name))
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

/// After a throttled look-up the others are not sent: they would be throttled as well.
pub async fn look_up(
    cloud: &dyn Cloud,
    names: Vec<(InstanceId, DnsName)>,
) -> BTreeMap<InstanceId, Fact<Lookup>> {
    let mut found = BTreeMap::new();
    for (lineage, name) in names {
        let answer = cloud.record_sets(&name).await;
        let throttled = matches!(&answer, Err(error) if error.is_throttled());
        found.insert(lineage, lookup(name, answer));
        if throttled {
            break;
        }
    }
    found
}

fn lookup(name: DnsName, answer: Result<Vec<RecordSet>, CloudError>) -> Fact<Lookup> {
    let found = match answer {
        Err(error) if matches!(error.class, Class::Denied | Class::Permanent) => {
            Ok(Err(error.to_string()))
        }
        answer => answer.map(Ok),
    };
    fact(found.map(|found| Lookup { name, found }))
}
