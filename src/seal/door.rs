//! The one way between the core and AWS: tags without a right seal are taken out of every answer, and every request
//! is sealed.

use super::finish::{finish, marks_of, needs_key};
use super::marks::{Which, open, sealed};
use super::open::{self as opened, each, place};
use super::{Key, Seal};
use crate::clock::Timestamp;
use crate::cloud::{Class, Cloud, CloudError, Message, Query};
use crate::dns::{DnsName, RecordSet};
use crate::id::{InstanceId, RequestId, TemplateId, VolumeId};
use crate::situation::{
    Address, AutoScalingGroup, Balancing, Fleet, Image, Instance, KeyState, Listing,
    NetworkInterface, Registration, RootTask, Shape, Snapshot, SpotRequest, TargetGroup, Template,
    Volume,
};
use crate::step::{Action, LaunchTemplate, WriteTemplate};
use crate::tags::{self, Tags, template_names};
use async_trait::async_trait;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Mutex, PoisonError};

/// How many launch templates are asked for one by one: few of a fleet are unknown at a time, and an account that
/// launches from thousands must not keep a read from its end.
const MOST_PLACED: usize = 20;

/// AWS as seen through the seals, for one invocation.
pub struct Sealed<'a> {
    cloud: &'a dyn Cloud,
    seal: &'a Seal,
    now: Timestamp,
    /// Launch templates that this invocation has created, by name.
    created: Mutex<BTreeMap<String, (TemplateId, u64)>>,
}

impl<'a> Sealed<'a> {
    #[must_use]
    pub fn new(cloud: &'a dyn Cloud, seal: &'a Seal, now: Timestamp) -> Self {
        Self {
            cloud,
            seal,
            now,
            created: Mutex::default(),
        }
    }

