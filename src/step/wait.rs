//! What a plan waits for.

use crate::id::VolumeId;

/// Something only time will bring.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wait {
    pub what: String,
    /// When it makes sense to look again, in seconds.
    pub seconds: u16,
    /// It ends by this, and by nothing else.
    pub until: Option<Until>,
}

/// What EC2 is to show.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Until {
    /// A replacement has booted.
    Runs,
    /// An instance that ends has let go of it.
    Free(VolumeId),
}
