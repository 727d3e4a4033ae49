//! Record sets in Route 53. The client is made at the first look-up: a cold start must not pay for what few need.
//!
//! - <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ListResourceRecordSets.html>
//! - <https://docs.aws.amazon.com/Route53/latest/APIReference/API_ChangeResourceRecordSets.html>

use super::error::failed;
use aws_sdk_route53::Client;
use aws_sdk_route53::operation::list_resource_record_sets::ListResourceRecordSetsOutput;
use aws_sdk_route53::types::{
    Change, ChangeAction, ChangeBatch, ResourceRecord, ResourceRecordSet, RrType,
};
use aws_types::SdkConfig;
use spot_rescue::cloud::CloudError;
use spot_rescue::dns::{DnsName, RecordSet, RecordType, Says};
use spot_rescue::step::PointName;
use std::sync::OnceLock;

const LIST: &str = "ListResourceRecordSets";
const CHANGE: &str = "ChangeResourceRecordSets";
/// A name has few record sets; what follows them belongs to other names.
const PAGE: i32 = 20;

pub struct Names {
    config: SdkConfig,
    client: OnceLock<Client>,
}

impl Names {
    pub fn new(config: &SdkConfig) -> Self {
        Self {
            config: config.clone(),
            client: OnceLock::new(),
        }
    }

    fn client(&self) -> &Client {
        self.client.get_or_init(|| Client::new(&self.config))
    }

    /// A listing begins at the first name that is not before the one asked for, and goes on with other names.
    pub async fn record_sets(&self, name: &DnsName) -> Result<Vec<RecordSet>, CloudError> {
        let mut found = Vec::new();
        let mut last: Option<ListResourceRecordSetsOutput> = None;
        loop {
            let page = self.page(name, last.as_ref()).await?;
            let sets = page.resource_record_sets();
            let ours = sets.iter().take_while(|it| name.is(it.name()));
            found.extend(ours.clone().filter_map(record_set));
            let all = ours.count() == sets.len();
            let more = page.is_truncated() && page.next_record_name().is_some_and(|it| name.is(it));
            if !all || !more {
                return Ok(found);
            }
            last = Some(page);
        }
    }

    async fn page(
        &self,
        name: &DnsName,
        last: Option<&ListResourceRecordSetsOutput>,
    ) -> Result<ListResourceRecordSetsOutput, CloudError> {
        let request = self.client().list_resource_record_sets();
        let request = request.hosted_zone_id(name.zone()).max_items(PAGE);
        let request = request
            .start_record_name(name.name())
            .set_start_record_type(last.and_then(|it| it.next_record_type().cloned()))
            .set_start_record_identifier(
                last.and_then(|it| it.next_record_identifier().map(str::to_owned)),
            );
        request.send().await.map_err(failed(LIST))
    }

    pub async fn point(&self, point: &PointName) -> Result<String, CloudError> {
        let PointName {
            name,
            kind,
            ttl,
            address,
        } = point;
        let unmade = |_| CloudError::new(CHANGE, "Incomplete", "the request lacks a field", None);
        let value = ResourceRecord::builder().value(address).build();
        let set = ResourceRecordSet::builder()
            .name(name.name())
            .r#type(RrType::from(kind.as_str()))
            .ttl(*ttl)
            .resource_records(value.map_err(unmade)?)
            .build();
        let change = Change::builder()
            .action(ChangeAction::Upsert)
            .resource_record_set(set.map_err(unmade)?)
            .build();
        let batch = ChangeBatch::builder()
            .comment("spot-rescue: the instance was replaced")
            .changes(change.map_err(unmade)?)
            .build();
        let request = self.client().change_resource_record_sets();
        let request = request.hosted_zone_id(name.zone());
        let request = request.change_batch(batch.map_err(unmade)?);
        let answer = request.send().await.map_err(failed(CHANGE))?;
        Ok(answer
            .change_info()
            .map(|it| it.id().to_owned())
            .unwrap_or_default())
    }
}

fn record_set(set: &ResourceRecordSet) -> Option<RecordSet> {
    let all = [RecordType::A, RecordType::Aaaa];
    let kind = all
        .into_iter()
        .find(|it| it.as_str() == set.r#type().as_str())?;
    let says = special(set).map_or_else(|| addresses(set), Says::Special);
    Some(RecordSet { kind, says })
}

fn addresses(set: &ResourceRecordSet) -> Says {
    let values = set
        .resource_records()
        .iter()
        .map(|it| it.value().to_owned());
    Says::Addresses {
        ttl: set.ttl().unwrap_or(300),
        values: values.collect(),
    }
}

/// A property that an UPSERT of name, type, TTL and value would remove or could not name.
fn special(set: &ResourceRecordSet) -> Option<&'static str> {
    [
        (set.alias_target().is_some(), "an alias"),
        (
            set.set_identifier().is_some(),
            "one of several with the name",
        ),
        (set.health_check_id().is_some(), "bound to a health check"),
        (
            set.traffic_policy_instance_id().is_some(),
            "made by a traffic policy",
        ),
    ]
    .into_iter()
    .find_map(|(is, what)| is.then_some(what))
}
