//! Spot Instance requests that still matter.

use crate::id::RequestId;
use crate::plan::reads::first::{First, Prepared};
use crate::record::RecordedRequest;
use crate::situation::Instance;
use crate::tags;
use std::collections::BTreeSet;

/// A one-time request is over once it has launched: when that is on record, it is not asked for again.
pub fn wanted(first: &First) -> Vec<RequestId> {
    let recorded = |it: &Prepared| RecordedRequest::parse(it.template.tags.get(tags::REQUEST)?);
    let known: Vec<RecordedRequest> = first.rescues.iter().filter_map(recorded).collect();
    let over = |id: &RequestId| known.iter().any(|it| it.id == *id && !it.persistent);
    // The request of a replacement matters only once it has taken over.
    let asked = { first.instances.iter() }.filter(|it| !first.is_replacement(it));
    // The request says when an instance ended without a warning.
    let untold = |it: &&Instance| !it.is_alive() && !it.tags.contains_key(tags::INTERRUPTED_AT);
    let ended: BTreeSet<&RequestId> = { asked.clone() }
        .filter(untold)
        .filter_map(|it| it.request.as_ref())
        .collect();
    let asked = asked.filter_map(|it| it.request.clone());
    let persistent = known.iter().filter(|it| it.persistent);
    // The request says how an instance ended that EC2 does not show any more.
    let vanished = { first.rescues.iter() }.filter(|it| is_vanished(it, first));
    let vanished = vanished.filter_map(recorded);
    let all: BTreeSet<RequestId> = asked
        .filter(|it| ended.contains(it) || !over(it))
        .chain(persistent.map(|it| it.id.clone()))
        .chain(vanished.map(|it| it.id))
        .collect();
    all.into_iter().collect()
}

fn is_vanished(rescue: &Prepared, first: &First) -> bool {
    let head = rescue.template.tags.get(tags::HEAD);
    head.is_some_and(|head| first.instances.iter().all(|it| it.id.as_str() != head))
}
