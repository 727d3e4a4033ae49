//! An invocation reads nothing twice, until it has changed it.
//!
//! A rescue is looked at several times in one invocation, each time for what the steps before have made possible.
//! Most of what AWS shows is not changed by them, and every read takes from the same tokens that a mass reclaim
//! needs.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>

mod shelf;
mod within;
mod written;

use crate::cloud::{Cloud, CloudError, Message, Query};
use crate::dns::{DnsName, RecordSet};
use crate::id::{InstanceId, RequestId, VolumeId};
use crate::situation::{
    Address, AutoScalingGroup, Balancing, Fleet, Image, Instance, KeyState, Listing,
    NetworkInterface, Registration, RootTask, Shape, Snapshot, SpotRequest, TargetGroup, Template,
    Volume,
};
use crate::step::{Action, Kind};
use crate::tags::Tags;
use async_trait::async_trait;
use shelf::Shelf;
use std::collections::BTreeSet;
use within::within;
use written::Written;

/// Answers by query. A failed read is repeated, unless it failed for having no end.
pub struct Reads<'a> {
    cloud: &'a dyn Cloud,
    addresses: Shelf<(), Address>,
    fleets: Shelf<Vec<String>, Fleet>,
    groups: Shelf<Vec<String>, AutoScalingGroup>,
    images: Shelf<Query, Image>,
    instances: Shelf<Query, Instance>,
    interfaces: Shelf<Query, NetworkInterface>,
    requests: Shelf<Vec<RequestId>, SpotRequest>,
    root_tasks: Shelf<Vec<InstanceId>, RootTask>,
    snapshots: Shelf<Query, Snapshot>,
    targets: Shelf<TargetGroup, Registration>,
    templates: Shelf<Query, Template>,
    volumes: Shelf<Query, Volume>,
    written: Written,
}

impl<'a> Reads<'a> {
    #[must_use]
    pub fn new(cloud: &'a dyn Cloud) -> Self {
        Self {
            cloud,
            addresses: Shelf::of("DescribeAddresses"),
            fleets: Shelf::of("DescribeFleets"),
            groups: Shelf::of("DescribeAutoScalingGroups"),
            images: Shelf::of("DescribeImages"),
            instances: Shelf::of("DescribeInstances"),
            interfaces: Shelf::of("DescribeNetworkInterfaces"),
            requests: Shelf::of("DescribeSpotInstanceRequests"),
            root_tasks: Shelf::of("DescribeReplaceRootVolumeTasks"),
            snapshots: Shelf::of("DescribeSnapshots"),
            targets: Shelf::of("DescribeTargetHealth"),
            templates: Shelf::of("DescribeLaunchTemplates"),
            volumes: Shelf::of("DescribeVolumes"),
            written: Written::default(),
        }
    }

    /// Tags are known once AWS has accepted them. A written tag may change more of an instance than its tags: it is
    /// read again.
    fn write(&self, resources: &[String], change: &impl Fn(&mut Tags)) {
        self.images.write(resources, change);
        self.interfaces.write(resources, change);
        self.snapshots.write(resources, change);
        self.templates.write(resources, change);
        self.volumes.write(resources, change);
        if resources.iter().any(|it| it.starts_with("i-")) {
            self.instances.clear();
        }
    }

    /// Updates what is known after a change. A failed call may have changed something all the same.
    fn settle(&self, action: &Action, is_done: bool) {
        if let (Action::Tag { resources, tags }, true) = (action, is_done) {
            self.written.set(resources, tags);
            self.write(resources, &|of: &mut Tags| of.extend(tags.clone()));
        } else if let (Action::Untag { resources, keys }, true) = (action, is_done) {
            let remove = |of: &mut Tags| of.retain(|key, _| !keys.contains(key));
            self.written.removed(resources, keys);
            self.write(resources, &remove);
        } else {
            self.forget(&action.touches());
        }
    }

    fn shown(&self, mut all: Vec<Instance>) -> Vec<Instance> {
        self.written.show(&mut all);
        all
    }

