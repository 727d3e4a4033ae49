//! An attacker may put a lineage's mark on so many resources that reading them never ends. Then each lineage of the
//! batch is read by itself, and of a lineage with too many resources only those on record are read.

use super::prepared;
use crate::cloud::{Cloud, CloudError, Query};
use crate::id::InstanceId;
use crate::situation::{Instance, Snapshot, Template, Volume};
use crate::tags;
use std::collections::BTreeSet;
use std::pin::Pin;

type Answer<T> = Result<Vec<T>, CloudError>;
type Asking<'a, T> = Pin<Box<dyn Future<Output = Answer<T>> + Send + 'a>>;
type Ask<T> = for<'a> fn(&'a dyn Cloud, &'a Query) -> Asking<'a, T>;

/// The lineages to read, and the templates with their records.
pub struct Crowd<'a> {
    pub cloud: &'a dyn Cloud,
    pub lineages: &'a BTreeSet<InstanceId>,
    pub templates: &'a [Template],
}

impl Crowd<'_> {
    /// What was read of all, or what each has. Of instances the record names none but the owner, which is read
    /// by its id anyway.
    pub async fn instances(&self, read: Answer<Instance>) -> Answer<Instance> {
        self.each(
            read,
            "instances",
            |cloud, it| cloud.instances(it),
            |_| Query::Instances(Vec::new()),
        )
        .await
    }

    pub async fn volumes(&self, read: Answer<Volume>) -> Answer<Volume> {
        self.each(
            read,
            "volumes",
            |cloud, it| cloud.volumes(it),
            |it| self.on_record(it),
        )
        .await
    }

    pub async fn snapshots(&self, read: Answer<Snapshot>) -> Answer<Snapshot> {
        self.each(
            read,
            "snapshots",
            |cloud, it| cloud.snapshots(it),
            |it| self.on_record(it),
        )
        .await
    }

    async fn each<T>(
        &self,
        read: Answer<T>,
        what: &str,
        ask: Ask<T>,
        on_record: impl Fn(&InstanceId) -> Query,
    ) -> Answer<T> {
        if !read.as_ref().is_err_and(CloudError::is_too_much) {
            return read;
        }
        let mut all = Vec::new();
        for it in self.lineages {
            let own = ask(self.cloud, &marked(it)).await;
            if own.as_ref().is_err_and(CloudError::is_too_much) {
                tracing::warn!(lineage = %it, "more {what} than can be read have its mark: only those on record are looked at");
                all.extend(ask(self.cloud, &on_record(it)).await?);
            } else {
                all.extend(own?);
            }
        }
        Ok(all)
    }

    fn on_record(&self, lineage: &InstanceId) -> Query {
        let template = prepared::of(lineage, self.templates);
        Query::Volumes(template.map(prepared::volumes).unwrap_or_default())
    }
}

fn marked(lineage: &InstanceId) -> Query {
    Query::Tag {
        key: tags::RESCUE,
        values: vec![lineage.to_string()],
    }
}
