//! Whether the owner is an On-Demand stand-in that should be replaced by Spot.

use crate::event::Interruption;
use crate::plan::lineage::Lineage;
use crate::record::GivenUp;
use crate::situation::{Instance, Market};
use crate::tags::{self, Tags};
use time::Duration;

/// A failed return to Spot is not tried again for so long.
pub const REST: Duration = Duration::DAY;

/// The policy asks for the return to Spot, and the owner is a stand-in that the function has launched.
pub fn is_asked(lineage: &Lineage, owner: &Instance) -> bool {
    let tagged = |key| owner.tags.contains_key(key);
    let template = lineage.template().map(|it| it.id.as_str());
    let launched_from = owner.tags.get(tags::LAUNCHED_FROM).map(String::as_str);
    lineage.policy.return_to_spot.value.is_some()
        && owner.market == Market::OnDemand
        && owner.id != *lineage.id
        && tagged(tags::REPLACES)
        && tagged(tags::LAUNCHED)
        && template.is_some()
        && launched_from == template
}

/// The recorded reason why the stand-in stays, as long as it counts for this owner.
pub fn record_tags(lineage: &Lineage, owner: &Instance) -> Tags {
    let stays = lineage.record.stays.as_ref();
    let stays = stays.filter(|it| it.of == owner.id && it.at + REST > lineage.now);
    let tag = |it: &GivenUp| (tags::STAYS.to_owned(), it.text());
    stays.map(tag).into_iter().collect()
}

/// The record says that this stand-in stays.
pub fn stays(lineage: &Lineage, interruption: &Interruption) -> bool {
    let stays = lineage.record.stays.as_ref();
    stays.is_some_and(|it| it.of == interruption.instance && it.at >= interruption.at)
}
