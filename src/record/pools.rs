//! The tags `spot-rescue:failed-pool-<n>`: which pools had no capacity, when, and by which code.
//!
//! A pool is what EC2 keeps capacity in: an instance type in an Availability Zone, Spot or On-Demand
//! (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-best-practices.html>). The zone is known from the
//! subnet, which a launch names.

use crate::clock::Timestamp;
use crate::error::launching::{Scope, meaning};
use crate::id::SubnetId;
use crate::situation::Market;
use crate::situation::Shape;
use crate::tags::{self, Tags};
use std::collections::BTreeMap;
use std::fmt;

/// Stands for all types of the original's shape.
const LIKE: &str = "like";
/// The number of tags for this list, of the fifty; the oldest entries go.
const MOST_TAGS: usize = 8;
/// Several types of one pool are one entry, as long as they fit into a value.
const MOST_TYPES: usize = 120;

/// What the replacement may be: these types, the first of them preferably, or any of this shape. Not
/// both: a fleet takes either.
/// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-attribute-based-instance-type-selection.html>
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum InstanceTypes {
    Named(Vec<String>),
    Like(Shape),
}

#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Pool {
    pub market: Market,
    pub subnet: SubnetId,
    pub instance_type: String,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FailedPool {
    pub pool: Pool,
    pub code: String,
    pub at: Timestamp,
}

impl Pool {
    /// The pools of one request.
    #[must_use]
    pub fn of(market: Market, subnet: &SubnetId, types: &InstanceTypes) -> Vec<Self> {
        let names = match types {
            InstanceTypes::Named(names) => names.clone(),
            InstanceTypes::Like(_) => vec![LIKE.to_owned()],
        };
        let pool = |instance_type| Self {
            market,
            subnet: subnet.clone(),
            instance_type,
        };
        names.into_iter().map(pool).collect()
    }
}

/// Codes that may mean the launch options of an instance, and not its type (TRAP 51).
const OF_OPTIONS: [&str; 2] = ["Unsupported", "UnsupportedOperation"];

impl FailedPool {
    #[must_use]
    pub fn may_mean_options(&self) -> bool {
        OF_OPTIONS.contains(&self.code.as_str())
    }

    /// Whether the entry covers this pool.
    #[must_use]
    pub fn concerns(&self, pool: &Pool) -> bool {
        let Pool {
            market,
            subnet,
            instance_type,
        } = &self.pool;
        match meaning(&self.code).scope {
            Scope::Quota => *market == pool.market && *instance_type == pool.instance_type,
            Scope::Subnet => *subnet == pool.subnet,
            Scope::Market => *market == pool.market,
            Scope::Token => false,
            Scope::Pool | Scope::Denied | Scope::Unknown | Scope::Request => self.pool == *pool,
        }
    }
}

/// The list as tags: the newest, as far as they fit.
#[must_use]
pub fn failed_pool_tags(failed: &[FailedPool]) -> Tags {
    let mut groups: BTreeMap<_, Vec<&str>> = BTreeMap::new();
    for FailedPool { pool, code, at } in failed {
        let code: String = code.chars().filter(char::is_ascii_alphanumeric).collect();
        let key = (-at.unix_timestamp(), pool.market, &pool.subnet, code);
        groups.entry(key).or_default().push(&pool.instance_type);
    }
    let mut items = Vec::new();
    for ((at, market, subnet, code), types) in groups {
        let head = format!("{}/{subnet}/{code}/{}", market.as_str(), -at);
        items.extend(joined(&types).map(|types| format!("{head}/{types}")));
    }
    let packed = tags::pack(tags::FAILED_POOLS, items);
    let within = |key: &String| {
        let number = key.rsplit('-').next().and_then(|n| n.parse().ok());
        number.is_some_and(|n: usize| n <= MOST_TAGS)
    };
    packed.into_iter().filter(|(key, _)| within(key)).collect()
}

