//! EC2 no longer shows the owner, and nothing says how it ended. An absence is no proof, so nothing is deleted: the
//! prepared rescue is kept for two weeks, in which a late warning still leads to a rescue, and the loss is reported
//! once.

use crate::event::{InstanceAction, Interruption};
use crate::plan::course::outcome;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::expiry;
use crate::plan::volumes::fate::HandOver;
use crate::report::Kind;
use crate::tags;
use std::collections::BTreeMap;
use time::Duration;

/// How long the prepared rescue is kept.
const KEPT: Duration = Duration::days(14);

pub fn plan(lineage: &Lineage, why: &str) -> Plan {
    let mut plan = Plan::nothing(why);
    let (Some(template), Some(head)) = (lineage.template(), &lineage.record.head) else {
        return plan;
    };
    if template.tags.contains_key(tags::EXPIRES_AT) {
        return plan;
    }
    let seen = format!("{head} has vanished");
    if !plan.confirmed(lineage, seen, "its absence to be seen again") {
        return plan;
    }
    let until = lineage.now + KEPT;
    let step = expiry::expire_at(until, template.id.to_string());
    let told = step.id.clone();
    plan.step(step);
    let interruption = Interruption {
        instance: head.clone(),
        action: InstanceAction::Terminate,
        at: lineage.now,
    };
    let hand_over = HandOver::default();
    let mut outcome = outcome::of_rescue(
        Kind::Vanished,
        lineage,
        &interruption,
        &hand_over,
        BTreeMap::new(),
    );
    outcome.why = Some(advice(lineage, why));
    plan.outcome = Some((told, outcome));
    plan
}

fn advice(lineage: &Lineage, why: &str) -> String {
    let volumes = lineage.facts.volumes.known();
    let volumes = volumes.map(Vec::as_slice).unwrap_or_default();
    let recorded = |id: &str| {
        lineage
            .record
            .volumes
            .iter()
            .any(|it| it.volume.as_str() == id)
    };
    let free = volumes
        .iter()
        .filter(|it| it.is_free() && recorded(it.id.as_str()));
    let free: Vec<String> = free.map(|it| it.id.to_string()).collect();
    let left = if free.is_empty() {
        "none of its volumes is left free".to_owned()
    } else {
        format!("its volumes {} are free and stay", free.join(" "))
    };
    format!(
        "{why}; {left}; its prepared rescue is kept for two weeks: launch from the launch template {} and attach them, \
         or delete it",
        lineage.template().map_or("", |it| it.name.as_str())
    )
}
