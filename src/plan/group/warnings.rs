//! Warns, while there is time, that an Auto Scaling group cannot do what the tags ask for.

use crate::plan::facts::launcher::group;
use crate::plan::lineage::Lineage;
use crate::policy::{PolicyWarning, Protect, Replace};
use crate::situation::{Instance, Lifecycle};
use crate::tags;

const REPLACE: &str = "spot-rescue:replace";

const PROTECT: &str = "spot-rescue:protect";

/// The warnings about a member while its rescue is prepared.
#[must_use]
pub fn warnings(lineage: &Lineage, owner: &Instance) -> Vec<PolicyWarning> {
    let replace = lineage.policy.replace.value;
    let warning = |key: &str, what: String| PolicyWarning {
        key: key.to_owned(),
        what,
    };
    let group = lineage.facts.group.known().and_then(Option::as_ref);
    let Some(group) = group.filter(|_| owner.group().is_some()) else {
        let lone = replace == Replace::Group && lineage.group_name().is_none();
        let what = format!("{} is in no Auto Scaling group: we launch", owner.id);
        return lone.then(|| warning(REPLACE, what)).into_iter().collect();
    };
    let scaling = &group.scaling;
    let name = &scaling.name;
    let mut found = Vec::new();
    let mut warn = |key, what| found.push(warning(key, what));
    if replace == Replace::None {
        return found;
    }
    if let (Replace::Launch, Err(why)) = (replace, group::room(scaling)) {
        warn(REPLACE, format!("{name} launches the replacement: {why}"));
    }
    if !scaling.is_opted_in() {
        let what = "the group itself is not tagged on: it is never changed, so it replaces a member \
                    only after that has ended, and our launch hooks in it are not completed";
        warn(tags::OPT_IN, format!("{name}: {what}"));
    }
    if !scaling.propagates_opt_in {
        let what = "the group does not propagate the tag to new members; unless its launch template sets it, \
                    they take nothing over";
        warn(tags::OPT_IN, format!("{name}: {what}"));
    }
    let flagged = || {
        owner
            .devices
            .iter()
            .any(|it| it.delete_on_termination && !owner.is_root(&it.name))
    };
    if scaling.capacity_rebalance && lineage.policy.protect.value == Protect::AtWarning && flagged()
    {
        let what = "Capacity Rebalancing may end a member before its two minutes are over, and its \
                    volumes with it; always keeps them";
        warn(PROTECT, format!("{name}: {what}"));
    }
    if scaling.suspends("Launch") {
        warn(
            REPLACE,
            format!("{name} launches nothing: its Launch process is suspended"),
        );
    }
    match scaling.lifecycle(&owner.id) {
        Some(Lifecycle::Standby) if replace != Replace::Launch => {
            warn(
                REPLACE,
                format!("{name} does not replace a member in standby: its volumes are kept only"),
            );
        }
        Some(Lifecycle::Warmed) if replace != Replace::Launch => {
            warn(
                REPLACE,
                format!(
                    "{name} does not replace a member in its warm pool: its volumes are kept only"
                ),
            );
        }
        Some(_) | None => {}
    }
    found
}
