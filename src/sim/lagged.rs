//! A value that readers see change later than it does: EC2 is eventually consistent.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html>

use crate::clock::Timestamp;

#[derive(Debug, Clone, Default)]
pub struct Lagged<T> {
    current: T,
    /// What was true before, and until when that is shown; oldest first.
    past: Vec<(Timestamp, T)>,
}

impl<T: Clone> Lagged<T> {
    pub fn new(current: T) -> Self {
        Self {
            current,
            past: Vec::new(),
        }
    }

    pub fn current(&self) -> &T {
        &self.current
    }

    /// What a read at this moment shows.
    pub fn seen(&self, now: Timestamp) -> &T {
        let hidden = self.past.iter().find(|(until, _)| *until > now);
        hidden.map_or(&self.current, |(_, value)| value)
    }

    /// Changes it; reads before `seen_from` show what was.
    pub fn change(&mut self, now: Timestamp, seen_from: Timestamp, change: impl FnOnce(&mut T)) {
        self.past.retain(|(until, _)| *until > now);
        if seen_from > now {
            self.past.push((seen_from, self.current.clone()));
        }
        change(&mut self.current);
    }
}
