//! Names in Route 53, as far as a rescue has to do with them: the `A` and `AAAA` record sets of one name.
//!
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ResourceRecordSet.html>

use std::fmt;
use std::net::IpAddr;

const MOST: usize = 160;

/// A name in a hosted zone. Wildcards and whatever Route 53 would write with an escape are left out:
/// nothing that has to be unescaped is ever compared.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct DnsName {
    zone: String,
    /// Lower case, without the dot at its end.
    name: String,
}

impl DnsName {
    /// `Z0123456789ABCDEFGHIJ db.example.org`
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        let mut words = text.split_whitespace();
        let zone = words.next()?;
        let name = bare(words.next()?);
        let id = |b: u8| b.is_ascii_uppercase() || b.is_ascii_digit();
        let whole = words.next().is_none() && zone.len() <= 32;
        (whole && zone.bytes().all(id) && is_name(&name)).then(|| Self {
            zone: zone.to_owned(),
            name,
        })
    }

    #[must_use]
    pub fn zone(&self) -> &str {
        &self.zone
    }

    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Route 53 answers in lower case and with a dot at the end, however it was asked.
    #[must_use]
    pub fn is(&self, name: &str) -> bool {
        self.name == bare(name)
    }
}

fn bare(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

/// At least two labels, and short enough for the record, which adds to it, to fit into a tag.
fn is_name(name: &str) -> bool {
    let letter = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
    let label = |it: &str| (1..=63).contains(&it.len()) && it.bytes().all(letter);
    name.len() <= MOST && name.contains('.') && name.split('.').all(label)
}

/// As tags carry it.
impl fmt::Display for DnsName {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { zone, name } = self;
        write!(f, "{zone} {name}")
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum RecordType {
    A,
    Aaaa,
}

impl RecordType {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::A => "A",
            Self::Aaaa => "AAAA",
        }
    }
}

/// One record set of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordSet {
    pub kind: RecordType,
    pub says: Says,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Says {
    /// The answer to every query, for so many seconds.
    Addresses { ttl: i64, values: Vec<String> },
    /// The record set has more than an address, so it cannot be written anew: what it has.
    Special(&'static str),
}

/// What was found under a name, or why that is not possible: a zone that does not exist, or that the function may not
/// read, does not change within a moment. (A throttled read is not an answer.)
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Lookup {
    pub name: DnsName,
    pub found: Result<Vec<RecordSet>, String>,
}

/// Whether both are the same address. One IPv6 address has many spellings.
#[must_use]
pub fn same_address(one: &str, other: &str) -> bool {
    let parsed = |text: &str| text.parse::<IpAddr>().ok();
    one == other || (parsed(one).is_some() && parsed(one) == parsed(other))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_a_zone_and_a_record() {
        let name = DnsName::parse("Z0123456789ABCDEFGHIJ  DB.example.org.").unwrap();
        assert_eq!(name.to_string(), "Z0123456789ABCDEFGHIJ db.example.org");
        assert!(name.is("db.example.org.") && name.is("DB.EXAMPLE.ORG"));
        assert!(!name.is("xdb.example.org.") && !name.is("\\052.example.org."));
        for bad in [
            "",
            "db.example.org",
            "Z1",
            "Z1 localhost",
            "Z1 *.example.org",
            "Z1 db..example.org",
            "Z1 db.example.org more",
            "z1 db.example.org",
            "/hostedzone/Z1 db.example.org",
        ] {
            assert_eq!(DnsName::parse(bad), None, "{bad}");
        }
    }
}
