//! One kind of call: how many of it are under way at once, and which one is next.

use crate::cloud::CloudError;
use std::collections::VecDeque;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::sync::oneshot;

/// So many calls at once to begin with; `AT_MOST` is the limit.
const AT_FIRST: usize = 8;
pub const AT_MOST: usize = 32;

/// Which of the waiting calls is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Order {
    FirstCome,
    LastCome,
}

#[derive(Debug)]
pub struct Gate {
    order: Order,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    allowed: usize,
    under_way: usize,
    waiting: VecDeque<oneshot::Sender<Permit>>,
    /// AWS's answer that there were too many calls.
    refusal: Option<CloudError>,
}

/// One of the calls under way, until it is dropped.
#[derive(Debug)]
pub struct Permit(Arc<Gate>);

impl Gate {
    #[must_use]
    pub fn new(order: Order) -> Self {
        let state = State {
            allowed: AT_FIRST,
            ..State::default()
        };
        Self {
            order,
            state: Mutex::new(state),
        }
    }

    /// All calls of the same moment join the queue before the first of them starts. The queue is closed only with the
    /// gate, so there is always a turn.
    pub async fn permit(self: &Arc<Self>) -> Option<Permit> {
        let (sender, turn) = oneshot::channel();
        self.state().waiting.push_back(sender);
        tokio::task::yield_now().await;
        self.admit();
        turn.await.ok()
    }

    fn admit(self: &Arc<Self>) {
        while let Some(next) = self.next() {
            // A caller that is gone drops its turn, which gives the turn back.
            next.send(Permit(self.clone())).ok();
        }
    }

    fn next(&self) -> Option<oneshot::Sender<Permit>> {
        let mut state = self.state();
        if state.under_way >= state.allowed {
            return None;
        }
        state.waiting.retain(|it| !it.is_closed());
        let next = match self.order {
            Order::FirstCome => state.waiting.pop_front(),
            Order::LastCome => state.waiting.pop_back(),
        }?;
        state.under_way += 1;
        Some(next)
    }

    /// Tokens may have come in meanwhile, or it was one refusal among many: one call is tried.
    pub fn reopen(&self) {
        let mut state = self.state();
        if state.refusal.take().is_some() {
            state.allowed = 1;
        }
    }

    /// Nothing more of this kind is sent once AWS has throttled it.
    pub fn refusal(&self) -> Option<CloudError> {
        self.state().refusal.clone()
    }

    pub fn record_answer<T>(&self, answer: &Result<T, CloudError>) {
        let mut state = self.state();
        match answer {
            Err(error) if error.is_throttled() => state.refusal = Some(error.clone()),
            Ok(_) if state.allowed < AT_MOST => state.allowed += 1,
            Ok(_) | Err(_) => {}
        }
    }

    /// Nothing that holds it can panic halfway.
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.0.state().under_way -= 1;
        self.0.admit();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use futures_util::future::join_all;
    use std::collections::BTreeSet;

    /// The order in which they had their turn.
    async fn turns(order: Order, comers: usize) -> Vec<usize> {
        let gate = Arc::new(Gate::new(order));
        let seen: Mutex<Vec<usize>> = Mutex::default();
        let each = (0..comers).map(|it| {
            let (gate, seen) = (&gate, &seen);
            async move {
                let _permit = gate.permit().await;
                seen.lock().expect("one thread").push(it);
            }
        });
        join_all(each).await;
        seen.into_inner().expect("one thread")
    }

    #[tokio::test]
    async fn some_calls_are_served_first_come_and_some_last_come() {
        for (order, wanted) in [
            (Order::FirstCome, 0..AT_FIRST),
            (Order::LastCome, 100 - AT_FIRST..100),
        ] {
            let turns = turns(order, 100).await;
            assert_eq!(turns.len(), 100);
            // The first turns are given together.
            let first: BTreeSet<usize> = turns.into_iter().take(AT_FIRST).collect();
            assert_eq!(first, wanted.collect(), "{order:?}");
        }
    }

    /// A call cut short must not hold up the others.
    #[tokio::test]
    async fn a_caller_that_stops_waiting_takes_no_turn() {
        let gate = Arc::new(Gate::new(Order::FirstCome));
        let mut held = Vec::new();
        for _ in 0..AT_FIRST {
            held.push(gate.permit().await);
        }
        let waiting = tokio::spawn({
            let gate = gate.clone();
            async move { gate.permit().await }
        });
        tokio::task::yield_now().await;
        waiting.abort();
        assert!(waiting.await.is_err());
        held.pop();
        assert!(gate.permit().await.is_some());
    }
}
