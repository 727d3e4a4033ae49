//! Token buckets per API name; off unless a test sets one.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>

use super::{State, error::refused};
use crate::clock::Timestamp;
use crate::cloud::CloudError;

/// A bucket: so many calls at once, so many more each second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub capacity: f64,
    pub per_second: f64,
}

#[derive(Debug, Clone)]
pub struct Bucket {
    limit: Limit,
    left: f64,
    at: Timestamp,
}

impl State {
    pub fn throttle(&mut self, operation: &'static str, limit: Limit) {
        let bucket = Bucket {
            limit,
            left: limit.capacity,
            at: self.now,
        };
        self.buckets.insert(operation, bucket);
    }

    /// Takes a token, or says that there is none.
    pub(super) fn admit(&mut self, operation: &'static str) -> Result<(), CloudError> {
        *self.calls.entry(operation).or_default() += 1;
        self.works(operation)?;
        let now = self.now;
        let Some(bucket) = self.buckets.get_mut(operation) else {
            return Ok(());
        };
        let refill = (now - bucket.at).as_seconds_f64() * bucket.limit.per_second;
        bucket.left = (bucket.left + refill).min(bucket.limit.capacity);
        bucket.at = now;
        if bucket.left < 1.0 {
            return Err(refused(operation, code(operation), "Rate exceeded"));
        }
        bucket.left -= 1.0;
        Ok(())
    }
}

/// EC2 and Elastic Load Balancing say it differently.
fn code(operation: &str) -> &'static str {
    if operation.contains("Target") {
        "Throttling"
    } else {
        "RequestLimitExceeded"
    }
}
