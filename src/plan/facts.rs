//! Questions about a lineage that more than one part of the plan asks. Nothing is planned here.

pub mod asked;
pub mod at_risk;
pub mod breaker;
pub mod ending;
pub mod launcher;
pub mod milestone;
pub mod ports;
pub mod spot_request;
pub mod stand_in;
