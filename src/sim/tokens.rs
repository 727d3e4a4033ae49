//! `ClientToken`: the same request again gets the old answer, another request is refused (TRAP 7).
//! A token outlives what it made: that of an ended instance goes on naming it.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>

use super::{State, error::refused};
use crate::cloud::CloudError;

/// The parameters a token was first used with, and the answer.
#[derive(Debug, Clone)]
pub struct Used {
    parameters: String,
    answer: Result<String, CloudError>,
}

impl State {
    /// Does it once per token. A refusal is forgotten, unless it came inside an HTTP 200: then it
    /// is the answer, and `kept` says so.
    pub(super) fn once(
        &mut self,
        operation: &'static str,
        token: &str,
        parameters: String,
        kept: impl FnOnce(&CloudError) -> bool,
        make: impl FnOnce(&mut Self) -> Result<String, CloudError>,
    ) -> Result<String, CloudError> {
        let key = (operation, token.to_owned());
        if let Some(used) = self.tokens.get(&key) {
            let message = "the token was used with other parameters";
            return if used.parameters == parameters {
                used.answer.clone()
            } else {
                Err(refused(operation, "IdempotentParameterMismatch", message))
            };
        }
        let answer = make(self);
        if answer.as_ref().err().is_none_or(kept) {
            let answer = answer.clone();
            self.tokens.insert(key, Used { parameters, answer });
        }
        answer
    }

    /// What a token has made.
    pub(super) fn made(&self, operation: &'static str, token: &str) -> Option<&str> {
        let used = self.tokens.get(&(operation, token.to_owned()))?;
        used.answer.as_deref().ok()
    }
}
