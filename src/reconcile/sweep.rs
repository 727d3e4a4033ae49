//! The schedule: every lineage is looked at again, and what has expired is deleted.
//!
//! Wakes come first and need two reads; each further read stands by itself and has the time that is left, so that no
//! number of foreign resources with our tags keeps a rescue from being looked at.

use super::context::{Context, before_the_deadline, left};
use super::misspelt;
use crate::calls::Calls;
use crate::cloud::{CloudError, Query};
use crate::execute::{Done, execute};
use crate::plan::{self, Expired, Plan};
use crate::report::Unprotected;
use crate::situation::{Instance, Template};
use crate::step::Step;
use crate::tags;

/// One sweep deletes so many at most; the next one goes on.
const MOST_DELETED: usize = 500;
/// A few at a time: a thousand wakes must not take the bucket from a rescue.
const AT_ONCE: usize = 20;

/// The part of the sweep that finds resources which only look protected.
pub async fn sweep(context: &Context<'_>) -> Result<Vec<Unprotected>, CloudError> {
    let cloud = context.cloud;
    let opted_in = Query::Tag {
        key: tags::OPT_IN,
        values: vec!["on".to_owned()],
    };
    let prepared = Query::TagKey(tags::RESCUE);
    let reading =
        async { tokio::try_join!(cloud.instances(&opted_in), cloud.templates(&prepared)) };
    let (protected, templates) = before_the_deadline(context, reading).await?;
    let (calls, now) = (&Calls::new(cloud), context.clock.now());
    do_all(context, calls, plan::wakes(now, &protected, &templates)).await;
    let rehearsals = plan::rehearsals(now, &protected, &templates, context.defaults);
    do_all(context, calls, rehearsals).await;
    let mut steps = expired(context, &protected, &templates).await;
    if steps.len() > MOST_DELETED {
        tracing::warn!(
            expired = steps.len(),
            "more has expired than one sweep deletes: {MOST_DELETED} now, the rest at the next sweeps"
        );
        steps.truncate(MOST_DELETED);
    }
    do_all(context, calls, steps).await;
    Ok(misspelt::at_a_sweep(context, &protected).await)
}

async fn expired(
    context: &Context<'_>,
    protected: &[Instance],
    templates: &[Template],
) -> Vec<Step> {
    let cloud = context.cloud;
    let expiring = &Query::TagKey(tags::EXPIRES_AT);
    let recorded = Query::Volumes(plan::on_record(context.clock.now(), templates));
    let recorded = async {
        if recorded.names_nothing() {
            return Ok(Vec::new());
        }
        before_the_deadline(context, cloud.volumes(&recorded)).await
    };
    let (volumes, recorded, snapshots, images, interfaces) = tokio::join!(
        before_the_deadline(context, cloud.volumes(expiring)),
        recorded,
        before_the_deadline(context, cloud.snapshots(expiring)),
        before_the_deadline(context, cloud.images(expiring)),
        before_the_deadline(context, cloud.interfaces(expiring)),
    );
    let expired = Expired {
        volumes: read(volumes),
        recorded: read(recorded),
        snapshots: read(snapshots),
        images: read(images),
        interfaces: read(interfaces),
    };
    plan::expired(context.clock.now(), protected, templates, &expired)
}

/// What could not be read is left to a later sweep.
fn read<T>(answer: Result<Vec<T>, CloudError>) -> Vec<T> {
    answer
        .inspect_err(|error| tracing::warn!(%error, "failed to read what has expired; left to the next sweep"))
        .unwrap_or_default()
}

async fn do_all(context: &Context<'_>, calls: &Calls<'_>, steps: Vec<Step>) {
    for chunk in steps.chunks(AT_ONCE) {
        let plan = Plan {
            steps: chunk.to_vec(),
            ..Plan::default()
        };
        let reports = execute(&plan, calls, &mut Done::default(), left(context)).await;
        for failed in reports.iter().filter(|it| !it.outcome.succeeded()) {
            tracing::warn!(step = %failed, "sweep");
        }
    }
    tracing::info!(steps = steps.len(), "swept");
}
