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
pub enum Way {
    /// The function launches, outside any Auto Scaling group.
    Own,
    /// The Auto Scaling group launches, and its new member takes over.
    Group,
    /// The function launches, and the replacement joins the Auto Scaling group.
    Join,
    /// The fleet launches, and its new member takes nothing over. The text says which fleet, and what to do.
    Fleet(String),
    /// The orchestrator launches. The text says which one, and what to do.
    Orchestrator(String),
    /// Nothing is launched, and why.
    Refused(String),
    /// It cannot be decided yet, and what has to be read first.
    Unknown(String),
}

impl Way {
    /// Why the function does not launch, if something else does or nothing may.
    #[must_use]
    pub fn refusal(&self) -> Option<String> {
        match self {
            Self::Group => Some("the Auto Scaling group replaces it".to_owned()),
            Self::Fleet(why) | Self::Orchestrator(why) | Self::Refused(why) => Some(why.clone()),
            Self::Own | Self::Join | Self::Unknown(_) => None,
        }
    }

    /// Whether a replacement gets the volumes, addresses and targets of the instance.
    #[must_use]
    pub fn hands_over(&self) -> bool {
        match self {
            Self::Own | Self::Group | Self::Join | Self::Unknown(_) => true,
            Self::Fleet(_) | Self::Orchestrator(_) | Self::Refused(_) => false,
        }
    }
}

#[must_use]
pub fn way(lineage: &Lineage) -> Way {
    decide(
        lineage.policy.replace.value,
        group::way(lineage),
        fleet::way(lineage),
        orchestrator::way(lineage),
    )
}

/// Decides for every combination. `None` means that the instance is not a member.
fn decide(
    replace: Replace,
    group: Option<Way>,
    fleet: Option<Way>,
    orchestrator: Option<Way>,
) -> Way {
    if replace == Replace::None {
        return Way::Refused(format!("tag {}replace is none", tags::PREFIX));
    }
    // The user may say that the orchestrator launches nothing. A fleet launches whatever the user says.
    let orchestrator = orchestrator.filter(|_| replace != Replace::Launch);
    group.or(fleet).or(orchestrator).unwrap_or(Way::Own)
}

/// Why the function does not launch, or what has to be read first.
pub fn why_not_ours(lineage: &Lineage) -> Option<String> {
    let way = way(lineage);
    if let Way::Unknown(what) = &way {
        return Some(format!("waiting for {what}"));
    }
    way.refusal()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name(way: &Way) -> &'static str {
        match way {
            Way::Own => "we",
            Way::Group => "group",
            Way::Join => "join",
            Way::Fleet(_) => "fleet",
            Way::Orchestrator(_) => "orchestrator",
            Way::Refused(_) => "nothing",
            Way::Unknown(_) => "unknown",
        }
    }

    /// Every policy against everything that may replace it.
    #[test]
    fn whatever_replaces_by_itself_comes_before_us() {
        let group = Some(Way::Group);
        let join = Some(Way::Join);
        let fleet = Some(Way::Fleet(String::new()));
        let unread = Some(Way::Unknown(String::new()));
        let pods = Some(Way::Orchestrator(String::new()));
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
                let way = decide(replace, of_group.clone(), of_fleet.clone(), of_pods.clone());
                name(&way)
            };
            let found = [Replace::Auto, Replace::Launch, Replace::Group].map(decided);
            assert_eq!(found, expected, "{of_group:?} {of_fleet:?} {of_pods:?}");
            assert_eq!(decided(Replace::None), "nothing");
        }
    }

    #[test]
    fn only_what_we_launch_is_not_refused() {
        for (way, refused) in [
            (Way::Own, false),
            (Way::Join, false),
            (Way::Unknown(String::new()), false),
            (Way::Group, true),
            (Way::Fleet(String::new()), true),
            (Way::Orchestrator(String::new()), true),
            (Way::Refused(String::new()), true),
        ] {
            assert_eq!(way.refusal().is_some(), refused, "{way:?}");
        }
    }
}
