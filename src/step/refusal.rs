//! What is written down when a launch finds no capacity: the pools that had none, and that the next
//! launch is another request. Made of the plan's part, which is known before, and of AWS's answer.

use super::Action;
use crate::clock::Timestamp;
use crate::cloud::CloudError;
use crate::id::TemplateId;
use crate::record::{FailedPool, Pool, failed_pool_tags};
use crate::tags::Tags;
use std::fmt;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whose tags are the record. None while it is being created.
    pub template: Option<TemplateId>,
    /// The tag that counts, so that the next request is another one, as it is then.
    pub counted: (&'static str, String),
    /// How many requests have failed then.
    pub attempt: u32,
    pub at: Timestamp,
    /// All of the request: one that had capacity would have been used.
    pub pools: Vec<Pool>,
    /// What is on record already.
    pub known: Vec<FailedPool>,
}

impl Refusal {
    /// The record's tags, after this answer.
    #[must_use]
    pub fn tags(&self, error: &CloudError) -> Tags {
        let code = |it: &Pool| error.refused.get(&it.instance_type).unwrap_or(&error.code);
        let failed = self.pools.iter().map(|pool| FailedPool {
            pool: pool.clone(),
            code: code(pool).clone(),
            at: self.at,
        });
        let earlier = self
            .known
            .iter()
            .filter(|it| !self.pools.contains(&it.pool));
        let all: Vec<FailedPool> = earlier.cloned().chain(failed).collect();
        let mut tags = failed_pool_tags(&all);
        let (key, count) = self.counted.clone();
        tags.insert(key.to_owned(), count);
        tags
    }

    /// The call that writes them. None if there is nothing yet to write on.
    #[must_use]
    pub fn action(&self, error: &CloudError) -> Option<Action> {
        Some(Action::Tag {
            resources: vec![self.template.as_ref()?.to_string()],
            tags: self.tags(error),
        })
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            template: _,
            counted: _,
            attempt,
            at: _,
            pools,
            known: _,
        } = self;
        let pools: Vec<String> = pools.iter().map(ToString::to_string).collect();
        write!(f, "note attempt {attempt}")?;
        if pools.is_empty() {
            return Ok(());
        }
        write!(f, ", and that there is no {}", pools.join(", no "))
    }
}
