//! The status of each volume on its way to the successor.

use crate::clock::Timestamp;
use crate::id::VolumeId;
use crate::record::RecordedVolume;

/// The status of each recorded data volume, and of the root volume if its content is to be kept.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct HandOver {
    pub volumes: Vec<(RecordedVolume, Fate)>,
    /// False while facts are missing: nothing may be concluded from an empty list.
    pub known: bool,
}

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Fate {
    /// Attached to the successor: the volume itself or a copy.
    Attached { volume: VolumeId, from: Origin },
    /// On its way.
    Coming,
    /// Neither the volume nor a usable snapshot of it is left.
    Lost,
    /// Kept where it is, on purpose.
    Left { why: String },
    /// It exists, and EC2 refuses to attach it.
    Stuck,
}

impl Fate {
    #[must_use]
    pub fn is_settled(&self) -> bool {
        matches!(self, Self::Attached { .. } | Self::Left { .. })
    }

    /// It will not arrive by itself.
    #[must_use]
    pub fn is_hopeless(&self) -> bool {
        matches!(self, Self::Lost | Self::Stuck)
    }
}

/// Where the data of an attached volume comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Origin {
    /// It is the volume itself.
    Moved,
    /// Made from this snapshot.
    Snapshot(String),
    /// Copied while the old instance ran, at this time.
    Clone(Timestamp),
}

impl HandOver {
    /// Every volume is where it should be.
    #[must_use]
    pub fn complete(&self) -> bool {
        self.known && self.volumes.iter().all(|(_, fate)| fate.is_settled())
    }

    /// Every data volume is where it should be. The root volume comes last.
    #[must_use]
    pub fn data_complete(&self) -> bool {
        let mut data = self.volumes.iter().filter(|(recorded, _)| !recorded.root);
        self.known && data.all(|(_, fate)| fate.is_settled())
    }

    /// The root, if its content is to be kept.
    #[must_use]
    pub fn root(&self) -> Option<&(RecordedVolume, Fate)> {
        self.volumes.iter().find(|(recorded, _)| recorded.root)
    }

    #[must_use]
    pub fn count(&self, wanted: impl Fn(&Fate) -> bool) -> usize {
        self.volumes.iter().filter(|(_, fate)| wanted(fate)).count()
    }
}
