//! Zone, subnet and type of the head.

use crate::id::SubnetId;
use crate::situation::Instance;
use std::fmt;

/// Where the head runs, and the type the user chose for it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    pub availability_zone: String,
    pub subnet: SubnetId,
    pub instance_type: String,
}

impl Place {
    /// Where an instance is. None once it no longer shows its subnet (TRAP 14).
    #[must_use]
    pub fn of(instance: &Instance) -> Option<Self> {
        Some(Self {
            availability_zone: instance.availability_zone.clone(),
            subnet: instance.subnet.clone()?,
            instance_type: instance.instance_type.clone(),
        })
    }
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            availability_zone,
            subnet,
            instance_type,
        } = self;
        write!(f, "{availability_zone} {subnet} {instance_type}")
    }
}

pub(super) fn place_from(text: &str) -> Option<Place> {
    let mut words = text.split(' ');
    Some(Place {
        availability_zone: words.next()?.to_owned(),
        subnet: words.next()?.parse().ok()?,
        instance_type: words.next()?.to_owned(),
    })
}
