//! The instances cannot be read, and a warning has two minutes: the instance that it names is protected by what is on
//! record.

use super::context::{Context, before_the_deadline, left};
use crate::calls::Calls;
use crate::cloud::Query;
use crate::event::{InstanceAction, Interruption, Memory, Trigger, is_recent};
use crate::execute::{Done, execute};
use crate::id::InstanceId;
use crate::observe;
use crate::plan;
use crate::situation::{Fact, Template};
use crate::tags;
use futures_util::future::join_all;
use std::collections::BTreeSet;

/// The looks of a chain that always try it; later ones try it now and then.
const FIRST: u32 = 2;
const NOW_AND_THEN: u32 = 10;

pub async fn first_aid(context: &Context<'_>, triggers: &[Trigger]) {
    let warned = triggers.iter().filter_map(|it| warned(context, it));
    let warned: Vec<&Interruption> = warned.collect();
    if warned.is_empty() {
        return;
    }
    let templates = templates(context, &warned).await;
    let calls = &Calls::new(context.cloud);
    let each = warned.into_iter().filter_map(|it| {
        let template = templates
            .iter()
            .find(|found| is_head(found, &it.instance))?;
        Some(protect(context, calls, it, template))
    });
    join_all(each).await;
}

/// The warning to protect an instance from, if any.
fn warned<'a>(context: &Context<'_>, trigger: &'a Trigger) -> Option<&'a Interruption> {
    let interruption = match trigger {
        Trigger::Interruption(it) => it,
        Trigger::Wake(it) if it.attempt <= FIRST || it.attempt % NOW_AND_THEN == 0 => {
            it.memory.interruptions.first()?
        }
        Trigger::Wake(_)
        | Trigger::StateChange { .. }
        | Trigger::AtRisk { .. }
        | Trigger::Launched { .. }
        | Trigger::Snapshots { .. }
        | Trigger::Sweep => return None,
    };
    // An instance that is only stopped keeps its volumes.
    let ends = interruption.action == InstanceAction::Terminate;
    (ends && is_recent(interruption.at, context.clock.now())).then_some(interruption)
}

/// The first instance of a lineage gave it its name; later owners are only on record.
async fn templates(context: &Context<'_>, warned: &[&Interruption]) -> Vec<Template> {
    let ids: BTreeSet<InstanceId> = warned.iter().map(|it| it.instance.clone()).collect();
    let named = before_the_deadline(context, observe::prepared(context.cloud, &ids)).await;
    let mut found = named.unwrap_or_default();
    let known = |id: &InstanceId| found.iter().any(|it| is_head(it, id));
    if !ids.iter().all(known) {
        let all = &Query::TagKey(tags::RESCUE);
        let all = before_the_deadline(context, context.cloud.templates(all)).await;
        found.extend(all.unwrap_or_default());
    }
    found
}

fn is_head(template: &Template, id: &InstanceId) -> bool {
    let head = template.tags.get(tags::HEAD);
    template.ours && head.is_some_and(|it| it == id.as_str())
}

async fn protect(
    context: &Context<'_>,
    calls: &Calls<'_>,
    interruption: &Interruption,
    template: &Template,
) {
    let lineage = template
        .tags
        .get(tags::RESCUE)
        .and_then(|it| it.parse().ok());
    let memory = Memory {
        interruptions: vec![interruption.clone()],
        ..Memory::default()
    };
    let mut situation = observe::unread(
        lineage.unwrap_or_else(|| interruption.instance.clone()),
        &memory,
        context.defaults,
        context.clock.now(),
    );
    situation.facts.template = Fact::Known(Some(template.clone()));
    let plan = plan::unseen(&situation);
    let reports = execute(&plan, calls, &mut Done::default(), left(context)).await;
    for report in reports {
        tracing::warn!(step = %report, "the instance cannot be read: protected by its record alone");
    }
}
