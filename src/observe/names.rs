//! Looks up the names that follow an instance, one after the other.

use super::fact;
use crate::cloud::{Class, Cloud, CloudError};
use crate::dns::{DnsName, Lookup, RecordSet};
use crate::id::InstanceId;
use crate::situation::Fact;
use std::collections::BTreeMap;

/// After a throttled look-up the others are not sent: they would be throttled as well.
pub async fn look_up(
    cloud: &dyn Cloud,
    names: &[(InstanceId, DnsName)],
) -> BTreeMap<InstanceId, Fact<Lookup>> {
    let mut found = BTreeMap::new();
    for (lineage, name) in names {
        let answer = cloud.record_sets(name).await;
        let throttled = matches!(&answer, Err(error) if error.is_throttled());
        found.insert(lineage.clone(), lookup(name.clone(), answer));
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
