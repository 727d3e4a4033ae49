//! An opt-in tag on the Spot Instance request instead of the instance: it is reported, and nothing is done (TRAP 63).
//!
//! "When you tag a Spot Instance request, the instances and volumes that are launched by the Spot Instance request are
//! not automatically tagged": <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/tag-spot-requests.html>

use super::context::{Context, before_the_deadline};
use crate::clock::{SWEEP, Timestamp};
use crate::cloud::Query;
use crate::id::InstanceId;
use crate::policy::Policy;
use crate::report::Unprotected;
use crate::situation::{Instance, SpotRequest};
use crate::tags::{self, Tags};
use std::collections::BTreeSet;
use time::Duration;

/// It is reported by the first sweep after the launch, and then once a day: nothing is written down of it.
const DAY: i64 = 86_400;

/// Spot Instances that are being interrupted and have no tags of ours. One call for all of them, after every rescue.
pub async fn at_the_end(context: &Context<'_>, taken: &[Instance]) -> Vec<Unprotected> {
    let ids: BTreeSet<_> = taken.iter().filter_map(|it| it.request.clone()).collect();
    let ids: Vec<_> = ids.into_iter().collect();
    if ids.is_empty() {
        return Vec::new();
    }
    let requests = before_the_deadline(context, context.cloud.requests(&ids)).await;
    let requests = requests
        .inspect_err(|error| tracing::info!(%error, "failed to read Spot requests: an opt-in on one would go unreported"))
        .unwrap_or_default();
    let told = taken.iter().filter_map(|it| {
        let request = requests
            .iter()
            .find(|of| Some(&of.id) == it.request.as_ref())?;
        unprotected(it, request, true, context.clock.now())
    });
    told.collect()
}

/// Reads all Spot requests with the opt-in tag in one call, and in another the instances of those that are not among
/// the protected.
pub async fn at_a_sweep(context: &Context<'_>, protected: &[Instance]) -> Vec<Unprotected> {
    let requests = before_the_deadline(context, context.cloud.tagged_requests(tags::OPT_IN)).await;
    let requests = requests
        .inspect_err(|error| tracing::info!(%error, "failed to read Spot requests with the opt-in; read again at the next sweep"))
        .unwrap_or_default();
    let of_ours = |id: &InstanceId| protected.iter().any(|it| it.id == *id);
    let launched = { requests.iter() }.filter_map(|it| it.instance.clone());
    let others: BTreeSet<InstanceId> = launched.filter(|it| !of_ours(it)).collect();
    let query = Query::Instances(others.into_iter().collect());
    if query.names_nothing() {
        return Vec::new();
    }
    let found = before_the_deadline(context, context.cloud.instances(&query)).await;
    let now = context.clock.now();
    let told = found.unwrap_or_default().into_iter().filter_map(|it| {
        let mut requests = requests.iter();
        let request = requests.find(|of| Some(&of.id) == it.request.as_ref())?;
        unprotected(&it, request, false, now).filter(|_| it.is_alive() && is_due(&it, now))
    });
    told.collect()
}

fn is_due(instance: &Instance, now: Timestamp) -> bool {
    let age = now - instance.launch_time;
    age >= Duration::ZERO && age.whole_seconds() % DAY < SWEEP.whole_seconds()
}

/// The instance's own tags decide, and were reported already.
fn unprotected(
    instance: &Instance,
    request: &SpotRequest,
    interrupted: bool,
    at: Timestamp,
) -> Option<Unprotected> {
    let says = |tags: &Tags| tags.contains_key(tags::OPT_IN) || Policy::misspelt(tags).is_some();
    let meant = request.tags.get(tags::OPT_IN).is_some_and(|it| it == "on")
        || Policy::misspelt(&request.tags).is_some();
    let why = format!(
        "the tag {} stands on its Spot Instance request {}, which hands no tags on; put {}=on on the instance, and where \
         it is launched from",
        tags::OPT_IN,
        request.id,
        tags::OPT_IN
    );
    (meant && !says(&instance.tags)).then(|| Unprotected {
        instance: instance.id.clone(),
        why,
        interrupted,
        at,
    })
}
