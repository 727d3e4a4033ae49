//! Which reads an action makes out of date.

use super::Action;

/// The kind of resource that a read returns.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    Addresses,
    Groups,
    Images,
    Instances,
    Interfaces,
    Requests,
    RootTasks,
    Snapshots,
    Targets,
    Templates,
    Volumes,
}

impl Kind {
    const ALL: [Self; 11] = [
        Self::Addresses,
        Self::Groups,
        Self::Images,
        Self::Instances,
        Self::Interfaces,
        Self::Requests,
        Self::RootTasks,
        Self::Snapshots,
        Self::Targets,
        Self::Templates,
        Self::Volumes,
    ];
    /// An instance comes and goes together with what is attached to it.
    const MACHINES: [Self; 5] = [
        Self::Instances,
        Self::Volumes,
        Self::Interfaces,
        Self::Addresses,
        Self::Requests,
    ];
    /// Both show attachments.
    const ATTACHED: [Self; 2] = [Self::Instances, Self::Volumes];

    /// By the prefix of an id.
    fn of(resource: &str) -> Option<Self> {
        let (prefix, _) = resource.split_once('-')?;
        Some(match prefix {
            "ami" => Self::Images,
            "eipalloc" => Self::Addresses,
            "eni" => Self::Interfaces,
            "i" => Self::Instances,
            "lt" => Self::Templates,
            "replacevol" => Self::RootTasks,
            "sir" => Self::Requests,
            "snap" => Self::Snapshots,
            "vol" => Self::Volumes,
            _ => return None,
        })
    }
}

impl Action {
    /// Kinds that may be different afterwards, whatever the answer was.
    #[must_use]
    pub fn touches(&self) -> Vec<Kind> {
        match self {
            Self::Tag { resources, .. } | Self::Untag { resources, .. } => tagged(resources),
            Self::Deregister { .. } | Self::Register { .. } => vec![Kind::Targets],
            Self::SetDeleteOnTermination { .. } | Self::Attach { .. } => Kind::ATTACHED.to_vec(),
            Self::Launch(_) | Self::Terminate { .. } => Kind::MACHINES.to_vec(),
            Self::CancelRequest { .. } => vec![Kind::Requests],
            Self::Network(_) => vec![Kind::Instances, Kind::Interfaces, Kind::Addresses],
            Self::ReplaceRoot(_) => [&Kind::ATTACHED[..], &[Kind::RootTasks]].concat(),
            Self::SnapshotInstance { .. }
            | Self::SnapshotVolume { .. }
            | Self::DeleteSnapshot { .. } => vec![Kind::Snapshots],
            Self::WriteTemplate(_) | Self::DeleteTemplate { .. } | Self::TrimTemplate { .. } => {
                vec![Kind::Templates]
            }
            Self::CreateVolume(_)
            | Self::CopyVolume(_)
            | Self::RestoreFromBin { .. }
            | Self::DeleteVolume { .. } => vec![Kind::Volumes],
            Self::RegisterImage(_) | Self::DeregisterImage { .. } => vec![Kind::Images],
            Self::Group(_) => vec![Kind::Groups, Kind::Targets],
            Self::PointName(_) | Self::Rehearse(_) | Self::Wake { .. } | Self::Wakes(_) => {
                Vec::new()
            }
        }
    }
}

/// All kinds, where an id does not show its own.
fn tagged(resources: &[String]) -> Vec<Kind> {
    let kinds: Option<Vec<Kind>> = resources.iter().map(|it| Kind::of(it)).collect();
    kinds.unwrap_or_else(|| Kind::ALL.to_vec())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::Tags;

    #[test]
    fn a_tag_touches_what_bears_it() {
        let touched = |id: &str| {
            let resources = vec!["vol-0".to_owned(), id.to_owned()];
            let tags = Tags::new();
            Action::Tag { resources, tags }.touches()
        };
        let table = [
            ("ami-0", Kind::Images),
            ("eipalloc-0", Kind::Addresses),
            ("eni-0", Kind::Interfaces),
            ("i-0", Kind::Instances),
            ("lt-0", Kind::Templates),
            ("replacevol-0", Kind::RootTasks),
            ("sir-0", Kind::Requests),
            ("snap-0", Kind::Snapshots),
            ("vol-1", Kind::Volumes),
        ];
        for (id, kind) in table {
            assert_eq!(touched(id), [Kind::Volumes, kind], "{id}");
        }
        assert_eq!(touched("new-0"), Kind::ALL);
        assert_eq!(touched("nothing"), Kind::ALL);
    }
}
