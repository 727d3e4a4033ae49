//! What an owner still lacks after its rescue: AWS has refused it so far.

use super::network::{address_from, address_text};
use super::targets::{packed, unpacked};
use super::{RecordedAddress, interruption_from, interruption_text};
use crate::event::Interruption;
use crate::situation::Target;
use crate::tags::{self, Tags, pack, unpack};

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owed {
    /// The interruption of the rescue that left it missing.
    pub interruption: Interruption,
    pub targets: Vec<Target>,
    pub addresses: Vec<RecordedAddress>,
}

impl Owed {
    /// None if nothing is missing.
    #[must_use]
    pub fn from_tags(tags: &Tags) -> Option<Self> {
        let owed = Self {
            interruption: interruption_from(tags.get(tags::OWED_SINCE)?)?,
            targets: unpacked(tags::OWED, tags),
            addresses: unpack(tags::OWED_ADDRESSES, tags)
                .filter_map(address_from)
                .collect(),
        };
        (!owed.is_empty()).then_some(owed)
    }

    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.targets.is_empty() && self.addresses.is_empty()
    }

    #[must_use]
    pub fn to_tags(&self) -> Tags {
        let mut all = packed(tags::OWED, &self.targets);
        let addresses = self.addresses.iter().map(address_text);
        all.extend(pack(tags::OWED_ADDRESSES, addresses));
        let since = interruption_text(&self.interruption);
        all.insert(tags::OWED_SINCE.to_owned(), since);
        all
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::InstanceAction;
    use time::macros::datetime;

    #[test]
    fn what_is_owed_is_read_back() {
        let owed = Owed {
            interruption: Interruption {
                instance: "i-0123456789abcdef0".parse().expect("an id"),
                action: InstanceAction::Terminate,
                at: datetime!(2026-11-23 10:00 UTC),
            },
            targets: Vec::new(),
            addresses: vec![RecordedAddress {
                allocation: "eipalloc-0123456789abcdef0".parse().expect("an id"),
                placement: None,
            }],
        };
        assert_eq!(Owed::from_tags(&owed.to_tags()), Some(owed.clone()));
        let nothing = Tags::from([(tags::OWED_SINCE.to_owned(), "nothing".to_owned())]);
        assert_eq!(Owed::from_tags(&nothing), None);
    }
}