    fn forget(&self, kinds: &[Kind]) {
        for kind in kinds {
            match kind {
                Kind::Addresses => self.addresses.clear(),
                Kind::Groups => self.groups.clear(),
                Kind::Images => self.images.clear(),
                Kind::Instances => self.instances.clear(),
                Kind::Interfaces => self.interfaces.clear(),
                Kind::Requests => self.requests.clear(),
                Kind::RootTasks => self.root_tasks.clear(),
                Kind::Snapshots => self.snapshots.clear(),
                Kind::Targets => self.targets.clear(),
                Kind::Templates => self.templates.clear(),
                Kind::Volumes => self.volumes.clear(),
            }
        }
    }
}

#[async_trait]
impl Cloud for Reads<'_> {
    async fn instances(&self, query: &Query) -> Result<Vec<Instance>, CloudError> {
        if query.names_nothing() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.instances(query);
        let all = self.instances.get(query.clone(), asking).await?;
        Ok(self.shown(all))
    }

    async fn templates(&self, query: &Query) -> Result<Vec<Template>, CloudError> {
        if query.names_nothing() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.templates(query);
        self.templates.get(query.clone(), asking).await
    }

    async fn volumes(&self, query: &Query) -> Result<Vec<Volume>, CloudError> {
        if query.names_nothing() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.volumes(query);
        self.volumes.get(query.clone(), asking).await
    }

    async fn snapshots(&self, query: &Query) -> Result<Vec<Snapshot>, CloudError> {
        if query.names_nothing() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.snapshots(query);
        self.snapshots.get(query.clone(), asking).await
    }

    async fn addresses(&self) -> Result<Vec<Address>, CloudError> {
        self.addresses.get((), self.cloud.addresses()).await
    }

    async fn interfaces(&self, query: &Query) -> Result<Vec<NetworkInterface>, CloudError> {
        if query.names_nothing() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.interfaces(query);
        self.interfaces.get(query.clone(), asking).await
    }

    async fn images(&self, query: &Query) -> Result<Vec<Image>, CloudError> {
        if query.names_nothing() {
            return Ok(Vec::new());
        }
        if query.names_nothing() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.images(query);
        self.images.get(query.clone(), asking).await
    }

    async fn root_tasks(&self, ids: &[InstanceId]) -> Result<Vec<RootTask>, CloudError> {
        let asking = self.cloud.root_tasks(ids);
        self.root_tasks.get(ids.to_vec(), asking).await
    }

    async fn is_termination_protected(&self, instance: &InstanceId) -> Result<bool, CloudError> {
        let asking = self.cloud.is_termination_protected(instance);
        within("DescribeInstanceAttribute", asking).await
    }

    async fn shapes(&self, instance_types: &[String]) -> Result<Vec<Shape>, CloudError> {
        let asking = self.cloud.shapes(instance_types);
        within("DescribeInstanceTypes", asking).await
    }

    async fn recycled(&self) -> Result<BTreeSet<VolumeId>, CloudError> {
        self.cloud.recycled().await
    }

    async fn default_key(&self) -> Result<Option<String>, CloudError> {
        self.cloud.default_key().await
    }

    async fn key_state(&self, arn: &str) -> Result<KeyState, CloudError> {
        within("DescribeKey", self.cloud.key_state(arn)).await
    }

    async fn requests(&self, ids: &[RequestId]) -> Result<Vec<SpotRequest>, CloudError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.requests(ids);
        self.requests.get(ids.to_vec(), asking).await
    }

    async fn tagged_requests(&self, key: &'static str) -> Result<Vec<SpotRequest>, CloudError> {
        self.cloud.tagged_requests(key).await
    }

    async fn record_sets(&self, name: &DnsName) -> Result<Vec<RecordSet>, CloudError> {
        let asking = self.cloud.record_sets(name);
        within("ListResourceRecordSets", asking).await
    }

    async fn target_groups(&self, of: Balancing) -> Result<Listing, CloudError> {
        let asking = self.cloud.target_groups(of);
        within("DescribeTargetGroups", asking).await
    }

    async fn targets(&self, group: &TargetGroup) -> Result<Vec<Registration>, CloudError> {
        let asking = self.cloud.targets(group);
        self.targets.get(group.clone(), asking).await
    }

    /// No step of ours changes a fleet.
    async fn fleets(&self, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
        if ids.is_empty() {
            return Ok(Vec::new());
        }
        self.fleets.get(ids.to_vec(), self.cloud.fleets(ids)).await
    }

    async fn groups(&self, names: &[String]) -> Result<Vec<AutoScalingGroup>, CloudError> {
        if names.is_empty() {
            return Ok(Vec::new());
        }
        let asking = self.cloud.groups(names);
        self.groups.get(names.to_vec(), asking).await
    }

    async fn secret(&self) -> Result<String, CloudError> {
        self.cloud.secret().await
    }

    async fn receive(&self) -> Result<Vec<Message>, CloudError> {
        self.cloud.receive().await
    }

    async fn delete(&self, receipts: &[String]) -> Result<(), CloudError> {
        self.cloud.delete(receipts).await
    }

    /// A read that ends while a change is under way may show the state before or after it.
    async fn act(&self, action: &Action) -> Result<String, CloudError> {
        let answer = self.cloud.act(action).await;
        self.settle(action, answer.is_ok());
        answer
    }
}

