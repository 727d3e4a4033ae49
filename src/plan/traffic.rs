//! Target groups and DNS names: out of service at the interruption, back into service with the replacement.

pub mod deregister;
pub mod dns;
pub mod ports;
pub mod register;
