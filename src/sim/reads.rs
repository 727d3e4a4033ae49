//! The reads, by filter and with lag: what AWS shows at this moment.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>

use super::{
    SimInstance, SimInterface, SimSnapshot, SimTemplate, SimVolume, State, error::refused,
};
use crate::cloud::{CloudError, MOST_READ, Query, TOO_MANY};
use crate::situation::{Address, Instance, NetworkInterface, Snapshot, Template, Volume};
use crate::tags::{self, Tags};

/// The part of a query all kinds of resource share.
pub(super) fn by_tag(query: &Query, tags: &Tags) -> bool {
    match query {
        Query::Tag { key, values } => tags.get(*key).is_some_and(|it| values.contains(it)),
        Query::TagKey(key) => tags.contains_key(*key),
        Query::Instances(ids) => {
            let lineage = tags.get(tags::RESCUE);
            lineage.is_some_and(|it| ids.iter().any(|id| id.as_str() == it))
        }
        Query::Names(_)
        | Query::Snapshots(_)
        | Query::Interfaces(_)
        | Query::PrivateAddresses(_)
        | Query::Images(_)
        | Query::Volumes(_)
        | Query::Template(_) => false,
    }
}

/// The queries that nearly every kind of resource has.
fn by_instance_or_tag(query: &Query) -> bool {
    matches!(
        query,
        Query::Instances(_) | Query::Tag { .. } | Query::TagKey(_)
    )
}

/// A read returns so much at most; only the sweep may go on with a part.
pub(super) fn bounded<T>(
    call: &'static str,
    query: &Query,
    mut shown: Vec<T>,
) -> Result<Vec<T>, CloudError> {
    if query.is_whole() {
        return Ok(shown);
    }
    if shown.len() > MOST_READ && !query.may_be_cut() {
        return Err(refused(call, TOO_MANY, "there is no end of it"));
    }
    shown.truncate(MOST_READ);
    Ok(shown)
}

pub(super) fn bad_filter(operation: &'static str) -> CloudError {
    refused(operation, "InvalidParameterValue", "The filter is invalid")
}

impl State {
    pub(super) fn read_instances(&mut self, query: &Query) -> Result<Vec<Instance>, CloudError> {
        const CALL: &str = "DescribeInstances";
        self.admit(CALL)?;
        if !by_instance_or_tag(query) {
            return Err(bad_filter(CALL));
        }
        let visible = self
            .instances
            .values()
            .filter(|it| it.visible_from <= self.now);
        let wanted = |it: &&SimInstance| match query {
            Query::Instances(ids) => ids.contains(&it.facts.id),
            Query::Names(_)
            | Query::Snapshots(_)
            | Query::Interfaces(_)
            | Query::PrivateAddresses(_)
            | Query::Images(_)
            | Query::Volumes(_)
            | Query::Template(_)
            | Query::Tag { .. }
            | Query::TagKey(_) => by_tag(query, it.tags.seen(self.now)),
        };
        let shown = visible.filter(wanted).map(|it| Instance {
            tags: it.tags.seen(self.now).clone(),
            public_address: self.public_address(&it.facts.id),
            ..it.facts.clone()
        });
        let shown = shown.map(|it| self.with_operators(it));
        bounded(CALL, query, shown.collect())
    }

    pub(super) fn read_templates(&mut self, query: &Query) -> Result<Vec<Template>, CloudError> {
        const CALL: &str = "DescribeLaunchTemplates";
        self.admit(CALL)?;
        let by_itself = matches!(query, Query::Names(_) | Query::Template(_));
        if !by_instance_or_tag(query) && !by_itself {
            return Err(bad_filter(CALL));
        }
        let visible = self
            .templates
            .values()
            .filter(|it| it.visible_from <= self.now);
        let wanted = |it: &&SimTemplate| match query {
            Query::Names(names) => names.contains(&it.facts.name),
            Query::Template(id) => it.facts.id == *id,
            Query::Instances(_)
            | Query::Snapshots(_)
            | Query::Interfaces(_)
            | Query::PrivateAddresses(_)
            | Query::Images(_)
            | Query::Volumes(_)
            | Query::Tag { .. }
            | Query::TagKey(_) => by_tag(query, it.tags.seen(self.now)),
        };
        let shown = visible.filter(wanted).map(|it| Template {
            tags: it.tags.seen(self.now).clone(),
            ..it.facts.clone()
        });
        bounded(CALL, query, shown.collect())
    }

