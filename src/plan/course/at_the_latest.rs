//! A rescue that was not prepared is prepared at the interruption, as long as the instance can be read.

use crate::clock::seconds_between;
use crate::event::Interruption;
use crate::plan::capacity::template;
use crate::plan::course::current;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::seen::over;
use crate::record::Place;
use crate::situation::Fact;
use crate::step::Action;
use crate::tags;

/// So many seconds after the warning an incomplete record is better than none.
const COMPLETE_WITHIN: f64 = 30.0;

/// Writes the launch template during a rescue, if there is none and an instance is left to make it from.
pub fn prepare(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    // A launch template without a version of ours has nothing that may be launched.
    let missing = match &lineage.facts.template {
        Fact::Known(template) => template.as_ref().is_none_or(|it| it.versions().is_none()),
        Fact::Unavailable { .. } | Fact::NotRead => false,
    };
    let (true, Some(source)) = (missing, template::source(lineage)) else {
        return;
    };
    let (targets, addresses) = (
        current::leaving(lineage, source),
        current::addresses(lineage, source),
    );
    let age = seconds_between(interruption.at, lineage.now);
    if age < COMPLETE_WITHIN && (!current::lists_targets(lineage) || addresses.is_none()) {
        plan.wait(5, "targets and addresses to be readable, to remember them");
        return;
    }
    let mut record = lineage.record.clone();
    record.place = record.place.or_else(|| Place::of(source));
    if record.targets.is_empty() {
        record.targets = targets.unwrap_or_default();
    }
    if record.addresses.is_empty() {
        record.addresses = addresses.unwrap_or_default();
    }
    record.left_open = template::left_open(lineage, source);
    let tags = template::template_tags(lineage, source, &record);
    let Some(mut step) = template::write(lineage, source, tags, lineage.template()) else {
        plan.note(template::names_taken(lineage));
        return;
    };
    if let Action::WriteTemplate(write) = &mut step.action
        && let Some(interruption) = lineage.interruption(source)
    {
        let text = over::word(lineage, &interruption).text(&interruption);
        write.tags.insert(tags::INTERRUPTED_AT.to_owned(), text);
    }
    plan.step(step);
}
