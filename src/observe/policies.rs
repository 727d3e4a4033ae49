//! The policy of a lineage, as far as it decides what is read. The group's own tags are read a round trip later: the
//! prepared rescue repeats them.

use crate::policy::Policy;
use crate::situation::{Fact, Instance, Template};
use crate::tags::{self, Tags};

/// The policy that the plan will use, once the rescue is prepared.
pub fn of(instance: &Instance, templates: &Fact<Vec<Template>>, defaults: &Tags) -> Policy {
    let lineage = instance.lineage();
    let names =
        |it: &&Template| it.tags.get(tags::RESCUE).map(String::as_str) == Some(lineage.as_str());
    let mut known = templates.known().into_iter().flatten();
    let empty = Tags::new();
    let repeated = known.find(names).map_or(&empty, |it| &it.tags);
    Policy::layered(defaults, repeated, &instance.tags).0
}