/// Names joined by commas, in parts that fit into a tag.
fn joined(types: &[&str]) -> std::vec::IntoIter<String> {
    let mut parts: Vec<String> = Vec::new();
    for name in types {
        match parts.last_mut() {
            Some(part) if part.len() + name.len() < MOST_TYPES => {
                part.push(',');
                part.push_str(name);
            }
            _ => parts.push((*name).to_owned()),
        }
    }
    parts.into_iter()
}

/// Reads the list back. What is not understood is left out.
#[must_use]
pub fn failed_pools_from(tags: &Tags) -> Vec<FailedPool> {
    let items = tags::unpack(tags::FAILED_POOLS, tags);
    items.filter_map(entry).flatten().collect()
}

fn entry(text: &str) -> Option<Vec<FailedPool>> {
    let mut words = text.split('/');
    let market = words.next()?;
    let market = [Market::Spot, Market::OnDemand]
        .into_iter()
        .find(|it| it.as_str() == market)?;
    let subnet: SubnetId = words.next()?.parse().ok()?;
    let code = words.next()?;
    let at = Timestamp::from_unix_timestamp(words.next()?.parse().ok()?).ok()?;
    let failed = |name: &str| FailedPool {
        pool: Pool {
            market,
            subnet: subnet.clone(),
            instance_type: name.to_owned(),
        },
        code: code.to_owned(),
        at,
    };
    Some(words.next()?.split(',').map(failed).collect())
}

impl fmt::Display for Pool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            market,
            subnet,
            instance_type,
        } = self;
        write!(f, "{} {instance_type} in {subnet}", market.as_str())
    }
}

impl fmt::Display for FailedPool {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { pool, code, at: _ } = self;
        write!(f, "{pool}: {code}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn failed() -> impl Strategy<Value = FailedPool> {
        let market = prop::sample::select(vec![Market::Spot, Market::OnDemand]);
        let name = "[a-z]{1,4}[0-9][a-z]{0,3}\\.[a-z0-9]{4,9}";
        (market, 0..4_u8, name, 0..3_i64).prop_map(|(market, subnet, instance_type, at)| {
            FailedPool {
                pool: Pool {
                    market,
                    subnet: format!("subnet-0000000000000000{subnet}").parse().unwrap(),
                    instance_type,
                },
                code: "InsufficientInstanceCapacity".to_owned(),
                at: Timestamp::from_unix_timestamp(1_790_000_000 + at).unwrap(),
            }
        })
    }

    proptest! {
        #[test]
        fn what_is_written_fits_and_is_read_back(list in prop::collection::vec(failed(), 0..60)) {
            let tags = failed_pool_tags(&list);
            prop_assert!(tags.len() <= MOST_TAGS);
            prop_assert!(tags.values().all(|it| it.len() <= 256));
            let read = failed_pools_from(&tags);
            prop_assert!(read.iter().all(|it| list.contains(it)));
            let few = list.len() <= 12;
            prop_assert!(!few || list.iter().all(|it| read.contains(it)), "{read:?}");
        }

        #[test]
        fn no_tag_makes_reading_panic(text in ".{0,80}") {
            let tags = Tags::from([("spot-rescue:failed-pool-1".to_owned(), text)]);
            let _ = failed_pools_from(&tags);
        }
    }

    #[test]
    fn a_quota_is_exhausted_in_every_zone_and_an_empty_pool_only_in_its_own() {
        let pool = |subnet: char| Pool {
            market: Market::Spot,
            subnet: format!("subnet-0000000000000000{subnet}").parse().unwrap(),
            instance_type: "m6i.large".to_owned(),
        };
        let failed = |code: &str| FailedPool {
            pool: pool('a'),
            code: code.to_owned(),
            at: Timestamp::UNIX_EPOCH,
        };
        let on_demand = Pool {
            market: Market::OnDemand,
            ..pool('b')
        };
        let quota = failed("MaxSpotInstanceCountExceeded");
        assert!(quota.concerns(&pool('b')) && !quota.concerns(&on_demand));
        assert!(!failed("InsufficientInstanceCapacity").concerns(&pool('b')));
    }
}