    /// None while the secret cannot be read: then no tag is believed, and only steps that protect are done.
    pub async fn key(&self) -> Option<&'a Key> {
        let read = self.seal.key(self.cloud).await;
        let read = read
            .inspect_err(|error| tracing::warn!(%error, "failed to read the secret of our seals"));
        read.ok()
    }

    /// EC2 may say of an instance without a mark of ours that it was launched from a prepared rescue: its marks could
    /// not be sealed yet, or were overwritten. Then it belongs to that lineage, and the record tells its part in it.
    async fn placed(
        &self,
        all: &mut [Instance],
        said: &[Option<InstanceId>],
    ) -> Result<(), CloudError> {
        let unplaced = |it: &Instance| {
            let unmarked = !it.tags.contains_key(tags::RESCUE);
            let launched_from = it.tags.get(tags::LAUNCHED_FROM).filter(|_| unmarked)?;
            launched_from.parse::<TemplateId>().ok()
        };
        let named = all
            .iter()
            .zip(said)
            .filter(|(it, _)| unplaced(it).is_some());
        let named = named
            .filter_map(|(_, said)| said.as_ref())
            .take(10 * MOST_PLACED);
        let named = Query::Names(named.flat_map(template_names).collect());
        if !named.names_nothing() {
            place(all, &self.templates(&named).await?, unplaced);
        }
        let left: BTreeSet<TemplateId> = all.iter().filter_map(unplaced).collect();
        for id in left.into_iter().take(MOST_PLACED) {
            place(all, &self.templates(&Query::Template(id)).await?, unplaced);
        }
        Ok(())
    }

    /// Each resource has seals of its own, so each is a call. A resource that takes no tag does not keep the others
    /// from theirs.
    async fn tag(
        &self,
        resources: &[String],
        tags: &Tags,
        key: &Key,
    ) -> Result<String, CloudError> {
        let mut answer = Ok(String::new());
        for resource in resources {
            let action = Action::Tag {
                resources: vec![resource.clone()],
                tags: sealed(key, resource, tags),
            };
            let done = self.cloud.act(&action).await;
            answer = answer.and_then(|first| done.map(|_| first));
        }
        answer
    }

    /// The result of a call is ours by the id that the call returned. Should sealing its marks fail twice, the same call
    /// is made again at the next look, and returns the same id, unless what it made is not wanted any more by then.
    async fn mark(&self, action: &Action, answer: &str, key: &Key) {
        let made = match (marks_of(action), answer.split_whitespace().next()) {
            (Some(marks), Some(id)) => Some((id.to_owned(), marks)),
            _ => self.version(action, answer),
        };
        let Some((id, marks)) = made else { return };
        let seal = async || self.tag(std::slice::from_ref(&id), &marks, key).await;
        let mut sealed = seal().await;
        if matches!(&sealed, Err(error) if error.class == Class::Transient) {
            sealed = seal().await;
        }
        if let Err(error) = sealed {
            tracing::warn!(%error, id, "failed to seal the marks of what was made; done at the next look");
        }
    }

    /// The number that `CreateLaunchTemplate` or `CreateLaunchTemplateVersion` has returned: no other version
    /// is launched.
    fn version(&self, action: &Action, answer: &str) -> Option<(String, Tags)> {
        let Action::WriteTemplate(write) = action else {
            return None;
        };
        let WriteTemplate {
            name,
            existing,
            tags,
            ..
        } = write;
        let (id, number) = answer.split_once(' ')?;
        let (template, number) = (id.parse().ok()?, number.parse().ok()?);
        let mut created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
        created.insert(name.clone(), (template, number));
        let (_, before) = existing.as_ref()?;
        let before = before.map(|it| format!(" {it}")).unwrap_or_default();
        let print = tags.get(tags::FINGERPRINT);
        let print = print.map(|it| format!(" {it}")).unwrap_or_default();
        let text = format!("{number}{before}{print}");
        Some((
            id.to_owned(),
            Tags::from([(tags::VERSION.to_owned(), text)]),
        ))
    }

    /// A launch by name is one from the version that this invocation has created under it, or none.
    fn named(&self, action: &Action) -> Result<Action, CloudError> {
        let mut action = action.clone();
        if let Action::Launch(launch) = &mut action
            && let LaunchTemplate::Name(name) = &launch.template
        {
            let created = self.created.lock().unwrap_or_else(PoisonError::into_inner);
            let Some((id, number)) = created.get(name) else {
                let code = "InvalidLaunchTemplateName.NotFoundException";
                let message = format!("{name} was not created by this invocation");
                return Err(CloudError::new("CreateFleet", code, &message, None));
            };
            launch.template = LaunchTemplate::Version(id.clone(), *number);
        }
        Ok(action)
    }
}

