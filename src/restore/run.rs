//! One restore, look by look, with what it has already called: reads show a change only a while after it was made.

use super::course::{Call, Next, next};
use super::look::{Hands, view};
use super::order::Order;
use crate::cloud::{Class, CloudError};
use crate::id::VolumeId;

/// A restore under way.
pub struct Run<'a> {
    cloud: &'a dyn Hands,
    order: Order,
    called: Vec<Call>,
}

/// What came of a look.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Progress {
    /// Calls, each with what AWS has answered.
    Called(Vec<(Call, String)>),
    Waits(String),
    Done(Vec<(String, VolumeId)>),
    Refused(String),
}

impl<'a> Run<'a> {
    #[must_use]
    pub fn new(cloud: &'a dyn Hands, order: Order) -> Self {
        Self {
            cloud,
            order,
            called: Vec::new(),
        }
    }

    /// What the first calls would be, without any.
    pub async fn foreseen(&self) -> Result<Next, CloudError> {
        Ok(next(&self.order, &view(self.cloud, &self.order).await?))
    }

    /// Looks, and does what comes next. After an error another look is safe: what was done is found.
    pub async fn look(&mut self) -> Result<Progress, CloudError> {
        let view = view(self.cloud, &self.order).await?;
        Ok(match next(&self.order, &view) {
            Next::Wait(what) => Progress::Waits(what),
            Next::Done(volumes) => Progress::Done(volumes),
            Next::Refused(why) => Progress::Refused(why),
            Next::Calls(calls) => self.call(calls).await?,
        })
    }

    async fn call(&mut self, calls: Vec<Call>) -> Result<Progress, CloudError> {
        let mut answered = Vec::new();
        for call in calls {
            if self.called.contains(&call) {
                continue;
            }
            let answer = match perform(self.cloud, &call).await {
                Err(error) if error.class == Class::AlreadyDone => error.code,
                answer => answer?,
            };
            self.called.push(call.clone());
            answered.push((call, answer));
        }
        Ok(if answered.is_empty() {
            Progress::Waits("EC2 to show what was done".to_owned())
        } else {
            Progress::Called(answered)
        })
    }
}

/// One call, sent.
async fn perform(cloud: &dyn Hands, call: &Call) -> Result<String, CloudError> {
    match call {
        Call::Send(action) => cloud.act(action).await,
        Call::Detach { volume, from } => cloud.detach(volume, from).await,
    }
}
