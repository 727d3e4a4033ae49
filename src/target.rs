//! Where traffic comes from: registrations with any of the three kinds of load balancing, in one form.
//!
//! - Application, Network and Gateway Load Balancers: target groups, each target an id and a port
//!   (<https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetDescription.html>)
//! - Classic Load Balancers: instances by id, ports are the listeners' affair
//!   (<https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_Instance.html>)
//! - VPC Lattice: target groups of its own
//!   (<https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_Target.html>)

use crate::dns::same_address;
use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

/// A service that sends traffic; each is read, and may fail, by itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Balancing {
    /// Target groups of Application, Network and Gateway Load Balancers.
    Elb,
    Classic,
    Lattice,
}

impl Balancing {
    pub const ALL: [Self; 3] = [Self::Elb, Self::Classic, Self::Lattice];
}

/// What a target is registered with. Plans name one many times: it is shared, not copied.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum TargetGroup {
    /// The ARN of a target group of Elastic Load Balancing.
    Elb(Arc<str>),
    /// The name of a Classic Load Balancer, unique in its Region.
    Classic(Arc<str>),
    /// The ARN of a VPC Lattice target group.
    Lattice(Arc<str>),
}

impl TargetGroup {
    #[must_use]
    pub fn balancing(&self) -> Balancing {
        match self {
            Self::Elb(_) => Balancing::Elb,
            Self::Classic(_) => Balancing::Classic,
            Self::Lattice(_) => Balancing::Lattice,
        }
    }

    /// The ARN, or the name where AWS has no ARN.
    #[must_use]
    pub fn as_str(&self) -> &str {
        match self {
            Self::Elb(text) | Self::Classic(text) | Self::Lattice(text) => text,
        }
    }

    /// The name and id of the group, for log lines.
    #[must_use]
    pub fn name(&self) -> &str {
        let text = self.as_str();
        text.rsplit("targetgroup/").next().unwrap_or(text)
    }
}

impl fmt::Display for TargetGroup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Text that names no target group and no Classic Load Balancer.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("neither the ARN of a target group nor the name of a Classic Load Balancer")]
pub struct NotAGroup;

impl FromStr for TargetGroup {
    type Err = NotAGroup;

    fn from_str(text: &str) -> Result<Self, NotAGroup> {
        match text.split(':').nth(2) {
            Some("vpc-lattice") => Ok(Self::Lattice(text.into())),
            Some("elasticloadbalancing") => Ok(Self::Elb(text.into())),
            None if is_name(text) => Ok(Self::Classic(text.into())),
            Some(_) | None => Err(NotAGroup),
        }
    }
}

/// Letters, digits and hyphens, at most 32
/// (<https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_CreateLoadBalancer.html>).
fn is_name(text: &str) -> bool {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'-';
    (1..=32).contains(&text.len()) && text.bytes().all(good)
}

/// One registration: the same instance may be registered on several ports (TRAP 19).
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Target {
    pub group: TargetGroup,
    /// An instance id or an IP address, by the group's target type.
    pub id: String,
    /// None with Classic Load Balancers.
    pub port: Option<u16>,
}

impl Target {
    /// Named by its instance, not by an address.
    #[must_use]
    pub fn is_instance(&self) -> bool {
        self.id.starts_with("i-")
    }

    /// Whether it is this address.
    #[must_use]
    pub fn is_address(&self, address: &str) -> bool {
        same_address(&self.id, address)
    }
}

/// `<group>=<id>=<port>`, as tags carry it; no port, no second sign.
impl fmt::Display for Target {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.group.as_str())?;
        f.write_str("=")?;
        f.write_str(&self.id)?;
        self.port.map_or(Ok(()), |port| write!(f, "={port}"))
    }
}

impl FromStr for Target {
    type Err = NotAGroup;

    fn from_str(text: &str) -> Result<Self, NotAGroup> {
        let mut words = text.split('=');
        let group: TargetGroup = words.next().unwrap_or_default().parse()?;
        let id = words.next().filter(|it| !it.is_empty()).ok_or(NotAGroup)?;
        let port = words.next().map(str::parse).transpose();
        let port = port.map_err(|_| NotAGroup)?;
        // Only the ports of a Classic Load Balancer are not the target's.
        let fits = port.is_none() == (group.balancing() == Balancing::Classic);
        let target = Self {
            group,
            id: id.to_owned(),
            port,
        };
        (fits && words.next().is_none())
            .then_some(target)
            .ok_or(NotAGroup)
    }
}

