//! The tags `spot-rescue:network-<n>`: network settings that a version of the prepared rescue leaves to the launch. A
//! launch on an existing interface has them from that; a new interface must be given them, and the instance they were
//! read from is gone by then (TRAP 58).

use crate::situation::PublicAddress;
use crate::tags::{self, Tags};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeftOpen {
    pub public_address: Option<PublicAddress>,
    pub security_groups: Vec<String>,
}

impl LeftOpen {
    #[must_use]
    pub fn to_tags(&self) -> Tags {
        let public = match self.public_address {
            Some(PublicAddress::Given) => "public",
            Some(PublicAddress::Refused) => "private",
            None => "open",
        };
        let groups = self.security_groups.iter().cloned();
        let words: Vec<String> = [public.to_owned()].into_iter().chain(groups).collect();
        tags::pack(tags::NETWORK, &words)
    }

    #[must_use]
    pub fn from_tags(tags: &Tags) -> Option<Self> {
        let mut words = tags::unpack(tags::NETWORK, tags);
        let public_address = match words.next()? {
            "public" => Some(PublicAddress::Given),
            "private" => Some(PublicAddress::Refused),
            "open" => None,
            _ => return None,
        };
        Some(Self {
            public_address,
            security_groups: words.map(str::to_owned).collect(),
        })
    }
}
