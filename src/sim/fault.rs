//! A cloud that fails at a chosen moment: wraps any [`Cloud`], real or simulated.

use super::act::operation;
use super::balancer::calls;
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
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Which call fails. Counting starts at 0.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum On {
    /// The n-th change.
    Act(u64),
    /// The n-th read.
    Read(u64),
    /// The n-th call of this API.
    Call(&'static str, u64),
    /// Every call of this API.
    Every(&'static str),
}

/// How it fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Refused with this code.
    Code(&'static str),
    /// The call is carried out, but its answer is lost.
    LoseReply,
    /// Never answered, nor done.
    Silence,
    /// Done twice: a retry below us.
    Twice,
    /// The process ends before, or right after.
    CrashBefore,
    CrashAfter,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fault {
    pub on: On,
    pub kind: Kind,
}

/// Counts calls, and does to them what its faults say.
#[derive(Debug)]
pub struct FailingCloud<C> {
    pub inner: C,
    faults: Mutex<Vec<Fault>>,
    counts: Mutex<Counts>,
}

#[derive(Debug, Default)]
struct Counts {
    acts: u64,
    reads: u64,
    calls: BTreeMap<&'static str, u64>,
    struck: Vec<&'static str>,
}

impl<C> FailingCloud<C> {
    pub fn new(inner: C, faults: Vec<Fault>) -> Self {
        Self {
            inner,
            faults: Mutex::new(faults),
            counts: Mutex::default(),
        }
    }

    /// One more fault, for a call that is still to come.
    pub fn arm(&self, fault: Fault) {
        self.planned().push(fault);
    }

    /// No fault strikes any more.
    pub fn disarm(&self) {
        self.planned().clear();
    }

    fn planned(&self) -> MutexGuard<'_, Vec<Fault>> {
        self.faults.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Changes asked for so far, the failing ones included.
    pub fn acts(&self) -> u64 {
        self.count(|it| it.acts)
    }

    pub fn reads(&self) -> u64 {
        self.count(|it| it.reads)
    }

    /// How often each was called.
    pub fn calls(&self) -> BTreeMap<&'static str, u64> {
        self.count(|it| it.calls.clone())
    }

    /// Calls that a fault has struck: a test with a fault that never strikes proves nothing.
    pub fn struck(&self) -> Vec<&'static str> {
        self.count(|it| it.struck.clone())
    }

    fn count<T>(&self, work: impl FnOnce(&mut Counts) -> T) -> T {
        work(&mut self.counts.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// Counts a call and says what happens to it.
    fn fault(&self, call: &'static str, is_act: bool) -> Option<Kind> {
        self.count(|it| {
            let nth = it.calls.entry(call).or_default();
            let calls = std::mem::replace(nth, *nth + 1);
            let all = if is_act { &mut it.acts } else { &mut it.reads };
            let nth = std::mem::replace(all, *all + 1);
            let strikes = |on: On| match on {
                On::Act(n) => is_act && n == nth,
                On::Read(n) => !is_act && n == nth,
                On::Call(name, n) => name == call && n == calls,
                On::Every(name) => name == call,
            };
            let planned = self.planned();
            let kind = planned.iter().find(|it| strikes(it.on));
            let kind = kind.map(|it| it.kind);
            it.struck.extend(kind.map(|_| call));
            kind
        })
    }

    async fn read<T>(
        &self,
        call: &'static str,
        work: impl Future<Output = Result<T, CloudError>> + Send,
    ) -> Result<T, CloudError> {
        match self.fault(call, false) {
            None | Some(Kind::Twice) => work.await,
            Some(Kind::Code(code)) => Err(injected(call, code)),
            Some(Kind::LoseReply) => Err(injected(call, "Timeout")),
            Some(Kind::Silence) => std::future::pending().await,
            Some(Kind::CrashBefore | Kind::CrashAfter) => crash(),
        }
    }

    pub(super) async fn change<T, W>(
        &self,
        call: &'static str,
        work: impl Fn() -> W,
    ) -> Result<T, CloudError>
    where
        W: Future<Output = Result<T, CloudError>> + Send,
    {
        match self.fault(call, true) {
            None => work().await,
            Some(Kind::Code(code)) => Err(injected(call, code)),
            Some(Kind::Silence) => std::future::pending().await,
            Some(Kind::CrashBefore) => crash(),
            Some(Kind::LoseReply) => {
                work().await.ok();
                Err(injected(call, "Timeout"))
            }
            Some(Kind::Twice) => {
                work().await.ok();
                work().await
            }
            Some(Kind::CrashAfter) => {
                work().await.ok();
                crash()
            }
        }
    }
}

fn injected(call: &'static str, code: &str) -> CloudError {
    CloudError::new(call, code, "injected", Some("injected"))
}

/// A panic that prints nothing.
fn crash() -> ! {
    std::panic::resume_unwind(Box::new("the process ended here, as the test wanted"))
}

#[async_trait]
impl<C: Cloud> Cloud for FailingCloud<C> {
    async fn instances(&self, query: &Query) -> Result<Vec<Instance>, CloudError> {
        self.read("DescribeInstances", self.inner.instances(query))
            .await
    }

    async fn templates(&self, query: &Query) -> Result<Vec<Template>, CloudError> {
        self.read("DescribeLaunchTemplates", self.inner.templates(query))
            .await
    }

    async fn volumes(&self, query: &Query) -> Result<Vec<Volume>, CloudError> {
        self.read("DescribeVolumes", self.inner.volumes(query))
            .await
    }

    async fn snapshots(&self, query: &Query) -> Result<Vec<Snapshot>, CloudError> {
        self.read("DescribeSnapshots", self.inner.snapshots(query))
            .await
    }

    async fn addresses(&self) -> Result<Vec<Address>, CloudError> {
        self.read("DescribeAddresses", self.inner.addresses()).await
    }

    async fn interfaces(&self, query: &Query) -> Result<Vec<NetworkInterface>, CloudError> {
        self.read("DescribeNetworkInterfaces", self.inner.interfaces(query))
            .await
    }

    async fn images(&self, query: &Query) -> Result<Vec<Image>, CloudError> {
        self.read("DescribeImages", self.inner.images(query)).await
    }

    async fn root_tasks(&self, ids: &[InstanceId]) -> Result<Vec<RootTask>, CloudError> {
        let call = "DescribeReplaceRootVolumeTasks";
        self.read(call, self.inner.root_tasks(ids)).await
    }

    async fn is_termination_protected(&self, instance: &InstanceId) -> Result<bool, CloudError> {
        let call = "DescribeInstanceAttribute";
        self.read(call, self.inner.is_termination_protected(instance))
            .await
    }

    async fn shapes(&self, instance_types: &[String]) -> Result<Vec<Shape>, CloudError> {
        self.read("DescribeInstanceTypes", self.inner.shapes(instance_types))
            .await
    }

    async fn recycled(&self) -> Result<BTreeSet<VolumeId>, CloudError> {
        self.read("ListVolumesInRecycleBin", self.inner.recycled())
            .await
    }

    async fn default_key(&self) -> Result<Option<String>, CloudError> {
        let call = "GetEbsEncryptionByDefault";
        self.read(call, self.inner.default_key()).await
    }

    async fn key_state(&self, arn: &str) -> Result<KeyState, CloudError> {
        self.read("DescribeKey", self.inner.key_state(arn)).await
    }

    async fn requests(&self, ids: &[RequestId]) -> Result<Vec<SpotRequest>, CloudError> {
        self.read("DescribeSpotInstanceRequests", self.inner.requests(ids))
            .await
    }

    async fn tagged_requests(&self, key: &'static str) -> Result<Vec<SpotRequest>, CloudError> {
        let call = "DescribeSpotInstanceRequests";
        self.read(call, self.inner.tagged_requests(key)).await
    }

    async fn record_sets(&self, name: &DnsName) -> Result<Vec<RecordSet>, CloudError> {
        self.read("ListResourceRecordSets", self.inner.record_sets(name))
            .await
    }

    async fn target_groups(&self, of: Balancing) -> Result<Listing, CloudError> {
        self.read(calls(of).list, self.inner.target_groups(of))
            .await
    }

    async fn targets(&self, group: &TargetGroup) -> Result<Vec<Registration>, CloudError> {
        let call = calls(group.balancing()).read;
        self.read(call, self.inner.targets(group)).await
    }

    async fn fleets(&self, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
        self.read("DescribeFleets", self.inner.fleets(ids)).await
    }

    async fn groups(&self, names: &[String]) -> Result<Vec<AutoScalingGroup>, CloudError> {
        self.read("DescribeAutoScalingGroups", self.inner.groups(names))
            .await
    }

    async fn secret(&self) -> Result<String, CloudError> {
        self.inner.secret().await
    }

    async fn receive(&self) -> Result<Vec<Message>, CloudError> {
        self.change("ReceiveMessage", || self.inner.receive()).await
    }

    async fn delete(&self, receipts: &[String]) -> Result<(), CloudError> {
        let call = "DeleteMessageBatch";
        self.change(call, || self.inner.delete(receipts)).await
    }

    async fn act(&self, action: &Action) -> Result<String, CloudError> {
        let call = operation(action);
        self.change(call, || self.inner.act(action)).await
    }
}
