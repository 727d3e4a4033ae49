//! The default EBS key, for a note in the preparation: read only while nothing is interrupted.

use super::{Scope, fact};
use crate::cloud::Cloud;
use crate::id::InstanceId;
use crate::situation::Fact;
use std::collections::BTreeSet;

pub async fn read(
    cloud: &dyn Cloud,
    scope: Scope,
    warned: &BTreeSet<InstanceId>,
) -> Fact<Option<String>> {
    if scope == Scope::Recorded || !warned.is_empty() {
        return Fact::NotRead;
    }
    fact(cloud.default_key().await)
}