/// A target, as its load balancer shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Registration {
    pub target: Target,
    /// The VPC of its group, where that was read: an address means something only within one.
    pub vpc: Option<String>,
    /// Already deregistered, connections still draining.
    pub draining: bool,
    /// The load balancer gets an answer there, or has yet to check.
    pub answering: bool,
}

/// Registrations found, and how far we looked.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Registrations {
    /// Shared: every lineage of a batch is judged by the whole list.
    pub list: Arc<Vec<Registration>>,
    /// Services for which all groups were listed, not only those on record.
    pub complete: BTreeSet<Balancing>,
    /// Services for which it is known which groups exist, or that this cannot be known.
    pub asked: BTreeSet<Balancing>,
    /// The ports of the listed groups themselves.
    pub ports: BTreeMap<TargetGroup, u16>,
    /// Groups that could not be read: their targets on record are neither confirmed nor refuted.
    pub unread: BTreeSet<TargetGroup>,
    /// Groups on record that have been deleted.
    pub gone: BTreeSet<TargetGroup>,
}

impl Registrations {
    /// Everything was listed and read.
    #[must_use]
    pub fn of_all(list: Vec<Registration>) -> Self {
        Self {
            list: Arc::new(list),
            complete: Balancing::ALL.into(),
            asked: Balancing::ALL.into(),
            ..Self::default()
        }
    }

    pub fn list_mut(&mut self) -> &mut Vec<Registration> {
        Arc::make_mut(&mut self.list)
    }

    /// Whether a target that is not in the list is known not to be registered with this group.
    #[must_use]
    pub fn was_read(&self, group: &TargetGroup) -> bool {
        !self.unread.contains(group)
    }

    /// Every existing target group has been asked.
    #[must_use]
    pub fn lists_all(&self) -> bool {
        self.unread.is_empty() && { Balancing::ALL.iter() }.all(|it| self.asked.contains(it))
    }

    /// The target is registered and gets traffic.
    #[must_use]
    pub fn is_registered(&self, target: &Target) -> bool {
        let mut list = self.list.iter();
        list.any(|it| !it.draining && it.target == *target)
    }
}

/// What one listing of a service shows.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Listing {
    pub groups: Vec<ListedGroup>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListedGroup {
    pub group: TargetGroup,
    pub vpc: Option<String>,
    /// The port of targets that are registered without one.
    pub port: Option<u16>,
    /// Registrations, where the listing shows them: Classic Load Balancers name their instances.
    pub registrations: Option<Vec<Registration>>,
}

#[cfg(test)]
mod tests {
    use super::*;

    const ELB: &str =
        "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/0123456789abcdef";
    const LATTICE: &str =
        "arn:aws-cn:vpc-lattice:cn-north-1:123456789012:targetgroup/tg-0123456789abcdef0";

    #[test]
    fn every_kind_of_target_survives_its_tag() {
        for text in [
            &format!("{ELB}=i-0123456789abcdef0=8080"),
            &format!("{ELB}=2001:db8::7=6081"),
            &format!("{LATTICE}=10.0.0.7=80"),
            "legacy-web=i-0123456789abcdef0",
        ] {
            assert_eq!(text.parse::<Target>().unwrap().to_string(), *text);
        }
    }

    #[test]
    fn other_text_is_not_taken_for_a_target() {
        for text in [
            "",
            "legacy-web",
            "legacy-web=",
            "legacy-web=i-0123456789abcdef0=80",
            &format!("{ELB}=i-0123456789abcdef0"),
            &format!("{ELB}=i-0123456789abcdef0=http"),
            &format!("{ELB}=i-0123456789abcdef0=80=1"),
            "arn:aws:s3:::bucket=i-0123456789abcdef0=80",
            "no name=i-0123456789abcdef0",
        ] {
            assert_eq!(text.parse::<Target>(), Err(NotAGroup), "{text}");
        }
    }

    #[test]
    fn an_ipv6_address_is_the_same_however_it_is_spelled() {
        let target: Target = format!("{ELB}=2001:db8:0:0::7=80").parse().unwrap();
        assert!(target.is_address("2001:db8::7") && !target.is_address("2001:db8::8"));
        assert!(!target.is_address("i-0123456789abcdef0"));
    }
}
