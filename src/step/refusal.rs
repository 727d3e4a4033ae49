//! What is written down when a launch is refused: what was asked and refused, and that the next
//! launch is another request. Made of the plan's part, which is known before, and of AWS's answer.

use super::Action;
use crate::clock::Timestamp;
use crate::cloud::launching::{Scope, is_answered, meaning};
use crate::cloud::{Class, CloudError};
use crate::id::TemplateId;
use crate::record::{FailedPool, Pool, failed_pool_tags};
use crate::tags::{self, Tags};
use std::fmt;

/// What a fleet says of a pool without capacity, and of one it has not asked.
const UNTRIED: &str = "UnfulfillableCapacity";
/// A tag's value has room for 256 characters, a seal of ours included.
const MOST_SAID: usize = 220;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    /// Whose tags are the record. None while it is being created.
    pub template: Option<TemplateId>,
    /// The tag that counts, so that the next request is another one, as it is then.
    pub counted: (&'static str, String),
    /// How many requests have failed then.
    pub attempt: u32,
    pub at: Timestamp,
    /// Whether nothing but want of capacity counts: what else it is refused for, another step has an answer to.
    pub only_capacity: bool,
    /// All of the request: one that had capacity would have been used.
    pub pools: Vec<Pool>,
    /// What is on record already.
    pub known: Vec<FailedPool>,
}

impl Refusal {
    /// Whether the answer uses up the request's token, so that the next has to be another one.
    #[must_use]
    pub fn counts(&self, error: &CloudError) -> bool {
        let for_want_of_capacity = || {
            let token = meaning(&error.code).scope == Scope::Token;
            token || error.class == Class::Capacity
        };
        is_answered(error) && (!self.only_capacity || for_want_of_capacity())
    }

    /// The record's tags, after this answer.
    #[must_use]
    pub fn tags(&self, error: &CloudError) -> Tags {
        let failed: Vec<FailedPool> = self.failed(error).collect();
        let anew = |it: &&FailedPool| failed.iter().all(|new| new.pool != it.pool);
        let earlier = self.known.iter().filter(anew).cloned();
        let all: Vec<FailedPool> = earlier.chain(failed.clone()).collect();
        let mut tags = failed_pool_tags(&all);
        let (key, count) = self.counted.clone();
        tags.insert(key.to_owned(), count);
        if !self.pools.is_empty() {
            tags.insert(tags::REFUSAL.to_owned(), said(error));
        }
        tags
    }

    /// The pools that were asked: a fleet tries three, and says of the others what it says of an empty one.
    /// (TRAP 44)
    fn failed(&self, error: &CloudError) -> impl Iterator<Item = FailedPool> {
        let code = |it: &Pool| error.refused.get(&it.instance_type).unwrap_or(&error.code);
        let untried = |code: &str| code == UNTRIED;
        let tried_some = error.refused.values().any(|it| !untried(it));
        let token = meaning(&error.code).scope == Scope::Token;
        let asked = self.pools.iter().filter(move |_| !token);
        let failed = asked.map(move |pool| FailedPool {
            pool: pool.clone(),
            code: code(pool).clone(),
            at: self.at,
        });
        failed.filter(move |it| !(tried_some && untried(&it.code)))
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

/// For a person: the code and AWS's own words, as far as a tag's value holds them.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
fn said(error: &CloudError) -> String {
    let id = error.request_id.as_deref().unwrap_or("no request id");
    let text = format!("{} ({id}): {}", error.code, error.message);
    let allowed = |it: char| it.is_alphanumeric() || " _.:/=+-@".contains(it);
    let letters = text.chars().map(|it| if allowed(it) { it } else { ' ' });
    letters.take(MOST_SAID).collect()
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            template: _,
            counted: _,
            attempt,
            at: _,
            only_capacity: _,
            pools,
            known: _,
        } = self;
        let pools: Vec<String> = pools.iter().map(ToString::to_string).collect();
        write!(f, "note attempt {attempt}")?;
        if pools.is_empty() {
            return Ok(());
        }
        write!(f, ", and what refuses {}", pools.join(", "))
    }
}
