//! Pools: a type in a zone, Spot or On-Demand; their capacity, and which of them a fleet tries.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-allocation-strategy.html>

use super::shapes::alike;
use super::{State, error::refused};
use crate::cloud::{Class, CloudError, classify};
use crate::id::SubnetId;
use crate::situation::Market;
use crate::step::{InstanceTypes, Launch};
use std::collections::{BTreeMap, BTreeSet};

const CALL: &str = "CreateFleet";
/// One instant fleet asks no more pools than these. (TRAP 44)
const TRIED: usize = 3;
/// The code for the pools that it has not tried.
const UNTRIED: &str = "UnfulfillableCapacity";

/// What a pool still has.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Supply {
    Left(u32),
    /// Nothing, and the code that says so.
    Refused(&'static str),
}

/// Pools that are not named here have plenty.
pub type Supplies = BTreeMap<Pool, Supply>;

/// Type, zone, and whether it is Spot.
pub type Pool = (String, String, bool);

pub fn pool(instance_type: &str, zone: &str, market: Market) -> Pool {
    let spot = market == Market::Spot;
    (instance_type.to_owned(), zone.to_owned(), spot)
}

/// The names a request leaves to choose from.
pub fn types(launch: &Launch) -> Vec<String> {
    match &launch.instance_types {
        InstanceTypes::Named(names) => names.clone(),
        InstanceTypes::Like(shape) => alike(shape),
    }
}

impl State {
    /// Spot launches where EC2 sees capacity, On-Demand as the first type that has any.
    pub(super) fn choose_pool(&mut self, launch: &Launch) -> Result<String, CloudError> {
        let types = types(launch);
        let distinct: BTreeSet<&String> = types.iter().collect();
        if distinct.len() < types.len() {
            let what = "The fleet configuration contains duplicate instance pools.";
            return Err(refused("CreateFleet (refused)", "InvalidFleetConfig", what));
        }
        let (tried, untried) = self.some_of(types, launch.market);
        let untried = untried.into_iter().map(|it| (it, UNTRIED.to_owned()));
        let mut codes: BTreeMap<String, String> = untried.collect();
        let mut open = Vec::new();
        for name in tried {
            match self.offer(&name, &launch.subnet, launch.market) {
                Ok(()) => open.push(name),
                Err(code) => drop(codes.insert(name, code)),
            }
        }
        if open.is_empty() {
            return Err(none_open(codes));
        }
        let chosen = match launch.market {
            Market::Spot => self.rng.index(open.len()),
            Market::OnDemand => 0,
        };
        let chosen = open.swap_remove(chosen);
        self.take_capacity(&chosen, &launch.subnet, launch.market);
        Ok(chosen)
    }

    /// Which pools are tried: of Spot pools those that EC2 takes for deep, which says little about their capacity;
    /// On-Demand in order.
    fn some_of(&mut self, mut types: Vec<String>, market: Market) -> (Vec<String>, Vec<String>) {
        if types.len() > TRIED && market == Market::Spot {
            let first = self.rng.index(types.len());
            types.rotate_left(first);
        }
        let untried = types.split_off(types.len().min(TRIED));
        (types, untried)
    }

    pub(super) fn offer(
        &self,
        kind: &str,
        subnet: &SubnetId,
        market: Market,
    ) -> Result<(), String> {
        let zone = self.subnets.get(subnet).ok_or("InvalidSubnetID.NotFound")?;
        if let Some(code) = self.refusal_of(kind, subnet, market) {
            return Err(code);
        }
        match self.supplies.get(&pool(kind, zone, market)) {
            None | Some(Supply::Left(1..)) => Ok(()),
            Some(Supply::Left(0)) => Err("InsufficientInstanceCapacity".to_owned()),
            Some(Supply::Refused(code)) => Err((*code).to_owned()),
        }
    }

    pub(super) fn take_capacity(&mut self, kind: &str, subnet: &SubnetId, market: Market) {
        let zone = self.subnets.get(subnet).cloned().unwrap_or_default();
        let pool = pool(kind, &zone, market);
        if let Some(Supply::Left(left)) = self.supplies.get_mut(&pool) {
            *left = left.saturating_sub(1);
        }
    }
}

/// `Errors[]` of the answer: a code per pool, one that allows another try first.
pub(super) fn none_open(refused_pools: BTreeMap<String, String>) -> CloudError {
    let text = |(name, code): (&String, &String)| format!("{name}: {code}");
    let all: Vec<String> = refused_pools.iter().map(text).collect();
    let codes = || refused_pools.values().map(String::as_str);
    let of_capacity = || codes().filter(|it| classify(CALL, it) == Class::Capacity);
    let tried = of_capacity().find(|it| *it != "UnfulfillableCapacity");
    let code = tried
        .or(of_capacity().next())
        .or(codes().next())
        .unwrap_or("InvalidFleetConfig");
    let error = refused(CALL, code, &all.join("; "));
    CloudError {
        refused: refused_pools,
        ..error
    }
}
