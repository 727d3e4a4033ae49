//! How much a read may answer: whoever may tag fifty thousand snapshots must not keep the function from its
//! work.

use spot_rescue::cloud::{CloudError, Query, TOO_MANY};

/// What a read has answered so far.
pub struct Found<'a, T> {
    operation: &'static str,
    query: &'a Query,
    at_most: usize,
    read: usize,
    all: Vec<T>,
}

impl<'a, T> Found<'a, T> {
    pub fn new(operation: &'static str, query: &'a Query, at_most: usize) -> Self {
        Self {
            operation,
            query,
            at_most,
            read: 0,
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
        if self.read <= self.at_most {
            return Ok(false);
        }
        if self.query.may_be_cut() {
            let (operation, at_most) = (self.operation, self.at_most);
            tracing::warn!(operation, at_most, "too much to read: cut off");
            return Ok(true);
        }
        let message = format!(
            "more than {} things were answered; somebody has made or tagged too many",
            self.at_most
        );
        Err(CloudError::new(self.operation, TOO_MANY, &message, None))
    }

    pub fn all(self) -> Vec<T> {
        self.all
    }
}
