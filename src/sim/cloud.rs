//! The world as a [`Cloud`].

use super::World;
use crate::clock::Timestamp;
use crate::cloud::{Cloud, CloudError, Message, Query};
use crate::dns::{DnsName, RecordSet};
use crate::id::{InstanceId, RequestId, VolumeId};
use crate::situation::{
    Address, AutoScalingGroup, Balancing, Fleet, Image, Instance, KeyState, Listing,
    NetworkInterface, Registration, RootTask, Shape, Snapshot, SpotRequest, TargetGroup, Template,
    Volume,
};
use crate::step::Action;
use async_trait::async_trait;
use std::collections::BTreeSet;
use std::future::poll_fn;
use std::task::Poll;
use time::Duration;

impl World {
    /// A call takes time, and others may come first, as the seed decides.
    pub(super) async fn call(&self) {
        let turns = self.change(|it| {
            let turns = if it.config.interleave {
                it.rng.below(4)
            } else {
                0
            };
            it.advance_to(it.now + Duration::milliseconds(it.config.call_millis));
            turns
        });
        for _ in 0..turns {
            give_way().await;
        }
    }

    /// Until a launch of this moment is answered, others call.
    async fn launching(&self, at: Timestamp) {
        let millis = self.look(|it| it.config.launch_millis);
        if millis > 0 {
            give_way().await;
            let until = at + Duration::milliseconds(millis);
            self.change(|it| it.advance_to(until.max(it.now)));
        }
    }
}

/// Pending once.
async fn give_way() {
    let mut waited = false;
    poll_fn(|context| {
        if waited {
            return Poll::Ready(());
        }
        waited = true;
        context.waker().wake_by_ref();
        Poll::Pending
    })
    .await;
}

#[async_trait]
impl Cloud for World {
    async fn instances(&self, query: &Query) -> Result<Vec<Instance>, CloudError> {
        self.call().await;
        self.change(|it| it.read_instances(query))
    }

    async fn templates(&self, query: &Query) -> Result<Vec<Template>, CloudError> {
        self.call().await;
        self.change(|it| it.read_templates(query))
    }

    async fn volumes(&self, query: &Query) -> Result<Vec<Volume>, CloudError> {
        self.call().await;
        self.change(|it| it.read_volumes(query))
    }

    async fn snapshots(&self, query: &Query) -> Result<Vec<Snapshot>, CloudError> {
        self.call().await;
        self.change(|it| it.read_snapshots(query))
    }

    async fn addresses(&self) -> Result<Vec<Address>, CloudError> {
        self.call().await;
        self.change(super::State::read_addresses)
    }

    async fn interfaces(&self, query: &Query) -> Result<Vec<NetworkInterface>, CloudError> {
        self.call().await;
        self.change(|it| it.read_interfaces(query))
    }

    async fn images(&self, query: &Query) -> Result<Vec<Image>, CloudError> {
        self.call().await;
        self.change(|it| it.read_images(query))
    }

    async fn root_tasks(&self, ids: &[InstanceId]) -> Result<Vec<RootTask>, CloudError> {
        self.call().await;
        self.change(|it| it.read_root_tasks(ids))
    }

    async fn is_termination_protected(&self, instance: &InstanceId) -> Result<bool, CloudError> {
        self.call().await;
        self.change(|it| it.read_lock(instance))
    }

    async fn shapes(&self, instance_types: &[String]) -> Result<Vec<Shape>, CloudError> {
        self.call().await;
        self.change(|it| it.read_shapes(instance_types))
    }

    async fn recycled(&self) -> Result<BTreeSet<VolumeId>, CloudError> {
        self.call().await;
        self.change(super::State::read_bin)
    }

    async fn default_key(&self) -> Result<Option<String>, CloudError> {
        self.call().await;
        self.change(|it| {
            it.admit("GetEbsEncryptionByDefault")?;
            Ok(it.default_key.clone())
        })
    }

    async fn key_state(&self, arn: &str) -> Result<KeyState, CloudError> {
        self.call().await;
        self.change(|it| {
            it.admit("DescribeKey")?;
            let state = it.key_states.get(arn).copied();
            Ok(state.unwrap_or(KeyState::Usable))
        })
    }

    async fn requests(&self, ids: &[RequestId]) -> Result<Vec<SpotRequest>, CloudError> {
        self.call().await;
        self.change(|it| it.read_requests(ids))
    }

    async fn tagged_requests(&self, key: &'static str) -> Result<Vec<SpotRequest>, CloudError> {
        self.call().await;
        self.change(|it| it.read_tagged_requests(key))
    }

    async fn record_sets(&self, name: &DnsName) -> Result<Vec<RecordSet>, CloudError> {
        self.call().await;
        self.change(|it| it.read_record_sets(name))
    }

    async fn target_groups(&self, of: Balancing) -> Result<Listing, CloudError> {
        self.call().await;
        self.change(|it| it.read_target_groups(of))
    }

    async fn targets(&self, group: &TargetGroup) -> Result<Vec<Registration>, CloudError> {
        self.call().await;
        self.change(|it| it.read_targets(group))
    }

    async fn groups(&self, names: &[String]) -> Result<Vec<AutoScalingGroup>, CloudError> {
        self.call().await;
        self.change(|it| it.read_groups(names))
    }

    async fn fleets(&self, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
        self.call().await;
        self.change(|it| it.read_fleets(ids))
    }

    /// Not counted among the calls: it is made once for each process.
    async fn secret(&self) -> Result<String, CloudError> {
        self.look(|it| it.secret.clone())
    }

    async fn receive(&self) -> Result<Vec<Message>, CloudError> {
        self.call().await;
        Ok(self.change(super::State::poll_shortly))
    }

    async fn delete(&self, receipts: &[String]) -> Result<(), CloudError> {
        self.call().await;
        self.change(|it| it.delete_received(receipts))
    }

    async fn act(&self, action: &Action) -> Result<String, CloudError> {
        let _writing = self.writing(action)?;
        self.call().await;
        let (answer, at) = self.change(|it| (it.act(action), it.now));
        if matches!(action, Action::Launch(_)) {
            self.launching(at).await;
        }
        answer
    }
}