#[async_trait]
impl Cloud for Sealed<'_> {
    async fn instances(&self, query: &Query) -> Result<Vec<Instance>, CloudError> {
        let (all, key) = tokio::join!(self.cloud.instances(query), self.key());
        let mut all = all?;
        let said = all.iter().map(|it| it.tags.get(tags::RESCUE)?.parse().ok());
        let said: Vec<_> = said.collect();
        let launched = all.iter().map(|it| it.tags.get(tags::LAUNCHED).cloned());
        let launched: Vec<_> = launched.collect();
        each(&mut all, key, opened::instance, |it| &mut it.tags);
        if let Some(key) = key {
            self.placed(&mut all, &said).await?;
            for (it, launched) in all.iter_mut().zip(launched) {
                opened::launched(key, it, launched);
            }
        }
        Ok(all)
    }

    async fn templates(&self, query: &Query) -> Result<Vec<Template>, CloudError> {
        let (all, key) = tokio::join!(self.cloud.templates(query), self.seal.key(self.cloud));
        let (mut all, key) = (all?, key?);
        for it in &mut all {
            opened::template(key, self.seal, it);
        }
        Ok(all)
    }

    async fn volumes(&self, query: &Query) -> Result<Vec<Volume>, CloudError> {
        let (all, key) = tokio::join!(self.cloud.volumes(query), self.key());
        let mut all = all?;
        let open = |key: &Key, it: &mut Volume| {
            it.unproven = open(key, &[it.id.as_str()], Which::Own, &mut it.tags);
        };
        each(&mut all, key, open, |it| &mut it.tags);
        Ok(all)
    }

    async fn snapshots(&self, query: &Query) -> Result<Vec<Snapshot>, CloudError> {
        let (all, key) = tokio::join!(self.cloud.snapshots(query), self.key());
        let mut all = all?;
        each(&mut all, key, opened::snapshot, |it| &mut it.tags);
        Ok(all)
    }

    async fn addresses(&self) -> Result<Vec<Address>, CloudError> {
        self.cloud.addresses().await
    }

    async fn interfaces(&self, query: &Query) -> Result<Vec<NetworkInterface>, CloudError> {
        let (all, key) = tokio::join!(self.cloud.interfaces(query), self.key());
        let mut all = all?;
        let open = |key: &Key, it: &mut NetworkInterface| {
            open(key, &[it.id.as_str()], Which::Own, &mut it.tags);
        };
        each(&mut all, key, open, |it| &mut it.tags);
        Ok(all)
    }

    async fn images(&self, query: &Query) -> Result<Vec<Image>, CloudError> {
        let (all, key) = tokio::join!(self.cloud.images(query), self.key());
        let mut all = all?;
        each(&mut all, key, opened::image, |it| &mut it.tags);
        Ok(all)
    }

    async fn root_tasks(&self, ids: &[InstanceId]) -> Result<Vec<RootTask>, CloudError> {
        self.cloud.root_tasks(ids).await
    }

    async fn is_termination_protected(&self, instance: &InstanceId) -> Result<bool, CloudError> {
        self.cloud.is_termination_protected(instance).await
    }

    async fn shapes(&self, instance_types: &[String]) -> Result<Vec<Shape>, CloudError> {
        self.cloud.shapes(instance_types).await
    }

    async fn recycled(&self) -> Result<BTreeSet<VolumeId>, CloudError> {
        self.cloud.recycled().await
    }

    async fn default_key(&self) -> Result<Option<String>, CloudError> {
        self.cloud.default_key().await
    }

    async fn key_state(&self, arn: &str) -> Result<KeyState, CloudError> {
        self.cloud.key_state(arn).await
    }

    async fn requests(&self, ids: &[RequestId]) -> Result<Vec<SpotRequest>, CloudError> {
        let (all, key) = tokio::join!(self.cloud.requests(ids), self.key());
        let mut all = all?;
        let open = |key: &Key, it: &mut SpotRequest| {
            open(key, &[it.id.as_str()], Which::Own, &mut it.tags);
        };
        each(&mut all, key, open, |it| &mut it.tags);
        Ok(all)
    }

    /// Found by its user's tags, which need no seal.
    async fn tagged_requests(&self, key: &'static str) -> Result<Vec<SpotRequest>, CloudError> {
        self.cloud.tagged_requests(key).await
    }

    async fn record_sets(&self, name: &DnsName) -> Result<Vec<RecordSet>, CloudError> {
        self.cloud.record_sets(name).await
    }

    async fn target_groups(&self, of: Balancing) -> Result<Listing, CloudError> {
        self.cloud.target_groups(of).await
    }

    async fn targets(&self, group: &TargetGroup) -> Result<Vec<Registration>, CloudError> {
        self.cloud.targets(group).await
    }

    async fn groups(&self, names: &[String]) -> Result<Vec<AutoScalingGroup>, CloudError> {
        self.cloud.groups(names).await
    }

    async fn fleets(&self, ids: &[String]) -> Result<Vec<Fleet>, CloudError> {
        self.cloud.fleets(ids).await
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

    async fn act(&self, action: &Action) -> Result<String, CloudError> {
        if !needs_key(action) {
            return self.cloud.act(action).await;
        }
        let key = self.seal.key(self.cloud).await?;
        if let Action::Tag { resources, tags } = action {
            return self.tag(resources, tags, key).await;
        }
        let action = self.named(action)?;
        let answer = self.cloud.act(&finish(key, &action, self.now)).await?;
        self.mark(&action, &answer, key).await;
        Ok(answer)
    }
}
