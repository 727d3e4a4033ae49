//! The Recycle Bin, as far as it has volumes.
//! <https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin-working-with-volumes.html>

use super::error::failed;
use spot_rescue::cloud::{CloudError, MOST_PAGES, TOO_MANY};
use spot_rescue::id::VolumeId;
use std::collections::BTreeSet;

const CALL: &str = "ListVolumesInRecycleBin";

/// All of them: the call has no filter.
pub async fn volumes(ec2: &aws_sdk_ec2::Client) -> Result<BTreeSet<VolumeId>, CloudError> {
    let mut found = BTreeSet::new();
    let mut next = None;
    for _ in 0..MOST_PAGES {
        let request = ec2.list_volumes_in_recycle_bin().max_results(500);
        let answer = request.set_next_token(next).send().await;
        let page = answer.map_err(failed(CALL))?;
        let ids = page.volumes().iter().filter_map(|it| it.volume_id());
        found.extend(ids.filter_map(|it| it.parse::<VolumeId>().ok()));
        next = page.next_token.filter(|it| !it.is_empty());
        if next.is_none() {
            return Ok(found);
        }
    }
    let why = "the Recycle Bin has too many volumes to look through";
    Err(CloudError::new(CALL, TOO_MANY, why, None))
}

/// With its id, its data and its tags.
pub async fn restore(ec2: &aws_sdk_ec2::Client, volume: &VolumeId) -> Result<String, CloudError> {
    let request = ec2.restore_volume_from_recycle_bin();
    let request = request.volume_id(volume.as_str());
    let answer = request.send().await;
    answer.map_err(failed("RestoreVolumeFromRecycleBin"))?;
    Ok(String::new())
}
