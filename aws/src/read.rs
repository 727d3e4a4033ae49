//! The reads: by ids where they are known, else by filter, page after page. EC2 pages before it filters (TRAP 47): a
//! page may be empty and still have a successor.

use super::{bounded::Found, by_ids, convert, error::failed, network};
use aws_sdk_ec2::types::{Filter, InstanceAttributeName, SpotInstanceRequest};
use spot_rescue::cloud::{CloudError, Query};
use spot_rescue::id::{InstanceId, RequestId, TemplateId};
use spot_rescue::situation::{
    Address, Image, Instance, NetworkInterface, Snapshot, SpotRequest, Template, Volume,
};

/// A filter takes at most 200 values
/// (<https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html>).
pub const FILTER_VALUES: usize = 200;

/// The query as filters, one per 200 values: no value, no call.
fn filters(query: &Query, by_instance: &str) -> Vec<Filter> {
    let of = |name: String, values: Vec<String>| {
        let chunks = values.chunks(FILTER_VALUES).map(<[String]>::to_vec);
        let filter = |it| {
            Filter::builder()
                .name(name.clone())
                .set_values(Some(it))
                .build()
        };
        chunks.map(filter).collect()
    };
    match query {
        // Only launch templates are read by this query, and not by a filter.
        Query::Template(_) => Vec::new(),
        Query::Volumes(ids) => of(
            "volume-id".to_owned(),
            ids.iter().map(ToString::to_string).collect(),
        ),
        Query::Instances(ids) => of(
            by_instance.to_owned(),
            ids.iter().map(ToString::to_string).collect(),
        ),
        Query::Names(names) => of("launch-template-name".to_owned(), names.clone()),
        Query::Snapshots(ids) => of(
            "snapshot-id".to_owned(),
            ids.iter().map(ToString::to_string).collect(),
        ),
        Query::Interfaces(ids) => of(
            "network-interface-id".to_owned(),
            ids.iter().map(ToString::to_string).collect(),
        ),
        Query::PrivateAddresses(addresses) => {
            of("addresses.private-ip-address".to_owned(), addresses.clone())
        }
        Query::Images(ids) => of(
            "image-id".to_owned(),
            ids.iter().map(ToString::to_string).collect(),
        ),
        Query::Tag { key, values } => of(format!("tag:{key}"), values.clone()),
        Query::TagKey(key) => of("tag-key".to_owned(), vec![(*key).to_owned()]),
    }
}

pub async fn instances(
    ec2: &aws_sdk_ec2::Client,
    query: &Query,
    at_most: usize,
) -> Result<Vec<Instance>, CloudError> {
    let mut found = Found::new("DescribeInstances", query, at_most);
    for filter in filters(query, "instance-id") {
        let request = ec2.describe_instances().filters(filter).max_results(1000);
        let mut pages = request.into_paginator().items().send();
        while !found.is_cut_off()?
            && let Some(reservation) = pages.next().await
        {
            let reservation = reservation.map_err(failed("DescribeInstances"))?;
            let all = reservation.instances().iter();
            all.for_each(|it| found.add(convert::instance(it)));
        }
    }
    Ok(found.all())
}

pub async fn templates(
    ec2: &aws_sdk_ec2::Client,
    query: &Query,
    at_most: usize,
) -> Result<Vec<Template>, CloudError> {
    if let Query::Template(id) = query {
        return template(ec2, id).await;
    }
    let mut found = Found::new("DescribeLaunchTemplates", query, at_most);
    for filter in filters(query, "tag:spot-rescue:rescue") {
        let request = ec2
            .describe_launch_templates()
            .filters(filter)
            .max_results(200);
        let mut pages = request.into_paginator().items().send();
        while !found.is_cut_off()?
            && let Some(template) = pages.next().await
        {
            let template = template.map_err(failed("DescribeLaunchTemplates"))?;
            found.add(convert::template(&template));
        }
    }
    Ok(found.all())
}

