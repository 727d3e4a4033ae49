//! The tag `spot-rescue:named`: the DNS name that follows the head, and the addresses that only the head itself
//! shows. The private ones are a list of their own.

use crate::dns::DnsName;
use crate::situation::Instance;
use crate::tags::{self, Tags};
use std::collections::BTreeMap;

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Named {
    pub name: DnsName,
    /// The head's public IPv4 address: an Elastic IP, or one of Amazon's.
    pub public: Option<String>,
    /// The name has been looked up for these addresses, and what is wrong with it was reported.
    pub looked_up: bool,
}

impl Named {
    /// Not looked up yet.
    #[must_use]
    pub fn of(name: DnsName, instance: &Instance) -> Self {
        Self {
            name,
            public: instance.public_address.clone(),
            looked_up: false,
        }
    }

    /// The same name for the same address.
    #[must_use]
    pub fn is_like(&self, other: &Self) -> bool {
        self.name == other.name && self.public == other.public
    }

    #[must_use]
    pub fn text(&self) -> String {
        let Self {
            name,
            public,
            looked_up,
        } = self;
        let public = public.as_deref().unwrap_or("-");
        let seen = if *looked_up { " looked-up" } else { "" };
        format!("{name} {public}{seen}")
    }

    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let words: Vec<&str> = text.split(' ').collect();
        let [zone, name, public, rest @ ..] = words.as_slice() else {
            return None;
        };
        let address = public.parse::<std::net::Ipv4Addr>().ok();
        Some(Self {
            name: DnsName::parse(&format!("{zone} {name}"))?,
            public: address.map(|it| it.to_string()),
            looked_up: rest == ["looked-up"],
        })
    }
}

/// `<new>=<old>`: should the replacement be interrupted in its turn, its address is found under the old one.
#[must_use]
pub fn pointed_tags(pointed: &BTreeMap<String, String>) -> Tags {
    let texts = pointed.iter().map(|(new, old)| format!("{new}={old}"));
    tags::pack(tags::POINTED, texts)
}

pub fn pointed_from(tags: &Tags) -> BTreeMap<String, String> {
    let pair = |text: &str| {
        let (new, old) = text.split_once('=')?;
        Some((new.to_owned(), old.to_owned()))
    };
    tags::unpack(tags::POINTED, tags).filter_map(pair).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_recorded_name_is_read_back() {
        for text in [
            "Z0123456789ABCDEFGHIJ db.example.org 203.0.113.7",
            "Z0123456789ABCDEFGHIJ db.example.org - looked-up",
        ] {
            assert_eq!(Named::parse(text).unwrap().text(), text);
        }
        assert_eq!(Named::parse("Z0123456789ABCDEFGHIJ db.example.org"), None);
    }
}
