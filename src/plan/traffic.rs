//! Out of the load balancers, and into them again.

pub mod deregister;
pub mod dns;
pub mod ports;
pub mod register;
