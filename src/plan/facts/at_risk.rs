//! The tags that record a risk of interruption.

use crate::plan::facts::stand_in;
use crate::plan::lineage::Lineage;
use crate::record::{failed_pool_tags, risk_text};
use crate::situation::Instance;
use crate::tags::{self, Tags};

/// The recorded risk, and the pools that refused a spare. They are kept as long as the owner stays the same, so that
/// its launches count.
pub fn record_tags(lineage: &Lineage, owner: &Instance) -> Tags {
    let risk = lineage.risk(owner);
    if risk.is_none() && !stand_in::is_asked(lineage, owner) {
        return Tags::new();
    }
    let risk = risk.map(|it| (tags::AT_RISK.to_owned(), risk_text(&it)));
    let mut all: Tags = risk.into_iter().collect();
    if lineage.record.attempts.of(&owner.id) > 0 {
        all.extend(failed_pool_tags(&lineage.record.failed_pools));
    }
    all
}
