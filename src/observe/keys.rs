//! The states of the KMS keys that the stack names, for what is foretold.

use crate::cloud::{Class, Cloud, CloudError};
use crate::situation::{Fact, KeyState};
use futures_util::future::join_all;
use std::collections::BTreeMap;

/// One call for each key; without keys no call is made.
pub async fn read(cloud: &dyn Cloud, keys: &[String]) -> Fact<BTreeMap<String, KeyState>> {
    if keys.is_empty() {
        return Fact::NotRead;
    }
    let each = keys.iter().map(|arn| async move {
        let state = cloud.key_state(arn).await.inspect_err(noted).ok()?;
        Some((arn.clone(), state))
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
