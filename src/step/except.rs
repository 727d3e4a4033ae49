//! What a snapshot set leaves out: volumes that an AWS service manages. A set fails as a whole, so one that EC2 may refuse
//! for one volume would cost all of them.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceSpecification.html>

use crate::id::VolumeId;
use crate::situation::Instance;
use std::fmt;

/// "You can specify up to 40 volume IDs per request."
const MOST: usize = 40;

#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Except {
    /// "To exclude the root volume, use `ExcludeBootVolume`."
    pub root: bool,
    /// Data volumes.
    pub volumes: Vec<VolumeId>,
}

impl Except {
    #[must_use]
    pub fn managed(on: &Instance) -> Self {
        Self {
            root: on.operated.root.is_some(),
            volumes: on.operated.data_volumes().take(MOST).collect(),
        }
    }
}

impl fmt::Display for Except {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let root = self.root.then_some("the root");
        let data = self.volumes.iter().map(VolumeId::as_str);
        let all: Vec<&str> = root.into_iter().chain(data).collect();
        if all.is_empty() {
            return Ok(());
        }
        write!(f, " but {}", all.join(" "))
    }
}
