//! Tags, as EC2 has them and as we do.

use aws_sdk_ec2::types::{ResourceType, Tag, TagSpecification};
use spot_rescue::tags::Tags;

pub fn tags(tags: &[Tag]) -> Tags {
    let pair = |it: &Tag| Some((it.key()?.to_owned(), it.value().unwrap_or("").to_owned()));
    tags.iter().filter_map(pair).collect()
}

pub fn ec2_tags(tags: &Tags) -> Vec<Tag> {
    tags.iter()
        .map(|(key, value)| Tag::builder().key(key).value(value).build())
        .collect()
}

pub fn tagged(resource: ResourceType, tags: &Tags) -> TagSpecification {
    TagSpecification::builder()
        .resource_type(resource)
        .set_tags(Some(ec2_tags(tags)))
        .build()
}
