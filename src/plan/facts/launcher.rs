//! What launches the replacement: the function, the Auto Scaling group, the fleet, the orchestrator, or nothing.
//!
//! A second replacement must be avoided, so whatever replaces instances by itself comes before the function: the Auto
//! Scaling group first, since it launches by fleets of its own; then the fleet; then the orchestrator.

pub mod fleet;
pub mod group;
pub mod orchestrator;

use crate::plan::lineage::Lineage;
use crate::policy::Replace;
use crate::tags;

#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launcher {
    /// The function launches, outside any Auto Scaling group.
    Function,
    /// The Auto Scaling group launches, and its new member takes over.
    Group,
    /// The function launches, and the replacement joins the Auto Scaling group.
    Join,
    /// The fleet launches, and its new member takes nothing over. The text says which fleet, and what to do.
    Fleet(String),
    /// The orchestrator launches. The text says which one, and what to do.
    Orchestrator(String),
    /// Nothing is launched, and why.
    Nothing(String),
    /// It cannot be decided yet, and what has to be read first.
    Unknown(String),
}

impl Launcher {
    /// Why the function does not launch, if something else does or nothing may.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Group => Some("the Auto Scaling group replaces it".to_owned()),
            Self::Fleet(why) | Self::Orchestrator(why) | Self::Nothing(why) => Some(why.clone()),
            Self::Function | Self::Join | Self::Unknown(_) => None,
        }
    }

    /// Whether a replacement gets the volumes, addresses and targets of the instance.
    #[must_use]
    pub fn hands_over(&self) -> bool {
        match self {
            Self::Function | Self::Group | Self::Join | Self::Unknown(_) => true,
            Self::Fleet(_) | Self::Orchestrator(_) | Self::Nothing(_) => false,
        }
    }
}

#[must_use]
pub fn launcher(lineage: &Lineage) -> Launcher {
    decide(
        lineage.policy.replace.value,
        group::launcher(lineage),
        fleet::launcher(lineage),
        orchestrator::launcher(lineage),
    )
}

/// Decides for every combination. `None` means that the instance is not a member.
fn decide(
    replace: Replace,
    group: Option<Launcher>,
    fleet: Option<Launcher>,
    orchestrator: Option<Launcher>,
) -> Launcher {
    if replace == Replace::None {
        return Launcher::Nothing(format!("tag {}replace is none", tags::PREFIX));
    }
    // The user may say that the orchestrator launches nothing. A fleet launches whatever the user says.
    let orchestrator = orchestrator.filter(|_| replace != Replace::Launch);
    let replaces = group.or(fleet).or(orchestrator);
    replaces.unwrap_or(Launcher::Function)
}

/// Why the function does not launch, or what has to be read first.
pub fn why_not_ours(lineage: &Lineage) -> Option<String> {
    let launcher = launcher(lineage);
    if let Launcher::Unknown(what) = &launcher {
        return Some(format!("waiting for {what}"));
    }
    launcher.refusal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(launcher: &Launcher) -> &'static str {
        match launcher {
            Launcher::Function => "we",
            Launcher::Group => "group",
            Launcher::Join => "join",
            Launcher::Fleet(_) => "fleet",
            Launcher::Orchestrator(_) => "orchestrator",
            Launcher::Nothing(_) => "nothing",
            Launcher::Unknown(_) => "unknown",
        }
    }

    /// Every policy against everything that may replace it.
    #[test]
    fn whatever_replaces_by_itself_comes_before_us() {
        let group = Some(Launcher::Group);
        let join = Some(Launcher::Join);
        let fleet = Some(Launcher::Fleet(String::new()));
        let unread = Some(Launcher::Unknown(String::new()));
        let pods = Some(Launcher::Orchestrator(String::new()));
        // group, fleet, orchestrator -> auto, launch, group
        for (of_group, of_fleet, of_pods, expected) in [
            (&None, &None, &None, ["we", "we", "we"]),
            (&group, &None, &None, ["group", "group", "group"]),
            (&join, &fleet, &pods, ["join", "join", "join"]),
            (&group, &fleet, &pods, ["group", "group", "group"]),
            (&group, &unread, &None, ["group", "group", "group"]),
            (&None, &fleet, &None, ["fleet", "fleet", "fleet"]),
            (&None, &fleet, &pods, ["fleet", "fleet", "fleet"]),
            (&None, &unread, &None, ["unknown", "unknown", "unknown"]),
            (&None, &unread, &pods, ["unknown", "unknown", "unknown"]),
            (&None, &None, &pods, ["orchestrator", "we", "orchestrator"]),
        ] {
            let decided = |replace| {
                let launcher = decide(replace, of_group.clone(), of_fleet.clone(), of_pods.clone());
                name(&launcher)
            };
            let found = [Replace::Auto, Replace::Launch, Replace::Group].map(decided);
            assert_eq!(found, expected, "{of_group:?} {of_fleet:?} {of_pods:?}");
            assert_eq!(decided(Replace::None), "nothing");
        }
    }

    #[test]
    fn only_what_we_launch_is_not_refused() {
        for (launcher, refused) in [
            (Launcher::Function, false),
            (Launcher::Join, false),
            (Launcher::Unknown(String::new()), false),
            (Launcher::Group, true),
            (Launcher::Fleet(String::new()), true),
            (Launcher::Orchestrator(String::new()), true),
            (Launcher::Nothing(String::new()), true),
        ] {
            assert_eq!(launcher.refusal().is_some(), refused, "{launcher:?}");
        }
    }
}
