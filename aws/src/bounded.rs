//! How much a read may answer: fifty thousand snapshots tagged by another caller must not keep the function from its
//! work.

use spot_rescue::cloud::{CloudError, MOST_PAGES, Query, TOO_MANY};
use std::time::Duration;
use tokio::time::Instant;

/// How long the sweep turns pages: what it has found by then is better than nothing.
const SWEEPS: Duration = Duration::from_secs(8);

/// More snapshots than an account may have, unless AWS has raised its quota far.
const MOST_WHOLE: usize = 500_000;

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
            at_most: if query.is_whole() {
                MOST_WHOLE
            } else {
                at_most
            },
            read: 0,
            pages: 0,
            since: Instant::now(),
            all: Vec::new(),
        }
    }

    /// Counts items that cannot be converted as well: they have been read.
    pub fn add(&mut self, it: Option<T>) {
        self.read += 1;
        if self.read <= self.at_most {
            self.all.extend(it);
        }
    }

    /// Whether to read no further. The sweep goes on with the part it has, and comes again; a part of any other list
    /// must not be taken for the whole.
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

    /// Counts a page, empty ones too: reads that a look can do without end after so many.
    pub fn turn(&mut self, more: bool) -> Result<(), CloudError> {
        self.pages += 1;
        let unbounded = self.query.may_be_cut() || self.query.is_whole();
        if !more || self.pages < MOST_PAGES || unbounded {
            return Ok(());
        }
        let message = format!("{MOST_PAGES} pages were read, and there are more");
        Err(CloudError::too_long(self.operation, &message))
    }

    pub fn all(self) -> Vec<T> {
        self.all
    }
}
