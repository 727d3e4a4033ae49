//! A launch that takes its time. Until it is answered, the same request is refused because one is under way:
//! `IdempotentCallInProgress`.
//!
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html>

use super::{State, World, error::refused};
use crate::cloud::CloudError;
use time::Duration;

const UNDER_WAY: &str = "IdempotentCallInProgress";

impl World {
    /// The same launch was sent by another invocation a moment before, which is answered so many seconds later.
    pub fn next_launch_takes(&self, seconds: i64) {
        self.change(|it| it.next_launch_takes = Some(Duration::seconds(seconds)));
    }
}

impl State {
    pub(super) fn not_under_way(&self, call: &'static str, token: &str) -> Result<(), CloudError> {
        let until = self.under_way.get(&(call, token.to_owned()));
        if until.is_none_or(|it| *it <= self.now) {
            return Ok(());
        }
        Err(refused(call, UNDER_WAY, "the same request is under way"))
    }

    /// The answer, for the invocation that sent it first; others that ask meanwhile do not get it.
    pub(super) fn answered_later(
        &mut self,
        call: &'static str,
        token: &str,
        answer: Result<String, CloudError>,
    ) -> Result<String, CloudError> {
        let others = self.next_launch_takes.take();
        let takes = others.unwrap_or(Duration::milliseconds(self.config.launch_millis));
        if takes > Duration::ZERO {
            let until = self.now + takes;
            self.under_way.insert((call, token.to_owned()), until);
        }
        match others {
            None => answer,
            Some(_) => Err(refused(call, UNDER_WAY, "the same request is under way")),
        }
    }
}
