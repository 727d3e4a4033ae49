//! Network interfaces and addresses.

pub mod addresses;
pub mod interfaces;
pub mod primary;
pub mod router;
