//! Volumes by what is known of them: their ids.
//!
//! "Where possible, specify a list of resource IDs in your describe calls. This is the fastest way to describe a large
//! number of resources." A filter, the attachment's as well, is applied to page after page of all there are (TRAP 47).
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-pagination.html>

use crate::cloud::Query;
use crate::id::VolumeId;
use crate::situation::Instance;
use std::collections::BTreeSet;

/// The volumes that these instances show. A volume still held by an instance that shows no devices any more is found
/// by its mark, or by the record.
pub fn attached(instances: &[Instance]) -> Query {
    let devices = instances.iter().flat_map(|it| &it.devices);
    let ids: BTreeSet<VolumeId> = devices.map(|it| it.volume.clone()).collect();
    Query::Volumes(ids.into_iter().collect())
}
