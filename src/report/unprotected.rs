//! An instance that is not protected, with a tag that looks as if it were meant to be.

use super::emf;
use crate::clock::Timestamp;
use crate::id::InstanceId;
use serde_json::json;

/// The instance is left alone, and this is reported: when it begins to run, and when it is interrupted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unprotected {
    pub instance: InstanceId,
    /// The tag, and the value it would need.
    pub why: String,
    pub interrupted: bool,
    pub at: Timestamp,
}

impl Unprotected {
    /// One log line that is also a metric.
    #[must_use]
    pub fn line(&self) -> String {
        let Self {
            instance,
            why,
            interrupted,
            at,
        } = self;
        let end = if *interrupted {
            "is being interrupted and NOT rescued"
        } else {
            "is NOT protected"
        };
        let names = ["MisspeltOptIns"];
        json!({
            "level": "WARN",
            "message": format!("{instance} {end}: {why}"),
            "instance": instance,
            "MisspeltOptIns": 1,
            "_aws": emf::counts(*at, &names),
        })
        .to_string()
    }
}
