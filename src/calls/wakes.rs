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
                    self.send_some(&call).await;
                }
            }
        }
    }

    async fn send_some(&self, call: impl AsyncFn(&Action) -> Answer) {
        let some: Vec<Letter> = {
            let mut ready = lock(&self.ready);
            let first = ready.len().min(TOGETHER);
            ready.drain(..first).collect()
        };
        let (wakes, waiting): (Vec<_>, Vec<_>) = some.into_iter().unzip();
        let answer = match wakes.as_slice() {
            [] => return,
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
    }
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use crate::calls::Calls;
    use crate::cloud::Cloud;
    use crate::event::Wake;
    use crate::sim::{FailingCloud, Fault, Kind, On, World};
    use crate::step::Action;
    use futures_util::future::join_all;
    use std::collections::BTreeSet;

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
}
