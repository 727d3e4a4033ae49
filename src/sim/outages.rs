//! Calls that fail each time, for a while or for good: denied by a policy, or over a limit.

use super::{State, World, error::refused};
use crate::clock::Timestamp;
use crate::cloud::CloudError;
use time::Duration;

/// What a call answers, and until when.
#[derive(Debug, Clone)]
pub struct Outage {
    code: String,
    until: Option<Timestamp>,
}

impl World {
    /// Every call of this API fails with this code for so many seconds from now on, or for ever.
    pub fn fail_calls(&self, call: &'static str, code: &str, seconds: Option<i64>) {
        self.change(|it| {
            let until = seconds.map(|seconds| it.now + Duration::seconds(seconds));
            let code = code.to_owned();
            it.outages.insert(call, Outage { code, until });
        });
    }
}

impl State {
    pub(super) fn works(&self, call: &'static str) -> Result<(), CloudError> {
        let outage = self.outages.get(call);
        let lasts = |it: &&Outage| it.until.is_none_or(|until| self.now < until);
        match outage.filter(lasts) {
            None => Ok(()),
            Some(outage) => Err(refused(call, &outage.code, "as the test wants")),
        }
    }
}
