//! The messages that go on with the lineages of a batch leave together, up to ten in one call: all that are ready when the
//! next call may be sent. One that is alone waits for nothing.
//! <https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/API_SendMessageBatch.html>

use super::{Answer, lock};
use crate::event::Wake;
use crate::step::Action;
use std::collections::VecDeque;
use std::sync::Mutex;
use tokio::sync::{Semaphore, oneshot};

const TOGETHER: usize = 10;
/// So many calls are under way at once; what becomes ready meanwhile goes with the next one.
const UNDER_WAY: usize = 4;

/// A wake to be sent, and where its answer goes.
type Letter = ((Wake, u16), oneshot::Sender<Option<Answer>>);

#[derive(Debug)]
pub struct Wakes {
    ready: Mutex<VecDeque<Letter>>,
    turns: Semaphore,
}

impl Default for Wakes {
    fn default() -> Self {
        Self {
            ready: Mutex::default(),
            turns: Semaphore::new(UNDER_WAY),
        }
    }
}

impl Wakes {
    /// What came of it, or none if it is still to be sent, alone: a call with others failed, or was cut short. One of them may
    /// have been the reason; one that was sent after all leads to a look more.
    pub async fn send(
        &self,
        wake: &Wake,
        delay_seconds: u16,
        call: impl AsyncFn(&Action) -> Answer,
    ) -> Option<Answer> {
        let (sender, mut answer) = oneshot::channel();
        lock(&self.ready).push_back(((wake.clone(), delay_seconds), sender));
        // The other lineages of the batch have their turn meanwhile.
        tokio::task::yield_now().await;
        loop {
            tokio::select! {
                biased;
                answer = &mut answer => return answer.ok().flatten(),
                turn = self.turns.acquire() => {
                    let _turn = turn.ok()?;
                    if !self.send_some(&call).await {
                        break;
                    }
                }
            }
        }
        // It is in a call under way: another turn would find nothing to send, again and again.
        answer.await.ok().flatten()
    }

    /// False if nothing was left to be sent.
    async fn send_some(&self, call: impl AsyncFn(&Action) -> Answer) -> bool {
        let some: Vec<Letter> = {
            let mut ready = lock(&self.ready);
            let first = ready.len().min(TOGETHER);
            ready.drain(..first).collect()
        };
        let (wakes, waiting): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        let answer = match wakes.as_slice() {
            [] => return false,
            [(wake, delay_seconds)] => {
                let (wake, delay_seconds) = (wake.clone(), *delay_seconds);
                let alone = Action::Wake {
                    wake,
                    delay_seconds,
                };
                Some(call(&alone).await)
            }
            _ => Some(call(&Action::Wakes(wakes)).await).filter(Result::is_ok),
        };
        for it in waiting {
            it.send(answer.clone()).ok();
        }
        true
    }
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::Wakes;
    use crate::calls::Calls;
    use crate::cloud::Cloud;
    use crate::event::Wake;
    use crate::sim::{FailingCloud, Fault, Kind, On, World};
    use crate::step::Action;
    use futures_util::future::join_all;
    use std::collections::BTreeSet;
    use std::future::poll_fn;
    use std::pin::pin;
    use std::time::Duration;

    const ALL: usize = 25;

    /// Sends them all at the same moment; true if all were taken.
    async fn send(cloud: &impl Cloud) -> bool {
        let calls = &Calls::new(cloud);
        let each = (0..ALL).map(|n| async move {
            let lineage = format!("i-{n:017x}").parse().expect("an id");
            let wake = Wake::look(lineage);
            let action = Action::Wake {
                wake,
                delay_seconds: 5,
            };
            calls.act(&action).await.is_ok()
        });
        join_all(each).await.into_iter().all(|it| it)
    }

    fn told(world: &World) -> usize {
        let bodies = world.look(|it| {
            let all = it.queue.messages.iter();
            all.map(|it| it.body.clone()).collect::<BTreeSet<_>>()
        });
        bodies.len()
    }

    #[tokio::test]
    async fn the_wakes_of_a_batch_leave_ten_in_a_call() {
        let world = World::new(1);
        assert!(send(&world).await);
        assert_eq!(told(&world), ALL);
        assert_eq!(world.look(|it| it.calls["SendMessage"]), 3);
    }

    /// One that SQS does not take must not keep nine others from going on.
    #[tokio::test]
    async fn what_failed_together_is_sent_alone() {
        let world = World::new(1);
        let fault = Fault {
            on: On::Call("SendMessage", 0),
            kind: Kind::Code("InternalError"),
        };
        let cloud = FailingCloud::new(world.clone(), vec![fault]);
        assert!(send(&cloud).await);
        assert_eq!(cloud.struck().len(), 1);
        assert_eq!(told(&world), ALL);
        assert_eq!(world.look(|it| it.queue.messages.len()), ALL);
    }

    /// A wake in a call under way is waited for, not looked for again and again.
    #[tokio::test(start_paused = true)]
    async fn what_is_under_way_costs_nothing_until_it_is_answered() {
        let wakes = Wakes::default();
        let send = |n: usize| {
            let lineage = format!("i-{n:017x}").parse().expect("an id");
            let wake = Wake::look(lineage);
            let call = async |_: &Action| {
                tokio::time::sleep(Duration::from_secs(1)).await;
                Ok(String::new())
            };
            let wakes = &wakes;
            async move { wakes.send(&wake, 5, call).await }
        };
        let mut all = pin!(join_all((0..ALL).map(send)));
        let mut looked = 0;
        let answers = poll_fn(|context| {
            looked += 1;
            assert!(looked < 100, "it is looked for again and again");
            all.as_mut().poll(context)
        });
        assert!(
            answers
                .await
                .iter()
                .all(|it| *it == Some(Ok(String::new())))
        );
    }
}