    pub(super) fn read_volumes(&mut self, query: &Query) -> Result<Vec<Volume>, CloudError> {
        const CALL: &str = "DescribeVolumes";
        self.list_volumes(query)?;
        if !by_instance_or_tag(query) && !matches!(query, Query::Volumes(_)) {
            return Err(bad_filter(CALL));
        }
        let visible = self
            .volumes
            .values()
            .filter(|it| it.visible_from <= self.now);
        let wanted = |it: &&SimVolume| match query {
            Query::Volumes(ids) => ids.contains(&it.facts.id),
            Query::Instances(ids) => {
                let mut holders = it.facts.attachments.iter().map(|it| &it.instance);
                holders.any(|it| ids.contains(it))
            }
            Query::Names(_)
            | Query::Snapshots(_)
            | Query::Interfaces(_)
            | Query::PrivateAddresses(_)
            | Query::Images(_)
            | Query::Template(_)
            | Query::Tag { .. }
            | Query::TagKey(_) => by_tag(query, it.tags.seen(self.now)),
        };
        let free = |it: &&SimVolume| !self.managed.contains_key(it.facts.id.as_str());
        let shown = visible.filter(free).filter(wanted).map(|it| Volume {
            tags: it.tags.seen(self.now).clone(),
            ..it.facts.clone()
        });
        bounded(CALL, query, shown.collect())
    }

    /// Owned by the account: public and shared ones stay out (TRAP 27).
    pub(super) fn read_snapshots(&mut self, query: &Query) -> Result<Vec<Snapshot>, CloudError> {
        const CALL: &str = "DescribeSnapshots";
        self.list_snapshots(query)?;
        let by_id = matches!(query, Query::Snapshots(_) | Query::Volumes(_));
        if !by_instance_or_tag(query) && !by_id {
            return Err(bad_filter(CALL));
        }
        let visible = self
            .snapshots
            .values()
            .filter(|it| it.own && it.visible_from <= self.now);
        let wanted = |it: &&SimSnapshot| match query {
            Query::Snapshots(ids) => ids.contains(&it.facts.id),
            Query::Volumes(ids) => ids.contains(&it.facts.volume),
            Query::Instances(_)
            | Query::Names(_)
            | Query::Interfaces(_)
            | Query::PrivateAddresses(_)
            | Query::Images(_)
            | Query::Template(_)
            | Query::Tag { .. }
            | Query::TagKey(_) => by_tag(query, it.tags.seen(self.now)),
        };
        let shown = visible.filter(wanted).map(|it| Snapshot {
            tags: it.tags.seen(self.now).clone(),
            ..it.facts.clone()
        });
        bounded(CALL, query, shown.collect())
    }

    pub(super) fn read_addresses(&mut self) -> Result<Vec<Address>, CloudError> {
        self.admit("DescribeAddresses")?;
        let address = self.addresses.keys().map(|allocation| Address {
            allocation: allocation.clone(),
            instance: self.address_holder(allocation),
            interface: self.addresses[allocation].as_ref().map(|it| it.0.clone()),
            private_address: self.addresses[allocation].as_ref().map(|it| it.1.clone()),
        });
        Ok(address.collect())
    }

    pub(super) fn read_interfaces(
        &mut self,
        query: &Query,
    ) -> Result<Vec<NetworkInterface>, CloudError> {
        const CALL: &str = "DescribeNetworkInterfaces";
        self.admit(CALL)?;
        let free = |it: &&SimInterface| !self.managed.contains_key(it.facts.id.as_str());
        let shown = self
            .interfaces
            .values()
            .filter(free)
            .map(|it| NetworkInterface {
                tags: it.tags.seen(self.now).clone(),
                ..it.facts.clone()
            });
        match query {
            Query::Interfaces(ids) => Ok(shown.filter(|it| ids.contains(&it.id)).collect()),
            Query::PrivateAddresses(wanted) => Ok(shown
                .filter(|it| it.addresses.iter().any(|ip| wanted.contains(ip)))
                .collect()),
            Query::Tag { .. } | Query::TagKey(_) => {
                Ok(shown.filter(|it| by_tag(query, &it.tags)).collect())
            }
            Query::Instances(_)
            | Query::Names(_)
            | Query::Snapshots(_)
            | Query::Images(_)
            | Query::Volumes(_)
            | Query::Template(_) => Err(bad_filter(CALL)),
        }
    }
}
