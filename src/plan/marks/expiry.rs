//! The expiry date of a resource, after which the sweep deletes it.

use crate::clock::{self, Timestamp};
use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::step::{Action, Step};
use crate::tags::{self, Tags};
use time::Duration;

/// How long a safety copy is kept.
pub const KEPT: Duration = Duration::hours(24);

pub fn expire(lineage: &Lineage, kept: Duration, mut resources: Vec<String>, plan: &mut Plan) {
    resources.sort();
    if !resources.is_empty() {
        let at = clock::format(lineage.now + kept);
        let tags = Tags::from([(tags::EXPIRES_AT.to_owned(), at)]);
        let id = if kept == KEPT {
            "expire safety copies".to_owned()
        } else {
            format!("expire {}", resources.join(" "))
        };
        plan.step(Step::new(id, Action::Tag { resources, tags }));
    }
}

/// The resource expires in a day.
pub fn expire_later(lineage: &Lineage, resource: String) -> Step {
    expire_at(lineage.now + KEPT, resource)
}

/// The resource expires at this time.
pub fn expire_at(at: Timestamp, resource: String) -> Step {
    let tags = Tags::from([(tags::EXPIRES_AT.to_owned(), clock::format(at))]);
    let id = format!("expire {resource}");
    let resources = vec![resource];
    Step::new(id, Action::Tag { resources, tags })
}
