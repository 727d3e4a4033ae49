//! The instance's own tags repeat the part of the record that first aid needs, so that one `DescribeInstances` is
//! enough.

use crate::plan::capacity::template;
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::marks::{own, room};
use crate::plan::volumes::snapshot;
use crate::record::{Record, address_tags, history_tags, interface_tags, shape_text, target_tags};
use crate::situation::Instance;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};

/// Writes the instance's own tags. Returns the keys that have no room.
pub fn plan(lineage: &Lineage, owner: &Instance, record: &Record, plan: &mut Plan) -> Vec<String> {
    let mut wanted = repeated(lineage, owner, record);
    let Some(template) = lineage.template() else {
        plan.wait(5, "the prepared rescue to be visible");
        wanted.insert(tags::PREPARED.to_owned(), String::new());
        return room::on_owner(lineage, owner, wanted).left;
    };
    let Some((version, _)) = template.versions() else {
        plan.wait(5, "the version of the prepared rescue to be on record");
        return Vec::new();
    };
    let untagged = if snapshot::copies_tags(lineage, owner) {
        ""
    } else {
        snapshot::UNTAGGED
    };
    let bare = lineage.record.left_open.is_some() && !lineage.is_networked();
    let bare = if bare { template::BARE } else { "" };
    let prepared = format!("{} {version}{bare}{untagged}", template.id);
    wanted.insert(tags::PREPARED.to_owned(), prepared);
    let marks = room::on_owner(lineage, owner, wanted);
    mark(owner, marks.wanted, marks.stale, plan);
    marks.left
}

/// Without room for old and new tags together, the old ones are removed first.
fn mark(owner: &Instance, tags: Tags, stale: Vec<String>, plan: &mut Plan) {
    let resources = vec![owner.id.to_string()];
    let crowded = !stale.is_empty() && !room::takes_all(owner, &tags);
    let unmark = format!("unmark {}", owner.id);
    let keys = stale;
    let marked = (!own::holds(&owner.tags, &tags)).then(|| {
        let resources = resources.clone();
        Step::new(
            format!("mark {}", owner.id),
            Action::Tag { resources, tags },
        )
    });
    let unmarked =
        (!keys.is_empty()).then(|| Step::new(&unmark, Action::Untag { resources, keys }));
    if crowded {
        plan.steps.extend(unmarked);
        plan.steps.extend(marked.map(|it| it.after(&unmark)));
    } else {
        plan.steps.extend(marked);
        plan.steps.extend(unmarked);
    }
}

/// The tags of the record that the instance repeats.
fn repeated(lineage: &Lineage, owner: &Instance, record: &Record) -> Tags {
    let mut wanted = own::own(lineage);
    wanted.extend(target_tags(&record.targets));
    wanted.extend(address_tags(&record.addresses));
    wanted.extend(interface_tags(&record.interfaces));
    wanted.extend(history_tags(&record.history));
    if let Some(shape) = &record.shape {
        wanted.insert(tags::SHAPE.to_owned(), shape_text(shape));
    }
    // A detached instance shows no Auto Scaling group, and first aid must know that the group launches.
    if let Some(group) = &record.group {
        wanted.insert(tags::GROUP.to_owned(), group.clone());
    }
    // A stand-in may have another type than the record: first aid chooses its launch request without the record.
    let place = record.place.as_ref();
    if let Some(place) = place.filter(|it| it.instance_type != owner.instance_type) {
        wanted.insert(tags::PLACE.to_owned(), place.to_string());
    }
    wanted
}
