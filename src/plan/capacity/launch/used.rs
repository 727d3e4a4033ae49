//! Tokens that a launch has used already.

use crate::id::InstanceId;
use crate::plan::lineage::Lineage;
use crate::step::{Action, Step};
use time::Duration;

/// By then EC2 shows a launched instance, and the invocation that launched it has ended.
const SEEN: Duration = Duration::MINUTE;

/// A launch with this token has returned an instance that EC2 has not shown since: the instance has ended, and EC2
/// keeps returning it for this token.
pub fn is_used(lineage: &Lineage, step: &Step) -> bool {
    let Action::Launch(launch) = &step.action else {
        return false;
    };
    let unseen = lineage.inputs.unseen.get(&launch.token);
    unseen.is_some_and(|since| lineage.now - *since > SEEN)
}

/// First aid does not read which launches were refused, so its launch may have another token and have succeeded.
pub fn has_launched_otherwise(lineage: &Lineage, step: &Step) -> bool {
    let Action::Launch(launch) = &step.action else {
        return false;
    };
    let others = lineage.inputs.unseen.iter();
    let mut others = others.filter(|(token, _)| **token != launch.token);
    others.any(|(_, since)| lineage.now - *since <= SEEN)
}

/// The name of the suspicion that another request has used this token.
pub fn token(lineage: &Lineage, base: &InstanceId) -> String {
    let attempts = lineage.record.attempts.of(base);
    format!("the token of launch {attempts} for {base} is used")
}
