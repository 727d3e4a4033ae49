//! Answers of one kind, by query.

use super::within::within;
use crate::cloud::CloudError;
use crate::situation::{Image, NetworkInterface, Snapshot, Template, Volume};
use crate::tags::Tags;
use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};

pub struct Shelf<K, T> {
    operation: &'static str,
    answers: Mutex<Answers<K, T>>,
}

struct Answers<K, T> {
    by_question: BTreeMap<K, Vec<T>>,
    /// Queries that did not end within their time: they are not repeated.
    endless: BTreeMap<K, CloudError>,
    /// How often the answers were cleared: one that was under way meanwhile may show the state before.
    cleared: u64,
}

impl<K, T> Default for Answers<K, T> {
    fn default() -> Self {
        Self {
            by_question: BTreeMap::new(),
            endless: BTreeMap::new(),
            cleared: 0,
        }
    }
}

impl<K, T> Shelf<K, T> {
    pub fn of(operation: &'static str) -> Self {
        Self {
            operation,
            answers: Mutex::default(),
        }
    }
}

impl<K: Ord, T: Clone> Shelf<K, T> {
    pub async fn get(
        &self,
        question: K,
        asking: impl Future<Output = Result<Vec<T>, CloudError>>,
    ) -> Result<Vec<T>, CloudError> {
        let before = {
            let answers = self.lock();
            if let Some(known) = answers.by_question.get(&question) {
                return Ok(known.clone());
            }
            if let Some(error) = answers.endless.get(&question) {
                return Err(error.clone());
            }
            answers.cleared
        };
        let answer = within(self.operation, asking).await;
        let mut answers = self.lock();
        match &answer {
            Ok(all) if answers.cleared == before => {
                answers.by_question.insert(question, all.clone());
            }
            Err(error) if error.is_too_long() => {
                answers.endless.insert(question, error.clone());
            }
            Ok(_) | Err(_) => {}
        }
        answer
    }

    pub fn clear(&self) {
        let mut answers = self.lock();
        answers.by_question.clear();
        answers.cleared += 1;
    }

    /// Tags that have just been written on these: answers under way may not have them.
    pub fn write(&self, resources: &[String], change: impl Fn(&mut Tags))
    where
        T: Tagged,
    {
        let mut answers = self.lock();
        answers.cleared += 1;
        let all = answers.by_question.values_mut().flatten();
        for it in all.filter(|it| resources.iter().any(|id| id == it.id())) {
            change(it.tags());
        }
    }

    /// Nothing that holds it can panic halfway.
    fn lock(&self) -> MutexGuard<'_, Answers<K, T>> {
        self.answers.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A resource that written tags can be added to.
pub trait Tagged {
    fn id(&self) -> &str;
    fn tags(&mut self) -> &mut Tags;
}

macro_rules! tagged {
    ($($of:ty),*) => {$(
        impl Tagged for $of {
            fn id(&self) -> &str {
                self.id.as_str()
            }

            fn tags(&mut self) -> &mut Tags {
                &mut self.tags
            }
        }
    )*};
}

tagged!(Image, NetworkInterface, Snapshot, Template, Volume);

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn an_answer_from_before_a_change_is_not_kept() {
        let shelf = Shelf::<(), u8>::of("DescribeNothing");
        let before = shelf.get((), async {
            shelf.clear();
            Ok(vec![1])
        });
        assert_eq!(before.await, Ok(vec![1]));
        let after = shelf.get((), async { Ok(vec![2]) });
        assert_eq!(after.await, Ok(vec![2]));
        let known = shelf.get((), async { Ok(vec![3]) });
        assert_eq!(known.await, Ok(vec![2]));
    }

    /// TRAP 47: a listing that one look has waited for is not repeated by later looks of the same invocation.
    #[cfg(feature = "sim")]
    #[tokio::test(start_paused = true)]
    async fn what_there_is_no_end_of_is_asked_for_once() {
        let shelf = Shelf::<(), u8>::of("DescribeSnapshots");
        let endless = shelf.get((), std::future::pending()).await;
        let error = endless.expect_err("nothing came of it");
        assert_eq!(
            (error.operation, error.is_too_long()),
            ("DescribeSnapshots", true)
        );
        let again = shelf.get((), async { Ok(vec![1]) });
        assert_eq!(again.await, Err(error));
    }
}
