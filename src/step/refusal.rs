//! What is written down when a launch is refused: what was asked and refused, and that the next
//! launch is another request. Made of the plan's part, which is known before, and of AWS's answer.

use super::Action;
use crate::clock::Timestamp;
use crate::error::launching::{Scope, is_answered, meaning};
use crate::error::{Class, CloudError};
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
    /// The template that has the record in its tags. None while it is being created.
    pub template: Option<TemplateId>,
    /// The tag with the count of failed requests, by which the next request is another one.
    pub counted: (&'static str, String),
    /// The number of failed requests after this one.
    pub attempt: u32,
    pub at: Timestamp,
    /// Whether only want of capacity counts: other refusals are dealt with by another step.
    pub only_capacity: bool,
    /// All pools of the request: one with capacity would have been used.
    pub pools: Vec<Pool>,
    /// Entries that are on record already.
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

    /// The record's tags after this answer.
    #[must_use]
    pub fn tags(&self, error: &CloudError) -> Tags {
        let failed = self.failed(error);
        let anew = |it: &&FailedPool| failed.iter().all(|new| new.pool != it.pool);
        let earlier = self.known.iter().filter(anew).cloned();
        let all: Vec<FailedPool> = earlier.chain(failed.clone()).collect();
        let mut tags = failed_pool_tags(&all);
        let (key, count) = self.counted.clone();
        tags.insert(key.to_owned(), count);
        if !self.pools.is_empty() {
            tags.insert(tags::REFUSAL.to_owned(), in_words(error));
        }
        tags
    }

    /// The pools that were asked.
    fn failed(&self, error: &CloudError) -> Vec<FailedPool> {
        let token = meaning(&error.code).scope == Scope::Token;
        let asked = self.pools.iter().filter(|_| !token);
        let asked = asked.filter(|it| !is_untried(error, it));
        let failed = |pool: &Pool| FailedPool {
            pool: pool.clone(),
            code: said(error, pool).unwrap_or(&error.code).clone(),
            at: self.at,
        };
        asked.map(failed).collect()
    }

    /// The call that writes them. None if there is no template yet to write on.
    #[must_use]
    pub fn action(&self, error: &CloudError) -> Option<Action> {
        Some(Action::Tag {
            resources: vec![self.template.as_ref()?.to_string()],
            tags: self.tags(error),
        })
    }
}

fn said<'a>(error: &'a CloudError, pool: &Pool) -> Option<&'a String> {
    error.refused.get(&pool.instance_type)
}

/// A fleet tries three, and says of the others what it says of an empty one (TRAP 44). Of a pool that stands for
/// many types (`like`) nothing is said: what was tried, was tried for it.
fn is_untried(error: &CloudError, pool: &Pool) -> bool {
    let tried_some = error.refused.values().any(|it| it != UNTRIED);
    tried_some && said(error, pool).is_some_and(|it| it == UNTRIED)
}

