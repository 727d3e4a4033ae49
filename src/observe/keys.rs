//! The states of the KMS keys that the stack names, for what is foretold: read only while nothing is interrupted.

use super::Scope;
use crate::cloud::{Class, Cloud, CloudError};
use crate::id::InstanceId;
use crate::situation::{Fact, KeyState};
use crate::tags::{self, Tags};
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// One call for each key; without keys no call is made.
pub async fn read(
    cloud: &dyn Cloud,
    scope: Scope,
    warned: &BTreeSet<InstanceId>,
    defaults: &Tags,
) -> Fact<BTreeMap<String, KeyState>> {
    let named: BTreeSet<&str> = tags::kms_keys(defaults).collect();
    if scope == Scope::Recorded || !warned.is_empty() || named.is_empty() {
        return Fact::NotRead;
    }
    let each = named.into_iter().map(|arn| async move {
        let state = cloud.key_state(arn).await.inspect_err(noted).ok()?;
        Some((arn.to_owned(), state))
    });
    let known = join_all(each).await;
    Fact::Known(known.into_iter().flatten().collect())
}

/// A key that may not be described says nothing about its state: its own policy decides that.
fn noted(error: &CloudError) {
    if error.class != Class::Denied {
        tracing::warn!(%error, "failed to read the state of a key; planning without it");
    }
}
