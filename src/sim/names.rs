//! Route 53: hosted zones, and the record sets in them.
//!
//! A listing shows every change that has been accepted, so there is no lag here.
//! <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>

use super::{State, World, error::refused};
use crate::cloud::CloudError;
use crate::dns::{DnsName, RecordSet, RecordType, Says};
use crate::id::InstanceId;
use crate::situation::Instance;
use crate::step::PointName;
use std::collections::{BTreeMap, BTreeSet};

/// A hosted zone: names, and what is under each.
#[derive(Debug, Clone, Default)]
pub struct Zone {
    pub names: BTreeMap<String, Vec<RecordSet>>,
    /// The role has no permission for it.
    pub denied: bool,
}

impl World {
    /// A record set, in a zone that is made on first use.
    ///
    /// # Panics
    /// If that is no zone and name.
    #[must_use]
    pub fn record_set(&self, text: &str, kind: RecordType, says: Says) -> DnsName {
        let name = DnsName::parse(text).expect("a zone and a name");
        self.change(|it| {
            let zone = it.zones.entry(name.zone().to_owned()).or_default();
            let sets = zone.names.entry(name.name().to_owned()).or_default();
            sets.retain(|it| it.kind != kind);
            sets.push(RecordSet { kind, says });
        });
        name
    }

    /// The only address of a record set.
    #[must_use]
    pub fn resolve(&self, name: &DnsName, kind: RecordType) -> Option<String> {
        self.look(|it| {
            let sets = it.zones.get(name.zone())?.names.get(name.name())?;
            match &sets.iter().find(|it| it.kind == kind)?.says {
                Says::Addresses { values, .. } => values.first().cloned(),
                Says::Special(_) => None,
            }
        })
    }

    /// An address of Amazon's pool for as long as it runs.
    pub fn give_public_address(&self, id: &InstanceId) {
        self.change(|it| {
            if let Some(instance) = it.instances.get_mut(id) {
                instance.facts.auto_public_address = true;
            }
        });
    }
}

impl State {
    pub(super) fn read_record_sets(
        &mut self,
        name: &DnsName,
    ) -> Result<Vec<RecordSet>, CloudError> {
        const CALL: &str = "ListResourceRecordSets";
        self.admit(CALL)?;
        let zone = self.zone(CALL, name)?;
        Ok(zone.names.get(name.name()).cloned().unwrap_or_default())
    }

    /// UPSERT: what was there under this name and type is gone.
    pub(super) fn point_name(&mut self, point: &PointName) -> Result<String, CloudError> {
        const CALL: &str = "ChangeResourceRecordSets";
        let PointName {
            name,
            kind,
            ttl,
            address,
        } = point;
        let fits = match kind {
            RecordType::A => address.parse::<std::net::Ipv4Addr>().is_ok(),
            RecordType::Aaaa => address.parse::<std::net::Ipv6Addr>().is_ok(),
        };
        let zone = self.zone(CALL, name)?;
        let sets = zone.names.entry(name.name().to_owned()).or_default();
        // "it conflicts with other records with the same name and type": those that have an identifier. An alias, or
        // a health check, is overwritten without an error.
        let identified = Says::Special("one of several with the name");
        let conflicts = |it: &RecordSet| it.kind == *kind && it.says == identified;
        if !fits || sets.iter().any(conflicts) {
            return Err(refused(CALL, "InvalidChangeBatch", address));
        }
        sets.retain(|it| it.kind != *kind);
        let values = vec![address.clone()];
        sets.push(RecordSet {
            kind: *kind,
            says: Says::Addresses { ttl: *ttl, values },
        });
        Ok("C0123456789".to_owned())
    }

    fn zone(&mut self, call: &'static str, name: &DnsName) -> Result<&mut Zone, CloudError> {
        match self.zones.get_mut(name.zone()) {
            // IAM decides first, whether there is such a zone or not.
            Some(zone) if zone.denied => Err(refused(call, "AccessDenied", name.zone())),
            Some(zone) => Ok(zone),
            None => Err(refused(call, "NoSuchHostedZone", name.zone())),
        }
    }

    /// The names that point at an address of this instance.
    pub(super) fn names_of(&self, instance: &Instance) -> BTreeSet<String> {
        let public = self.public_address(&instance.id);
        let says = |set: &RecordSet| match &set.says {
            Says::Addresses { values, .. } => values
                .iter()
                .any(|it| instance.private_addresses.contains(it) || public.as_ref() == Some(it)),
            Says::Special(_) => false,
        };
        let names = self.zones.values().flat_map(|it| &it.names);
        names
            .filter(|(_, sets)| sets.iter().any(says))
            .map(|(name, _)| name.clone())
            .collect()
    }

    /// What `DescribeInstances` shows: the Elastic IP on the primary private address, or Amazon's own.
    #[must_use]
    pub fn public_address(&self, id: &InstanceId) -> Option<String> {
        let instance = self.instances.get(id).filter(|it| it.facts.is_alive())?;
        let seat = self.primary_seat(id)?;
        let held = self
            .addresses
            .iter()
            .find(|(_, at)| at.as_ref() == Some(&seat));
        let own = || {
            let running = instance.facts.state == crate::event::InstanceState::Running;
            let its = format!("{id}/{}", instance.life);
            (instance.facts.auto_public_address && running).then(|| numbered("203", &its))
        };
        held.map(|(it, _)| numbered("198", it.as_str()))
            .or_else(own)
    }
}

/// An address for a text: the same for the same.
fn numbered(first: &str, text: &str) -> String {
    let fold = |sum: u32, byte: u8| sum.wrapping_mul(31).wrapping_add(u32::from(byte));
    let [_, b, c, d] = text.bytes().fold(7, fold).to_be_bytes();
    format!("{first}.{b}.{c}.{d}")
}
