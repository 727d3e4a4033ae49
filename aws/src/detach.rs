//! The one call that a person makes and the function never does.

use super::{Aws, error::failed};
use async_trait::async_trait;
use spot_rescue::cloud::CloudError;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::restore::Hands;

#[async_trait]
impl Hands for Aws {
    /// Without `Force`: a file system that is still mounted would lose what it has not written.
    async fn detach(&self, volume: &VolumeId, from: &InstanceId) -> Result<String, CloudError> {
        let request = self.ec2.detach_volume().volume_id(volume.as_str());
        let request = request.instance_id(from.as_str());
        request.send().await.map_err(failed("DetachVolume"))?;
        Ok(String::new())
    }
}
