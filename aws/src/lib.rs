//! The real AWS: the core's seam [`Cloud`] by the SDK, which only this package names.
//!
//! The package that uses it brings the configuration: where credentials come from, which certificates are believed, what the
//! environment says. Here is how long a call may take, since the core reckons with that. One client of each service
//! is built, once.
#![cfg(feature = "aws")]

mod act;
mod autoscaling;
mod bin;
mod bounded;
mod by_ids;
mod convert;
mod detach;
mod error;
mod fleet;
mod fleets;
mod inbox;
mod keys;
mod likeness;
mod names;
mod network;
mod options;
mod plain;
mod read;
mod rehearsal;
mod roots;
mod run;
mod secret;
mod shapes;
mod tags;
mod targets;
mod template;
mod timeouts;
mod versions;

pub use timeouts::with_timeouts;

use async_trait::async_trait;
use aws_types::SdkConfig;
use spot_rescue::cloud::{Cloud, CloudError, MOST_READ, Message, Query};
use spot_rescue::dns::{DnsName, RecordSet};
use spot_rescue::id::{InstanceId, RequestId, VolumeId};
use spot_rescue::situation::{
    Address, AutoScalingGroup, Balancing, Fleet, Image, Instance, KeyState, Listing,
    NetworkInterface, Registration, RootTask, Shape, Snapshot, SpotRequest, TargetGroup, Template,
    Volume,
};
use spot_rescue::step::Action;
use std::collections::BTreeSet;

/// What the stack has created for the function alone.
#[derive(Debug, Clone, Default)]
pub struct Stack {
    /// Where wake messages go.
    pub queue_url: Option<String>,
    /// The secret that seals are made with.
    pub secret_arn: Option<String>,
}

/// Connections to EC2, to Auto Scaling, to the services that balance load, to our own queue and secret, to KMS, and,
/// should a name follow an instance, to Route 53.
pub struct Aws {
    autoscaling: aws_sdk_autoscaling::Client,
    ec2: aws_sdk_ec2::Client,
    balancers: targets::Balancers,
    sqs: aws_sdk_sqs::Client,
    secrets: aws_sdk_secretsmanager::Client,
    keys: aws_sdk_kms::Client,
    names: names::Names,
    stack: Stack,
    at_most: usize,
}

impl Aws {
    /// By this configuration, but with the timeouts and retries that the core reckons with.
    #[must_use]
    pub fn connect(config: &SdkConfig, stack: Stack) -> Self {
        Self::new(&with_timeouts(config.to_builder()).build(), stack)
    }

    /// By this configuration as it is: tests are in a hurry.
    #[must_use]
    pub fn new(config: &SdkConfig, stack: Stack) -> Self {
        Self {
            autoscaling: aws_sdk_autoscaling::Client::new(config),
            ec2: aws_sdk_ec2::Client::new(config),
            balancers: targets::Balancers::new(config),
            sqs: aws_sdk_sqs::Client::new(config),
            secrets: aws_sdk_secretsmanager::Client::new(config),
            keys: aws_sdk_kms::Client::new(config),
            names: names::Names::new(config),
            stack,
            at_most: MOST_READ,
        }
    }

    /// Reads that answer more than this are cut off: tests need not make thousands.
    #[must_use]
    pub fn reading_at_most(self, at_most: usize) -> Self {
        Self { at_most, ..self }
    }
}

#[async_trait]
impl Cloud for Aws {
    async fn instances(&self, query: &Query) -> Result<Vec<Instance>, CloudError> {
        read::instances(&self.ec2, query, self.at_most).await
    }

    async fn templates(&self, query: &Query) -> Result<Vec<Template>, CloudError> {
        read::templates(&self.ec2, query, self.at_most).await
    }

    async fn volumes(&self, query: &Query) -> Result<Vec<Volume>, CloudError> {
        read::volumes(&self.ec2, query, self.at_most).await
    }

    async fn snapshots(&self, query: &Query) -> Result<Vec<Snapshot>, CloudError> {
        read::snapshots(&self.ec2, query, self.at_most).await
    }

    async fn addresses(&self) -> Result<Vec<Address>, CloudError> {
        read::addresses(&self.ec2).await
    }

    async fn interfaces(&self, query: &Query) -> Result<Vec<NetworkInterface>, CloudError> {
        read::interfaces(&self.ec2, query, self.at_most).await
    }

    async fn images(&self, query: &Query) -> Result<Vec<Image>, CloudError> {
        read::images(&self.ec2, query, self.at_most).await
    }

    async fn root_tasks(&self, ids: &[InstanceId]) -> Result<Vec<RootTask>, CloudError> {
        roots::tasks(&self.ec2, ids).await
    }

    async fn is_termination_protected(&self, instance: &InstanceId) -> Result<bool, CloudError> {
        read::is_termination_protected(&self.ec2, instance).await
    }

    async fn shapes(&self, instance_types: &[String]) -> Result<Vec<Shape>, CloudError> {
        shapes::shapes(&self.ec2, instance_types).await
    }

    async fn recycled(&self) -> Result<BTreeSet<VolumeId>, CloudError> {
        bin::volumes(&self.ec2).await
    }

    async fn default_key(&self) -> Result<Option<String>, CloudError> {
        read::default_key(&self.ec2).await
    }

    async fn key_state(&self, arn: &str) -> Result<KeyState, CloudError> {
        keys::state(&self.keys, arn).await
    }

    async fn requests(&self, ids: &[RequestId]) -> Result<Vec<SpotRequest>, CloudError> {
        read::requests(&self.ec2, ids).await
    }

    async fn tagged_requests(&self, key: &'static str) -> Result<Vec<SpotRequest>, CloudError> {
        read::tagged_requests(&self.ec2, key, self.at_most).await
    }

    async fn record_sets(&self, name: &DnsName) -> Result<Vec<RecordSet>, CloudError> {
        self.names.record_sets(name).await
    }

    async fn target_groups(&self, of: Balancing) -> Result<Listing, CloudError> {
        self.balancers.groups(of).await
    }

    async fn targets(&self, group: &TargetGroup) -> Result<Vec<Registration>, CloudError> {
        self.balancers.targets(group).await
    }

    async fn groups(&self, names: &[String]) -> Result<Vec<AutoScalingGroup>, CloudError> {
        autoscaling::groups(&self.autoscaling, names).await
    }

    async fn fleets(&self, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
        fleets::read(&self.ec2, ids).await
    }

    async fn secret(&self) -> Result<String, CloudError> {
        secret::read(&self.secrets, self.stack.secret_arn.as_deref()).await
    }

    async fn receive(&self) -> Result<Vec<Message>, CloudError> {
        inbox::receive(&self.sqs, self.stack.queue_url.as_deref()).await
    }

    async fn delete(&self, receipts: &[String]) -> Result<(), CloudError> {
        inbox::delete(&self.sqs, self.stack.queue_url.as_deref(), receipts).await
    }

    async fn act(&self, action: &Action) -> Result<String, CloudError> {
        self.dispatch(action).await
    }
}
