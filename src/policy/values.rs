//! What each key of the policy may be set to, and where a value comes from.

/// A value that remembers where it comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting<T> {
    pub value: T,
    pub source: Source,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Source {
    BuiltIn,
    StackParameter,
    GroupTag,
    InstanceTag,
}

/// What launches the replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// We do, unless the instance is a member of an Auto Scaling group.
    Auto,
    /// We do; a member's replacement joins its group.
    Launch,
    /// The group does; its new member takes over.
    Group,
    /// No replacement: volumes and targets are protected, and that is all.
    None,
}

/// When `DeleteOnTermination` is switched off.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protect {
    /// At the warning, which may not come.
    AtWarning,
    /// Always, from the preparation of the rescue on.
    Always,
}

/// Whether scheduled backups have the root.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum BackupRoot {
    /// With everything else, while the instance runs.
    Live,
    Skip,
}

/// How data volumes reach the replacement.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Data {
    /// Moved; restored from a snapshot where they cannot be moved.
    Auto,
    /// Only ever moved.
    Move,
    /// Copied at once, while the old instance still has them; moved where that fails.
    Clone,
    /// Only ever restored.
    Restore,
    /// Not at all.
    None,
}

/// Which types the replacement may have besides the instance's own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Types {
    Named(Vec<String>),
    /// As many processors, no less memory.
    Like,
}

/// Whether an On-Demand Instance may stand in when there is no Spot capacity.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OnDemand {
    Fallback,
    Never,
}

/// What is done when an interruption is foreseen: a rebalance recommendation, a date of AWS Health's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rebalance {
    Ignore,
    /// A fresh snapshot set.
    Snapshot,
    /// That, and the replacement is launched ahead, to wait.
    Replace,
}

/// What is done when EC2 does not bring back what it has stopped.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NoReturn {
    /// It is reported.
    Alarm,
    /// That, and a replacement is launched with copies of the volumes.
    Restore,
}

/// What the replacement's root volume holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Root {
    /// What the image brings.
    Fresh,
    /// What the original's root volume held.
    Keep,
}

/// The replacement's primary private address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PrivateIp {
    New,
    /// The original's, by its very interface.
    Keep,
}

/// Which of the original's targets the replacement is registered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Targets {
    /// All but those that an orchestrator registers.
    Auto,
    /// All.
    Rejoin,
    /// None: something else registers it.
    Leave,
}

impl<T> Setting<T> {
    pub(super) const fn built_in(value: T) -> Self {
        Self {
            value,
            source: Source::BuiltIn,
        }
    }
}