/// For a person: the code and AWS's own words, as far as a tag's value holds them.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html#tag-restrictions>
fn in_words(error: &CloudError) -> String {
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

#[cfg(test)]
mod tests {
    use super::*;
    use crate::situation::Market;
    use time::Duration;

    const AT: Timestamp = Timestamp::UNIX_EPOCH;

    fn pool(instance_type: &str) -> Pool {
        Pool {
            market: Market::Spot,
            subnet: "subnet-0123456789abcdefa".parse().unwrap(),
            instance_type: instance_type.to_owned(),
        }
    }

    /// Of a launch as these types; the first of them has failed a minute before.
    fn refusal(types: &[&str]) -> Refusal {
        let earlier = FailedPool {
            pool: pool("m4.large"),
            code: UNTRIED.to_owned(),
            at: AT - Duration::MINUTE,
        };
        Refusal {
            template: None,
            counted: (tags::ATTEMPTS, "one".to_owned()),
            attempt: 1,
            at: AT,
            only_capacity: false,
            pools: types.iter().map(|it| pool(it)).collect(),
            known: vec![earlier],
        }
    }

    fn error(code: &str, by_type: &[(&str, &str)]) -> CloudError {
        let owned = |(name, code): &(&str, &str)| ((*name).to_owned(), (*code).to_owned());
        CloudError {
            refused: by_type.iter().map(owned).collect(),
            ..CloudError::new("CreateFleet", code, "in AWS's words", Some("r-1"))
        }
    }

    fn failed(types: &[&str], error: &CloudError) -> Vec<String> {
        let refusal = refusal(types);
        let failed = refusal.failed(error);
        let mut text: Vec<String> = failed
            .iter()
            .map(|it| format!("{} {}", it.pool.instance_type, it.code))
            .collect();
        text.sort();
        text
    }

    /// TRAP 43: an answer uses the token up, whatever it says; a request that was not examined does not.
    #[test]
    fn every_answer_uses_the_token_up() {
        let any = refusal(&["m5.large"]);
        let only_capacity = Refusal {
            only_capacity: true,
            ..refusal(&["m5.large"])
        };
        for (code, counts, counts_on_interface) in [
            ("InsufficientInstanceCapacity", true, true),
            ("IdempotentInstanceTerminated", true, true),
            ("UnauthorizedOperation", true, false),
            ("InvalidKeyPair.NotFound", true, false),
            ("SomethingNew", true, false),
            ("RequestLimitExceeded", false, false),
            ("IdempotentCallInProgress", false, false),
            ("Timeout", false, false),
        ] {
            let error = error(code, &[]);
            let counted = (any.counts(&error), only_capacity.counts(&error));
            assert_eq!(counted, (counts, counts_on_interface), "{code}");
        }
    }

    /// TRAP 44
    #[test]
    fn pools_that_were_not_tried_are_not_taken_for_empty() {
        let types = ["m5.large", "m6i.large", "m7i.large", "r5.large"];
        let tried = "InsufficientInstanceCapacity";
        let three = [
            ("m5.large", tried),
            ("m6i.large", tried),
            ("m7i.large", "InvalidFleetConfiguration"),
            ("r5.large", UNTRIED),
        ];
        let expected = [
            "m5.large InsufficientInstanceCapacity",
            "m6i.large InsufficientInstanceCapacity",
            "m7i.large InvalidFleetConfiguration",
        ];
        assert_eq!(failed(&types, &error(tried, &three)), expected);
        // If all say so, it is all that is known.
        let none = [("m5.large", UNTRIED), ("m6i.large", UNTRIED)];
        assert_eq!(
            failed(&types[..2], &error(UNTRIED, &none)),
            [
                "m5.large UnfulfillableCapacity",
                "m6i.large UnfulfillableCapacity"
            ]
        );
        // One that stands for many types has been tried with those that were.
        assert_eq!(
            failed(&["like"], &error(UNTRIED, &three)),
            ["like UnfulfillableCapacity"]
        );
    }

    /// TRAP 45: it says nothing of the pools.
    #[test]
    fn an_answer_about_the_token_lets_no_pool_rest() {
        for code in [
            "IdempotentInstanceTerminated",
            "IdempotentParameterMismatch",
        ] {
            assert_eq!(failed(&["m5.large"], &error(code, &[])), [""; 0]);
        }
    }

    #[test]
    fn entries_on_record_stay_and_the_answer_of_aws_is_added() {
        let tags = refusal(&["m5.large"]).tags(&error("SomethingNew", &[]));
        assert_eq!(tags[tags::ATTEMPTS], "one");
        assert_eq!(tags[tags::REFUSAL], "SomethingNew  r-1 : in AWS s words");
        let known: Vec<String> = crate::record::failed_pools_from(&tags)
            .into_iter()
            .map(|it| it.pool.instance_type)
            .collect();
        assert_eq!(known, ["m5.large", "m4.large"]);
    }
}
