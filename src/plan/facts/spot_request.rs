//! The Spot Instance request that an instance was launched for.

use crate::event::InstanceAction;
use crate::id::InstanceId;
use crate::plan::lineage::Lineage;
use crate::record::RecordedRequest;
use crate::situation::{Instance, RequestEnd, SpotRequest};

/// The request of an instance, as EC2 shows it.
pub fn of<'a>(lineage: &Lineage<'a>, instance: &Instance) -> Option<&'a SpotRequest> {
    let id = instance.request.as_ref()?;
    let known = lineage.facts.requests.known()?;
    known.iter().find(|it| it.id == *id)
}

/// How an instance ended, according to its request.
pub fn end<'a>(lineage: &Lineage<'a>, instance: &InstanceId) -> Option<&'a RequestEnd> {
    let all = lineage.facts.requests.known()?;
    let mut of_this = all
        .iter()
        .filter(|it| it.instance.as_ref() == Some(instance));
    of_this.find_map(|it| it.end.as_ref())
}

/// The owner's request as EC2 shows it, or as recorded.
pub fn recorded(lineage: &Lineage, owner: &Instance) -> Option<RecordedRequest> {
    let seen = of(lineage, owner).map(RecordedRequest::of);
    let record = lineage.record.request.clone();
    seen.or(record.filter(|it| owner.request.as_ref() == Some(&it.id)))
}

/// Why a replacement would be one too many: EC2 starts the instance again by itself.
pub fn comes_back(lineage: &Lineage, owner: &Instance) -> Option<String> {
    let request = recorded(lineage, owner)?;
    let RecordedRequest { id, behaviour, .. } = request;
    (behaviour != InstanceAction::Terminate)
        .then(|| format!("{id} is to {behaviour} it: EC2 brings it back"))
}
