//! One call of a plan, and whether it would collide with another one.

use crate::step::{Action, Step};
use std::collections::BTreeSet;

#[derive(Debug)]
pub struct Job<'a> {
    /// The position of its step in the plan.
    pub place: usize,
    pub step: &'a Step,
    /// AWS's refusal of the step's own call, to be written down by this one.
    pub noted: Option<Action>,
    /// Why it is not sent.
    pub not_done: Option<String>,
}

impl<'a> Job<'a> {
    /// The step's own call.
    pub fn of(place: usize, step: &'a Step) -> Self {
        Self {
            place,
            step,
            noted: None,
            not_done: None,
        }
    }

    pub fn action(&self) -> &Action {
        self.noted.as_ref().unwrap_or(&self.step.action)
    }

    /// Whether no other step writes the same tags. If so, no later step of the plan may go first.
    pub fn claims(&self, claimed: &mut BTreeSet<String>) -> bool {
        let tagged = self.action().tagged();
        let free = tagged.iter().all(|it| !claimed.contains(*it));
        claimed.extend(tagged.into_iter().map(str::to_owned));
        free
    }
}
