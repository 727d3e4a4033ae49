//! Launches that EC2 refuses for other reasons than want of capacity: a key pair that is gone, a role that may not be
//! passed, a type that is not sold there. Each lasts until a person mends it.
//!
//! Most stand inside the HTTP 200 of a fleet, which is an answer and is remembered with the token (TRAP 43);
//! some refuse the request as a whole.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleetError.html>

use super::pools::types;
use super::{State, World, error::refused};
use crate::cloud::CloudError;
use crate::id::SubnetId;
use crate::situation::Market;
use crate::step::Launch;

/// Which launches.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launches {
    All,
    Of(Market),
    In(SubnetId),
    /// Of one type, in one subnet, of one market.
    Pool(String, SubnetId, Market),
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Refusal {
    of: Launches,
    code: String,
    /// The request is refused as a whole, whatever else it asks for.
    on_top: bool,
}

impl World {
    /// Until mended, these launches are refused with this code: inside the answer, where there is room for it.
    pub fn refuse_launches(&self, of: Launches, code: &str) {
        self.refuse(of, code, false);
    }

    /// The same, before anything else of the request is checked.
    pub fn refuse_requests(&self, of: Launches, code: &str) {
        self.refuse(of, code, true);
    }

    /// Launches are no longer refused for other reasons than capacity.
    pub fn mend_launches(&self) {
        self.change(|it| it.refusals.clear());
    }

    /// The account's quota for Spot or On-Demand Instances is used up, or raised.
    /// <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/using-spot-limits.html>
    pub fn quota(&self, market: Market, used_up: bool) {
        let code = match market {
            Market::Spot => "MaxSpotInstanceCountExceeded",
            Market::OnDemand => "VcpuLimitExceeded",
        };
        let of = Launches::Of(market);
        self.change(|it| it.refusals.retain(|it| it.of != of || it.code != code));
        if used_up {
            self.refuse_launches(of, code);
        }
    }

    fn refuse(&self, of: Launches, code: &str, on_top: bool) {
        let code = code.to_owned();
        let refusal = Refusal { of, code, on_top };
        self.change(|it| it.refusals.push(refusal));
    }
}

impl State {
    /// Why this pool is refused, for another reason than capacity.
    pub(super) fn refusal_of(
        &self,
        kind: &str,
        subnet: &SubnetId,
        market: Market,
    ) -> Option<String> {
        let mut all = self.refusals.iter().filter(|it| !it.on_top);
        let found = all.find(|it| it.of.includes(kind, subnet, market));
        found.map(|it| it.code.clone())
    }

    /// One type that is refused this way is enough.
    pub(super) fn refused_on_top(
        &self,
        call: &'static str,
        launch: &Launch,
        subnet: &SubnetId,
    ) -> Result<(), CloudError> {
        let types = types(launch);
        let names = |it: &&Refusal| {
            let mut types = types.iter();
            it.on_top && types.any(|kind| it.of.includes(kind, subnet, launch.market))
        };
        match self.refusals.iter().find(names) {
            None => Ok(()),
            Some(found) => Err(refused(call, &found.code, "not as it is asked for")),
        }
    }
}

impl Launches {
    fn includes(&self, kind: &str, subnet: &SubnetId, market: Market) -> bool {
        match self {
            Self::All => true,
            Self::Of(its) => *its == market,
            Self::In(its) => its == subnet,
            Self::Pool(its, at, of) => its == kind && at == subnet && *of == market,
        }
    }
}
