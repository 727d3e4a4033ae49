//! The launch requests in the order in which they are tried: each is for one market in one subnet.
//!
//! First come Spot and On-Demand in the instance's own subnet, because the volumes need no copy there; then Spot in
//! the other subnets, in the order in which they are named, then On-Demand there. While the breaker is open, On-Demand
//! comes before Spot.
//!
//! Of several types, a Spot request gets the one with the deepest pool at the best price (`price-capacity-optimized`,
//! which has no order of preference). On-Demand tries them in order, the instance's own type first.

use crate::id::SubnetId;
use crate::plan::capacity::limits;
use crate::plan::facts::breaker;
use crate::plan::lineage::Lineage;
use crate::policy::{OnDemand, Types};
use crate::record::{Place, Pool};
use crate::situation::Market;
use crate::step::InstanceTypes;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lane {
    pub market: Market,
    pub subnet: SubnetId,
    pub types: InstanceTypes,
}

impl Lane {
    pub fn pools(&self) -> Vec<Pool> {
        Pool::of(self.market, &self.subnet, &self.types)
    }

    /// For a person to read.
    pub fn name(&self) -> String {
        let Self {
            market,
            subnet,
            types,
        } = self;
        format!("{} {types} in {subnet}", market.as_str())
    }

    /// Leaves out the types that are in none of these pools.
    pub fn narrowed(mut self, to: &[Pool]) -> Self {
        if let InstanceTypes::Named(types) = &mut self.types {
            types.retain(|name| to.iter().any(|it| it.instance_type == *name));
        }
        self
    }
}

pub fn lanes(lineage: &Lineage, place: &Place) -> Vec<Lane> {
    let mut lanes = Vec::new();
    for subnets in [vec![place.subnet.clone()], others(lineage, place)] {
        for market in markets(lineage).iter().copied() {
            for subnet in &subnets {
                let types = types(lineage, place, market).into_iter();
                lanes.extend(types.map(|types| Lane {
                    market,
                    subnet: subnet.clone(),
                    types,
                }));
            }
        }
    }
    lanes
}

/// A launch on an existing interface has one subnet, and a separate request for each type, by name.
pub fn on_interface(lineage: &Lineage, place: &Place) -> Vec<Lane> {
    let names = match &lineage.policy.instance_types.value {
        Types::Named(others) => named(lineage, place, others),
        Types::Like => vec![place.instance_type.clone()],
    };
    let lane = |market, name: &String| Lane {
        market,
        subnet: place.subnet.clone(),
        types: InstanceTypes::Named(vec![name.clone()]),
    };
    let markets = markets(lineage).iter();
    markets
        .flat_map(|market| names.iter().map(|name| lane(*market, name)))
        .collect()
}

/// The other subnets of the policy, each once.
fn others(lineage: &Lineage, place: &Place) -> Vec<SubnetId> {
    let mut others: Vec<SubnetId> = Vec::new();
    for subnet in &lineage.policy.subnets.value {
        let new = *subnet != place.subnet && !others.contains(subnet);
        if new && limits::allows_subnet(lineage, subnet) {
            others.push(subnet.clone());
        }
    }
    others
}

fn markets(lineage: &Lineage) -> &'static [Market] {
    match lineage.policy.on_demand.value {
        OnDemand::Never => &[Market::Spot],
        OnDemand::Fallback if breaker::open(lineage).is_some() => &[Market::OnDemand, Market::Spot],
        OnDemand::Fallback => &[Market::Spot, Market::OnDemand],
    }
}

/// Types named by the policy are one request. Types by their attributes are one, and the instance's own type is
/// another, because EC2's price protection may leave it out: it comes second on Spot, where its pool has just been
/// reclaimed, and first on On-Demand.
fn types(lineage: &Lineage, place: &Place, market: Market) -> Vec<InstanceTypes> {
    match &lineage.policy.instance_types.value {
        Types::Named(others) => vec![InstanceTypes::Named(named(lineage, place, others))],
        Types::Like => {
            let own = InstanceTypes::Named(vec![place.instance_type.clone()]);
            match (like(lineage, place), market) {
                (None, _) => vec![own],
                (Some(like), Market::Spot) => vec![like, own],
                (Some(like), Market::OnDemand) => vec![own, like],
            }
        }
    }
}

/// The own type first, each once.
fn named(lineage: &Lineage, place: &Place, others: &[String]) -> Vec<String> {
    let mut names = vec![place.instance_type.clone()];
    for other in others {
        if !names.contains(other) && limits::allows_type(lineage, other) {
            names.push(other.clone());
        }
    }
    names
}

/// Types with the attributes of this one, if they are known. Types with accelerators are not compared.
fn like(lineage: &Lineage, place: &Place) -> Option<InstanceTypes> {
    let shape = lineage.record.shape.as_ref()?;
    let fits = shape.instance_type == place.instance_type && !shape.accelerated;
    fits.then(|| InstanceTypes::Like(shape.clone()))
}
