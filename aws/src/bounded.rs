//! How much a read may answer: fifty thousand snapshots tagged by another caller must not keep the function from its
//! work.

use spot_rescue::cloud::{CloudError, MOST_PAGES, Query, TOO_MANY};
use std::time::Duration;
use tokio::time::Instant;

/// So long the sweep turns pages: what it has found by then is better than nothing.
const SWEEPS: Duration = Duration::from_secs(8);

/// What a read has answered so far.
pub struct Found<'a, T> {
    operation: &'static str,
    query: &'a Query,
    at_most: usize,
    read: usize,
    pages: usize,
    since: Instant,
    all: Vec<T>,
}

impl<'a, T> Found<'a, T> {
    pub fn new(operation: &'static str, query: &'a Query, at_most: usize) -> Self {
        Self {
            operation,
            query,
            at_most,
            read: 0,
            pages: 0,
            since: Instant::now(),
            all: Vec::new(),
        }
    }

    /// What we can make nothing of counts as well: it has been read.
    pub fn add(&mut self, it: Option<T>) {
        self.read += 1;
        if self.read <= self.at_most {
            self.all.extend(it);
        }
    }

    /// Whether to read no further. The sweep goes on with what there is, and comes again; from a part of
    /// anything else nothing may be concluded.
    pub fn is_cut_off(&self) -> Result<bool, CloudError> {
        let swept = self.query.may_be_cut() && self.since.elapsed() > SWEEPS;
        if self.read <= self.at_most && !swept {
            return Ok(false);
        }
        if self.query.may_be_cut() {
            let (operation, at_most) = (self.operation, self.at_most);
            tracing::warn!(operation, at_most, "too much to read: cut off");
            return Ok(true);
        }
        let message = format!(
            "more than {} things were answered; too many were made or tagged",
            self.at_most
        );
        Err(CloudError::new(self.operation, TOO_MANY, &message, None))
    }

    /// Of what a look can do without so many pages are turned, empty ones as well, and no more.
    pub fn turn(&mut self, more: bool) -> Result<(), CloudError> {
        self.pages += 1;
        if !more || self.pages < MOST_PAGES || self.query.may_be_cut() {
            return Ok(());
        }
        let message = format!("{MOST_PAGES} pages, and still no end of them");
        Err(CloudError::too_long(self.operation, &message))
    }

    pub fn all(self) -> Vec<T> {
        self.all
    }
}
