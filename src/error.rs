//! What AWS answers when it does not do what it was asked: codes, and what follows from each.

mod codes;
pub mod launching;

pub use codes::{Class, GROUPS_GONE, advice, classify};

use std::collections::BTreeMap;

/// The code of a read that was given up because there was no end of it.
pub const TOO_MANY: &str = "TooMany";
/// The code of a read that was given up because it went on for too long: the pages of a listing are of everything
/// there is, whatever it is filtered by (TRAP 47).
pub const TOO_LONG: &str = "TooLong";
/// A call that AWS did not carry out, or that was not answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{operation} failed: {code}: {message} (request {})", request_id.as_deref().unwrap_or("unknown"))]
pub struct CloudError {
    pub operation: &'static str,
    pub code: String,
    pub message: String,
    pub request_id: Option<String>,
    pub class: Class,
    /// Of a launch: the code by instance type, where AWS says it.
    pub refused: BTreeMap<String, String>,
}

impl CloudError {
    /// An error with its class looked up.
    #[must_use]
    pub fn new(
        operation: &'static str,
        code: &str,
        message: &str,
        request_id: Option<&str>,
    ) -> Self {
        Self {
            operation,
            code: code.to_owned(),
            message: message.to_owned(),
            request_id: request_id.map(str::to_owned),
            class: codes::by_message(operation, message)
                .unwrap_or_else(|| classify(operation, code)),
            refused: BTreeMap::new(),
        }
    }

    /// The call may or may not have been carried out.
    #[must_use]
    pub fn no_answer(operation: &'static str) -> Self {
        Self::new(operation, "Timeout", "no answer in time", None)
    }

    /// A read that was given up ([`TOO_LONG`]).
    #[must_use]
    pub fn too_long(operation: &'static str, why: &str) -> Self {
        Self::new(operation, TOO_LONG, why, None)
    }

    /// The answer is longer than a look can take in ([`TOO_MANY`]).
    #[must_use]
    pub fn is_too_much(&self) -> bool {
        self.code == TOO_MANY
    }

    /// It was given up for the time it took ([`TOO_LONG`]).
    #[must_use]
    pub fn is_too_long(&self) -> bool {
        self.code == TOO_LONG
    }

    #[must_use]
    pub fn is_throttled(&self) -> bool {
        codes::is_throttled(&self.code)
    }
}
