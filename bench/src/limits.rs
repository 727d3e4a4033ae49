//! The token buckets AWS publishes, and what they allow at best.
//!
//! - <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>: one bucket per action
//! - <https://docs.aws.amazon.com/elasticloadbalancing/latest/userguide/elb-api-throttling.html>: one
//!   bucket per category, and one of 40 and 10/s for all actions together
//!
//! SQS needs none: a standard queue takes any number of calls.

use std::collections::BTreeMap;

/// So many calls at once, so many more each second.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Limit {
    pub capacity: f64,
    pub per_second: f64,
}

const fn limit(capacity: f64, per_second: f64) -> Limit {
    Limit {
        capacity,
        per_second,
    }
}

/// EC2 actions that only look.
const LOOKING: Limit = limit(100.0, 20.0);
/// EC2 actions that change something and are not named in the table.
pub const CHANGING: Limit = limit(50.0, 5.0);
/// "Uncategorized actions" of EC2.
const NAMED: &[(&str, Limit)] = &[
    ("CreateLaunchTemplateVersion", limit(100.0, 5.0)),
    ("CreateSnapshot", limit(100.0, 5.0)),
    ("CreateSnapshots", limit(100.0, 5.0)),
    ("CreateTags", limit(100.0, 10.0)),
    ("CreateVolume", limit(100.0, 5.0)),
    ("DeleteSnapshot", limit(100.0, 5.0)),
    ("DeleteTags", limit(100.0, 10.0)),
    ("DeleteVolume", limit(100.0, 5.0)),
    ("RunInstances", limit(5.0, 2.0)),
];
/// The resource bucket of launches: instances, not requests.
pub const LAUNCHES: Limit = limit(1000.0, 2.0);
/// `RegisterTargets` and `DeregisterTargets` share it.
pub const REGISTRATION: Limit = limit(20.0, 4.0);
const ELB_LOOKING: Limit = limit(40.0, 10.0);
const ELB_CHANGING: Limit = limit(20.0, 3.0);
const ELB_ALL: Limit = limit(40.0, 10.0);

/// The buckets an EC2 action takes a token from.
pub fn ec2(action: &str) -> Vec<(String, Limit)> {
    let looks = ["Describe", "Get", "List", "Search"];
    let own = if looks.iter().any(|it| action.starts_with(it)) {
        LOOKING
    } else {
        ec2_changing(action)
    };
    let mut all = vec![(action.to_owned(), own)];
    if matches!(action, "CreateFleet" | "RunInstances") {
        all.push(("launched instances".to_owned(), LAUNCHES));
    }
    all
}

pub fn ec2_changing(action: &str) -> Limit {
    let named = NAMED.iter().find(|(name, _)| *name == action);
    named.map_or(CHANGING, |(_, limit)| *limit)
}

/// The buckets an Elastic Load Balancing action takes a token from, classic ones included.
pub fn elb(action: &str) -> Vec<(String, Limit)> {
    let category = match action {
        "RegisterTargets"
        | "DeregisterTargets"
        | "RegisterInstancesWithLoadBalancer"
        | "DeregisterInstancesFromLoadBalancer" => ("elb registration", REGISTRATION),
        _ if action.starts_with("Describe") => ("elb non-mutating", ELB_LOOKING),
        _ => ("elb mutating", ELB_CHANGING),
    };
    let all = ("elb account", ELB_ALL);
    [category, all]
        .map(|(name, limit)| (name.to_owned(), limit))
        .into()
}

impl Limit {
    /// Where either of two calls will do.
    pub fn and(self, other: Self) -> Self {
        limit(
            self.capacity + other.capacity,
            self.per_second + other.per_second,
        )
    }

    /// The earliest second by which so many calls can have been made.
    pub fn seconds_for(self, calls: f64) -> f64 {
        ((calls - self.capacity) / self.per_second).max(0.0)
    }
}

/// The buckets of one account and Region.
#[derive(Debug)]
pub struct Buckets {
    enforced: bool,
    /// Tokens, and AWS's second they were counted at.
    left: BTreeMap<String, (f64, f64)>,
}

impl Buckets {
    pub fn new(enforced: bool) -> Self {
        let left = BTreeMap::new();
        Self { enforced, left }
    }

    /// Takes a token from each, or from none, at this of AWS's seconds.
    pub fn admit(&mut self, buckets: &[(String, Limit)], now: f64) -> bool {
        if !self.enforced {
            return true;
        }
        for (name, limit) in buckets {
            let (left, at) = self
                .left
                .entry(name.clone())
                .or_insert((limit.capacity, now));
            let refill = (now - *at) * limit.per_second;
            *left = (*left + refill).min(limit.capacity);
            *at = now;
        }
        let enough = buckets.iter().all(|(name, _)| self.left[name].0 >= 1.0);
        if enough {
            for (name, _) in buckets {
                if let Some((left, _)) = self.left.get_mut(name) {
                    *left -= 1.0;
                }
            }
        }
        enough
    }
}
