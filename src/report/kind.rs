//! The kinds of outcome, and how severe each is. One table: log level, metric dimension and alarm follow from it.

use serde::{Serialize, Serializer};
use std::fmt;

/// The result of a rescue, or its state when it cannot go on.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// As it was: same disks, targets, addresses and names.
    BackInService,
    /// In service; the outcome names what is still missing.
    Incomplete,
    ReturnedToSpot,
    KeptOnDemand,
    /// EC2 stops it, and brings it back.
    Paused,
    Resumed,
    /// EC2 did not interrupt it after all.
    WarningWithdrawn,
    /// There is to be no replacement; volumes and targets were protected and stay.
    Kept,
    Overdue,
    ReturnedLate,
    /// The instance is gone, and nothing says how it ended.
    Vanished,
    /// Minutes have gone by, and no replacement runs.
    Unreplaced,
    /// A replacement runs, and cannot serve.
    Stuck,
    /// A volume is lost, or cannot be read or attached.
    Failed,
}

/// Log levels, as `CloudWatch` Logs knows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    Info,
    Warn,
    Error,
}

impl Kind {
    pub const ALL: [Self; 14] = [
        Self::BackInService,
        Self::Incomplete,
        Self::ReturnedToSpot,
        Self::KeptOnDemand,
        Self::Paused,
        Self::Resumed,
        Self::WarningWithdrawn,
        Self::Kept,
        Self::Overdue,
        Self::ReturnedLate,
        Self::Vanished,
        Self::Unreplaced,
        Self::Stuck,
        Self::Failed,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::BackInService => "back-in-service",
            Self::Incomplete => "incomplete",
            Self::ReturnedToSpot => "returned-to-spot",
            Self::KeptOnDemand => "kept-on-demand",
            Self::Paused => "paused",
            Self::Resumed => "resumed",
            Self::WarningWithdrawn => "warning-withdrawn",
            Self::Kept => "kept",
            Self::Overdue => "overdue",
            Self::ReturnedLate => "returned-late",
            Self::Vanished => "vanished",
            Self::Unreplaced => "unreplaced",
            Self::Stuck => "stuck",
            Self::Failed => "failed",
        }
    }

    #[must_use]
    pub fn level(self) -> Level {
        match self {
            Self::BackInService
            | Self::ReturnedToSpot
            | Self::Paused
            | Self::Resumed
            | Self::WarningWithdrawn
            | Self::Kept => Level::Info,
            Self::Incomplete | Self::KeptOnDemand | Self::Overdue | Self::ReturnedLate => {
                Level::Warn
            }
            Self::Vanished | Self::Unreplaced | Self::Stuck | Self::Failed => Level::Error,
        }
    }

    /// An operator has to look after it: `template.yaml` has an alarm on it.
    #[must_use]
    pub fn has_alarm(self) -> bool {
        match self {
            Self::Incomplete
            | Self::Overdue
            | Self::ReturnedLate
            | Self::Vanished
            | Self::Unreplaced
            | Self::Stuck
            | Self::Failed => true,
            Self::BackInService
            | Self::ReturnedToSpot
            | Self::KeptOnDemand
            | Self::Paused
            | Self::Resumed
            | Self::WarningWithdrawn
            | Self::Kept => false,
        }
    }

    /// The rescue goes on; the outcome is repeated while it lasts, even if that cannot be written down.
    #[must_use]
    pub fn lasts(self) -> bool {
        matches!(self, Self::Unreplaced | Self::Stuck)
    }
}

impl Level {
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Info => "INFO",
            Self::Warn => "WARN",
            Self::Error => "ERROR",
        }
    }
}

impl fmt::Display for Kind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Kind {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}
