//! How far a rescue has come.

use std::collections::BTreeMap;

/// The milestones of a rescue, as the outcome report shows them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Milestone {
    Deregistered,
    SnapshotStarted,
    ReplacementRunning,
    DataAttached,
    RootReplaced,
    BackInService,
    /// Seen stopping or stopped: tells a return from the time before the stop.
    Stopped,
    /// Back from a stop, and not all targets were there at once.
    Returned,
    /// Reported as failed; said once.
    Failed,
    /// Reported as kept: there was to be no replacement.
    Kept,
    /// Reported as overdue: EC2 has not brought it back in time.
    Overdue,
    /// Reported as unreplaced, the last time.
    Unreplaced,
    /// Reported as stuck, the last time.
    Stuck,
}

impl Milestone {
    pub const ALL: [Self; 13] = [
        Self::Deregistered,
        Self::SnapshotStarted,
        Self::ReplacementRunning,
        Self::DataAttached,
        Self::RootReplaced,
        Self::BackInService,
        Self::Stopped,
        Self::Returned,
        Self::Failed,
        Self::Kept,
        Self::Overdue,
        Self::Unreplaced,
        Self::Stuck,
    ];

    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Deregistered => "deregistered",
            Self::SnapshotStarted => "snapshot-started",
            Self::ReplacementRunning => "replacement-running",
            Self::DataAttached => "data-attached",
            Self::RootReplaced => "root-replaced",
            Self::BackInService => "back-in-service",
            Self::Stopped => "stopped",
            Self::Returned => "returned",
            Self::Failed => "failed",
            Self::Kept => "kept",
            Self::Overdue => "overdue",
            Self::Unreplaced => "unreplaced",
            Self::Stuck => "stuck",
        }
    }
}

#[must_use]
pub fn progress_text(progress: &BTreeMap<Milestone, f64>) -> String {
    let words = progress
        .iter()
        .map(|(milestone, s)| format!("{}={s}", milestone.as_str()));
    words.collect::<Vec<_>>().join(" ")
}

pub(super) fn progress_from(text: &str) -> BTreeMap<Milestone, f64> {
    let entry = |word: &str| {
        let (name, seconds) = word.split_once('=')?;
        let milestone = Milestone::ALL.into_iter().find(|it| it.as_str() == name)?;
        let seconds: f64 = seconds.parse().ok()?;
        seconds.is_finite().then_some((milestone, seconds))
    };
    text.split(' ').filter_map(entry).collect()
}
