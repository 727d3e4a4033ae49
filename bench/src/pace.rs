//! AWS's time, which may run faster than ours: the account's clock, its buckets and its delays follow
//! it alike. What the function itself waits for is real.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::Instant;

/// Clones are handles to the same clock.
#[derive(Debug, Clone)]
pub struct Pace(Arc<Mutex<Since>>);

#[derive(Debug, Clone, Copy)]
struct Since {
    at: Instant,
    /// AWS's seconds until then.
    passed: f64,
    speed: f64,
}

impl Pace {
    pub fn new(speed: f64) -> Self {
        let since = Since {
            at: Instant::now(),
            passed: 0.0,
            speed,
        };
        Self(Arc::new(Mutex::new(since)))
    }

    /// AWS's seconds since the beginning.
    pub fn seconds(&self) -> f64 {
        self.seconds_at(Instant::now())
    }

    /// At a moment since the pace was last changed.
    pub fn seconds_at(&self, moment: Instant) -> f64 {
        let since = self.since();
        since.passed + moment.saturating_duration_since(since.at).as_secs_f64() * since.speed
    }

    pub fn speed(&self) -> f64 {
        self.since().speed
    }

    pub fn change(&self, speed: f64) {
        let (at, passed) = (Instant::now(), self.seconds());
        *self.0.lock().unwrap_or_else(PoisonError::into_inner) = Since { at, passed, speed };
    }

    fn since(&self) -> Since {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
