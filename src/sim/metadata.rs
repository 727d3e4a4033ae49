//! An account that enforces IMDSv2: launches with optional `HttpTokens` are refused (TRAP 51), with a code that says
//! as little as the one for a type that is not sold there.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html>

use super::model::Version;
use super::pools::{none_open, types};
use super::{State, World};
use crate::cloud::CloudError;
use crate::step::Launch;

const CODE: &str = "UnsupportedOperation";

impl World {
    /// From now on, or no longer. Instances that run are left as they are.
    pub fn enforce_tokens(&self, enforced: bool) {
        self.change(|it| it.tokens_enforced = enforced);
    }
}

impl State {
    /// Inside the answer, for each type.
    pub(super) fn check_tokens(
        &self,
        launch: &Launch,
        version: &Version,
    ) -> Result<(), CloudError> {
        if !self.tokens_enforced || version.tokens_required {
            return Ok(());
        }
        let refused = types(launch).into_iter();
        Err(none_open(refused.map(|it| (it, CODE.to_owned())).collect()))
    }
}