/// A template that is gone is an empty answer: there is no filter by id.
async fn template(ec2: &aws_sdk_ec2::Client, id: &TemplateId) -> Result<Vec<Template>, CloudError> {
    let request = ec2
        .describe_launch_templates()
        .launch_template_ids(id.as_str());
    let answer = request.send().await;
    match answer.map_err(failed("DescribeLaunchTemplates")) {
        Ok(answer) => {
            let all = answer.launch_templates().iter();
            Ok(all.filter_map(convert::template).collect())
        }
        Err(error) if error.code == "InvalidLaunchTemplateId.NotFound" => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

pub async fn volumes(
    ec2: &aws_sdk_ec2::Client,
    query: &Query,
    at_most: usize,
) -> Result<Vec<Volume>, CloudError> {
    if let Some(known) = by_ids::volumes(ec2, query).await? {
        return Ok(known);
    }
    let mut found = Found::new("DescribeVolumes", query, at_most);
    for filter in filters(query, "attachment.instance-id") {
        let request = ec2.describe_volumes().filters(filter).max_results(1000);
        let mut pages = request.into_paginator().send();
        while !found.is_cut_off()?
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(failed("DescribeVolumes"))?;
            let all = page.volumes().iter();
            all.for_each(|it| found.add(convert::volume(it)));
        }
    }
    Ok(found.all())
}

/// The account's own only: without an owner EC2 lists public and shared ones too (TRAP 27).
pub async fn snapshots(
    ec2: &aws_sdk_ec2::Client,
    query: &Query,
    at_most: usize,
) -> Result<Vec<Snapshot>, CloudError> {
    if let Some(known) = by_ids::snapshots(ec2, query).await? {
        return Ok(known);
    }
    let mut found = Found::new("DescribeSnapshots", query, at_most);
    for filter in filters(query, "tag:spot-rescue:rescue") {
        let request = ec2
            .describe_snapshots()
            .owner_ids("self")
            .filters(filter)
            .max_results(1000);
        let mut pages = request.into_paginator().send();
        while !found.is_cut_off()?
            && let Some(page) = pages.next().await
        {
            let page = page.map_err(failed("DescribeSnapshots"))?;
            let all = page.snapshots().iter().map(Some);
            let usable = all.map(|it| it.filter(|it| convert::is_usable(it)));
            usable.for_each(|it| found.add(it.and_then(convert::snapshot)));
            found.turn(page.next_token().is_some())?;
        }
    }
    Ok(found.all())
}

pub async fn addresses(ec2: &aws_sdk_ec2::Client) -> Result<Vec<Address>, CloudError> {
    let answer = ec2
        .describe_addresses()
        .send()
        .await
        .map_err(failed("DescribeAddresses"))?;
    Ok(answer
        .addresses()
        .iter()
        .filter_map(convert::address)
        .collect())
}

pub async fn interfaces(
    ec2: &aws_sdk_ec2::Client,
    query: &Query,
    at_most: usize,
) -> Result<Vec<NetworkInterface>, CloudError> {
    if let Some(known) = by_ids::interfaces(ec2, query).await? {
        return Ok(known);
    }
    let mut found = Found::new("DescribeNetworkInterfaces", query, at_most);
    for filter in filters(query, "attachment.instance-id") {
        let request = ec2.describe_network_interfaces().filters(filter);
        let mut pages = request.max_results(1000).into_paginator().items().send();
        while !found.is_cut_off()?
            && let Some(interface) = pages.next().await
        {
            let interface = interface.map_err(failed("DescribeNetworkInterfaces"))?;
            found.add(network::interface(&interface));
        }
    }
    Ok(found.all())
}

/// An image that has been deregistered must not fail the rest. Deprecated ones, which launch
/// like any other, are left out unless asked for; tags of ours say something on our own images only.
pub async fn images(
    ec2: &aws_sdk_ec2::Client,
    query: &Query,
    at_most: usize,
) -> Result<Vec<Image>, CloudError> {
    if let Some(known) = by_ids::images(ec2, query).await? {
        return Ok(known);
    }
    let owner = (!matches!(query, Query::Images(_))).then(|| vec!["self".to_owned()]);
    let mut found = Found::new("DescribeImages", query, at_most);
    for filter in filters(query, "image-id") {
        let request = ec2.describe_images().filters(filter).max_results(1000);
        let request = request.include_deprecated(true).set_owners(owner.clone());
        let mut pages = request.into_paginator().items().send();
        while !found.is_cut_off()?
            && let Some(image) = pages.next().await
        {
            let image = image.map_err(failed("DescribeImages"))?;
            found.add(convert::image(&image));
        }
    }
    Ok(found.all())
}

/// One instance at a time: the call takes no more.
pub async fn is_termination_protected(
    ec2: &aws_sdk_ec2::Client,
    instance: &InstanceId,
) -> Result<bool, CloudError> {
    let request = ec2.describe_instance_attribute();
    let request = request
        .instance_id(instance.as_str())
        .attribute(InstanceAttributeName::DisableApiTermination);
    let answer = request.send().await;
    let answer = answer.map_err(failed("DescribeInstanceAttribute"))?;
    let value = answer.disable_api_termination().and_then(|it| it.value());
    // A missing answer is no permission to end it.
    Ok(value.unwrap_or(true))
}

/// Two calls where the account encrypts by default, one where it does not.
pub async fn default_key(ec2: &aws_sdk_ec2::Client) -> Result<Option<String>, CloudError> {
    let answer = ec2.get_ebs_encryption_by_default().send().await;
    let answer = answer.map_err(failed("GetEbsEncryptionByDefault"))?;
    if answer.ebs_encryption_by_default() != Some(true) {
        return Ok(None);
    }
    let answer = ec2.get_ebs_default_kms_key_id().send().await;
    let answer = answer.map_err(failed("GetEbsDefaultKmsKeyId"))?;
    Ok(answer.kms_key_id().map(str::to_owned))
}

/// By filter as well: a request that EC2 has forgotten must not hide the others.
pub async fn requests(
    ec2: &aws_sdk_ec2::Client,
    ids: &[RequestId],
) -> Result<Vec<SpotRequest>, CloudError> {
    let mut found = Vec::new();
    for ids in ids.chunks(FILTER_VALUES) {
        let values = ids.iter().map(ToString::to_string).collect();
        let filter = Filter::builder()
            .name("spot-instance-request-id")
            .set_values(Some(values))
            .build();
        let request = ec2.describe_spot_instance_requests().filters(filter);
        let pages = request.max_results(1000).into_paginator().items().send();
        let all: Result<Vec<SpotInstanceRequest>, _> = pages.collect().await;
        let all = all.map_err(failed("DescribeSpotInstanceRequests"))?;
        found.extend(all.iter().filter_map(convert::request));
    }
    Ok(found)
}

/// Active ones, by the key of a tag, as it is written.
pub async fn tagged_requests(
    ec2: &aws_sdk_ec2::Client,
    key: &'static str,
    at_most: usize,
) -> Result<Vec<SpotRequest>, CloudError> {
    const CALL: &str = "DescribeSpotInstanceRequests";
    let query = Query::TagKey(key);
    let mut found = Found::new(CALL, &query, at_most);
    let active = Filter::builder().name("state").values("active").build();
    for filter in filters(&query, "spot-instance-request-id") {
        let request = ec2
            .describe_spot_instance_requests()
            .filters(filter)
            .filters(active.clone())
            .max_results(1000);
        let mut pages = request.into_paginator().items().send();
        while !found.is_cut_off()?
            && let Some(it) = pages.next().await
        {
            found.add(convert::request(&it.map_err(failed(CALL))?));
        }
    }
    Ok(found.all())
}