#[cfg(all(test, feature = "sim"))]
mod tests {
    use super::*;
    use crate::sim::{FailingCloud, Fault, Kind as Trouble, On, World};

    fn tag(volume: &str, key: &str) -> Action {
        Action::Tag {
            resources: vec![volume.to_owned()],
            tags: Tags::from([(key.to_owned(), "yes".to_owned())]),
        }
    }

    #[tokio::test]
    async fn known_resources_are_not_read_again_until_they_are_changed() {
        let world = World::new(1);
        let volume = world.volume("eu-west-1a");
        let denied = Fault {
            on: On::Call("CreateTags", 1),
            kind: Trouble::Code("InternalError"),
        };
        let cloud = FailingCloud::new(world.clone(), vec![denied]);
        let reads = Reads::new(&cloud);
        let query = Query::Volumes(vec![volume.clone()]);
        let asked = || cloud.calls().get("DescribeVolumes").copied();
        for _ in 0..2 {
            assert_eq!(reads.volumes(&query).await.unwrap_or_default().len(), 1);
        }
        assert_eq!(asked(), Some(1));
        // What has been written is known, before EC2 shows it.
        assert!(reads.act(&tag(volume.as_str(), "a")).await.is_ok());
        let known = reads.volumes(&query).await.unwrap_or_default();
        assert!(known.iter().all(|it| it.tags.contains_key("a")));
        let (resources, keys) = (vec![volume.to_string()], vec!["a".to_owned()]);
        let untag = Action::Untag { resources, keys };
        assert!(reads.act(&untag).await.is_ok());
        let known = reads.volumes(&query).await.unwrap_or_default();
        assert!(known.iter().all(|it| !it.tags.contains_key("a")));
        assert_eq!(asked(), Some(1));
        // Whether a failed call has changed anything is not known.
        assert!(reads.act(&tag(volume.as_str(), "b")).await.is_err());
        assert!(reads.volumes(&query).await.is_ok());
        assert_eq!(asked(), Some(2));
        let snapshots = Query::Snapshots(Vec::new());
        assert!(reads.snapshots(&snapshots).await.is_ok());
        assert_eq!(cloud.calls().get("DescribeSnapshots"), None);
    }

    /// EC2 shows an instance's new tags a second later, and here they are read anew.
    #[tokio::test]
    async fn tags_that_were_written_on_an_instance_are_shown_at_once() {
        let world = World::new(1);
        world.change(|it| it.config.lag_seconds = 1);
        let instance = world.protected_instance().instance;
        world.advance(10);
        let reads = Reads::new(&world);
        let query = Query::Instances(vec![instance.clone()]);
        let has = async || {
            let all = reads.instances(&query).await.unwrap_or_default();
            all.iter().any(|it| it.tags.contains_key("a"))
        };
        assert!(reads.act(&tag(instance.as_str(), "a")).await.is_ok());
        assert!(has().await);
        world.advance(10);
        let (resources, keys) = (vec![instance.to_string()], vec!["a".to_owned()]);
        assert!(reads.act(&Action::Untag { resources, keys }).await.is_ok());
        assert!(!has().await);
    }
}
