//! What AWS has answered to a rehearsal of this invocation.

use std::collections::BTreeMap;

/// Whether it is this lineage's turn, and the answers.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Rehearsing {
    pub due: bool,
    /// By step.
    pub answers: BTreeMap<String, Answer>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Answer {
    Allowed,
    /// For good, until the cause is mended.
    Refused {
        operation: &'static str,
        code: String,
        message: String,
    },
    /// It is asked again at a later sweep.
    Unanswered,
}
