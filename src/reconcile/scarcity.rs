//! What comes first when AWS grants less than all want: to have one of both, the flags or the snapshots.
//!
//! At EC2's published rates neither the flags nor the snapshot sets of a thousand instances can be had
//! within two minutes, but one of both can.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>

use crate::id::InstanceId;
use crate::plan::{Plan, snapshot};
use crate::report::{StepOutcome, StepReport};
use crate::step::{Action, Step};

const SOON: u16 = 4;
/// A bucket holds the tokens of ten seconds: nobody needs to ask more often for long.
const SPREAD: u16 = 12;
/// So many looks of a chain are without any patience.
const IMPATIENT: u32 = 2;
/// For so many AWS has enough of both.
const FEW: usize = 4;

/// Flags are set from the front of the line and snapshots made from its end (`calls`): who has neither
/// comes before all that have one.
pub fn place(plan: &Plan) -> u8 {
    match wants(&plan.steps) {
        (false, _) => 0,
        (true, _) if has_neither(plan) => 1,
        (true, _) => 2,
    }
}

/// Whether it is in a rescue, and nothing keeps its volumes yet.
pub fn has_neither(plan: &Plan) -> bool {
    let unsaved = |it: &Step| matches!(&it.action, Action::SetDeleteOnTermination { instance, .. } if plan.unsaved.contains(instance));
    plan.steps.iter().chain(&plan.left).any(unsaved)
}

/// Who has one of both leaves the other to those who have neither; where those are many, they ask for one at
/// a time, now for this, now for that. `needy` of those looked at together have neither. Who has the flags,
/// whose volumes stay, asks for snapshots one time of six even if none of these does: there may be others.
/// Not at first: few are short of anything as a rule.
pub fn leave_to_others(looks: Looks, needy: usize, plan: &mut Plan) {
    let what = match (wants(&plan.steps), has_neither(plan)) {
        _ if looks.first => return,
        ((true, true), true) if needy > FEW && looks.mixed().is_multiple_of(2) => takes_set,
        ((true, true), true) if needy > FEW => sets_flags,
        ((true, _), false) if needy > 0 => sets_flags,
        ((false, true), _) if needy > 0 || !looks.mixed().is_multiple_of(6) => takes_set,
        _ => return,
    };
    let waited_for = |step: &Step, all: &[Step]| all.iter().any(|it| it.after.contains(&step.id));
    let all = std::mem::take(&mut plan.steps);
    let now = |it: &Step| !what(&it.action) || waited_for(it, &all);
    (plan.steps, plan.left) = all.iter().cloned().partition(now);
    plan.wait(
        looks.later(),
        "others, who have neither flags nor snapshots",
    );
}

/// In how many seconds it makes sense to try again what was not done. Where many want what AWS grants a
/// few of each second, all are not to ask at the same moment, nor more often than helps: the first two
/// times soon, then spread out. Who has neither flags nor snapshots asks more often than who has one.
pub fn again(looks: Looks, plan: &Plan, reports: &[StepReport]) -> u16 {
    let serves = |it: &Step| matches!(it.action, Action::Deregister { .. });
    if looks.first {
        SOON
    } else if still_neither(plan, reports) {
        // Those who were refused together are not to come back together.
        SOON / 2 + looks.spread() % SOON
    } else if missing(plan, reports).iter().any(serves) {
        // Traffic still goes to an instance that ends.
        SOON + looks.spread()
    } else {
        looks.later()
    }
}

/// Whether it had neither before, and was refused what it asked for.
pub fn still_neither(plan: &Plan, reports: &[StepReport]) -> bool {
    has_neither(plan) && wants(&missing(plan, reports)) == wants(&plan.steps)
}

fn missing(plan: &Plan, reports: &[StepReport]) -> Vec<Step> {
    let of = |step: &Step| reports.iter().find(|it| it.id == step.id);
    let failed = |it: &&Step| of(it).is_some_and(|it| !it.outcome.succeeded());
    plan.steps.iter().filter(failed).cloned().collect()
}

/// Which of the looks at a lineage this is.
#[derive(Debug, Clone, Copy)]
pub struct Looks<'a> {
    lineage: &'a InstanceId,
    attempt: u32,
    first: bool,
}

impl<'a> Looks<'a> {
    /// Of a chain of wakes, or at something that happens meanwhile to a lineage whose chain is at work.
    pub fn new(lineage: &'a InstanceId, attempt: u32, meanwhile: bool) -> Self {
        Self {
            lineage,
            attempt,
            first: !meanwhile && attempt < IMPATIENT,
        }
    }

    /// The longer it takes, the more there are who want the same.
    fn later(self) -> u16 {
        let times = 2 + (self.attempt / 10).min(8);
        SOON + self.spread() * u16::try_from(times).unwrap_or(2)
    }

    fn spread(self) -> u16 {
        self.mixed() % SPREAD
    }

    /// The same for the same lineage and attempt, and different enough for others.
    fn mixed(self) -> u16 {
        let bytes = self.lineage.as_str().bytes();
        let sum = bytes.fold(self.attempt, |sum, it| {
            sum.wrapping_mul(31).wrapping_add(u32::from(it))
        });
        // The golden ratio's: neighbours end up far apart.
        u16::try_from(sum.wrapping_mul(0x9E37_79B1) >> 16).unwrap_or(0)
    }
}

/// Flags, and snapshots.
fn wants(steps: &[Step]) -> (bool, bool) {
    let has = |wanted: fn(&Action) -> bool| steps.iter().any(|it| wanted(&it.action));
    (has(sets_flags), has(takes_set))
}

fn sets_flags(action: &Action) -> bool {
    matches!(action, Action::SetDeleteOnTermination { .. })
}

fn takes_set(action: &Action) -> bool {
    matches!(action, Action::SnapshotInstance { tags, .. } if !snapshot::is_ahead(tags))
}

/// AWS had too many: what else there is to do is left to the next look, whose reads are rare as well.
pub fn is_felt(reports: &[StepReport]) -> bool {
    let throttled =
        |it: &StepReport| matches!(&it.outcome, StepOutcome::Failed(error) if error.is_throttled());
    reports.iter().any(throttled)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{Class, CloudError};
    use crate::tags::Tags;
    use std::collections::BTreeMap;

    fn id(n: u32) -> InstanceId {
        format!("i-{n:017x}").parse().expect("an id")
    }

    fn wanting(flags: bool, snapshots: bool) -> Plan {
        let (instance, tags) = (id(1), Tags::new());
        let set = Action::SetDeleteOnTermination {
            instance: instance.clone(),
            devices: BTreeMap::new(),
        };
        let snapshot = Action::SnapshotInstance {
            instance,
            description: String::new(),
            tags,
            copy_tags: true,
        };
        let all = [
            (flags, Step::new("flags", set)),
            (snapshots, Step::new("snapshots", snapshot)),
        ];
        let steps = all.into_iter().filter(|(wanted, _)| *wanted);
        let unsaved = snapshots.then(|| id(1));
        Plan {
            steps: steps.map(|(_, step)| step).collect(),
            unsaved: unsaved.into_iter().collect(),
            ..Plan::default()
        }
    }

    #[test]
    fn who_has_neither_is_the_first_to_get_one() {
        let mut line: Vec<(bool, bool)> = [(true, false), (false, true), (true, true)].into();
        line.sort_by_key(|(flags, snapshots)| place(&wanting(*flags, *snapshots)));
        let first_flag = line.iter().find(|it| it.0);
        let last_snapshot = line.iter().rfind(|it| it.1);
        assert_eq!(first_flag, Some(&(true, true)));
        assert_eq!(last_snapshot, Some(&(true, true)));
    }

    #[test]
    fn who_has_the_flags_leaves_snapshots_to_others() {
        let asking = |flags, snapshots, attempt, meanwhile| {
            let left = (0..600).filter(|n| {
                let mut plan = wanting(flags, snapshots);
                leave_to_others(Looks::new(&id(*n), attempt, meanwhile), 0, &mut plan);
                wants(&plan.steps) == (flags, snapshots)
            });
            left.count()
        };
        assert_eq!(asking(true, true, 9, false), 600);
        assert_eq!(asking(true, false, 9, false), 600);
        assert_eq!(asking(false, true, 1, false), 600);
        // Some ask at every moment: no token is left unused for long.
        assert!((50..200).contains(&asking(false, true, 9, false)));
        // Other events are many in a mass reclaim.
        assert!((50..200).contains(&asking(false, true, 0, true)));
    }

    #[test]
    fn who_has_one_of_both_leaves_the_other_to_one_who_has_neither() {
        let left = |flags, snapshots| {
            let mut plan = wanting(flags, snapshots);
            leave_to_others(Looks::new(&id(1), 9, false), 1, &mut plan);
            wants(&plan.steps) != (flags, snapshots) && plan.waits.len() == 1
        };
        assert!(left(true, false));
        assert!(left(false, true));
        assert!(!left(true, true));
    }

    /// EC2 takes no snapshot of it, or it cannot be told: the flags are all there is.
    #[test]
    fn who_can_have_no_snapshots_leaves_the_flags_to_nobody() {
        let mut plan = wanting(true, false);
        plan.unsaved.insert(id(1));
        assert_eq!(place(&plan), place(&wanting(true, true)));
        leave_to_others(Looks::new(&id(1), 9, false), 9, &mut plan);
        assert_eq!(wants(&plan.steps), (true, false));
    }

    #[test]
    fn those_who_have_neither_ask_for_one_at_a_time_each_in_its_turn() {
        let asked = |lineage, attempt, needy| {
            let mut plan = wanting(true, true);
            leave_to_others(Looks::new(&id(lineage), attempt, false), needy, &mut plan);
            wants(&plan.steps)
        };
        let flags = (0..100).filter(|n| asked(*n, 9, 9) == (true, false));
        assert!((30..70).contains(&flags.count()));
        let looks: Vec<(bool, bool)> = (2..12).map(|attempt| asked(1, attempt, 9)).collect();
        assert!(looks.contains(&(true, false)) && looks.contains(&(false, true)));
        assert!(
            (2..12).all(|attempt| asked(1, attempt, 1) == (true, true)),
            "alone"
        );
    }

    /// `protect=always`: nobody is about to lose anything.
    #[test]
    fn flags_ahead_of_any_warning_are_left_to_a_rescue() {
        let mut plan = wanting(true, false);
        assert!(!has_neither(&plan));
        leave_to_others(Looks::new(&id(1), 9, false), 1, &mut plan);
        assert!(plan.steps.is_empty());
    }

    #[test]
    fn nobody_leaves_the_flags_to_nobody() {
        for n in 0..20 {
            let mut plan = wanting(true, false);
            leave_to_others(Looks::new(&id(n), 9, false), 0, &mut plan);
            assert_eq!(wants(&plan.steps), (true, false));
        }
    }

    #[test]
    fn who_still_gets_traffic_is_not_kept_waiting_for_long() {
        let group = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup/web/1";
        let action = Action::Deregister {
            group: group.parse().expect("a target group"),
            targets: Vec::new(),
        };
        let step = Step::new("deregister", action);
        let report = StepReport {
            id: step.id.clone(),
            action: step.action.to_string(),
            outcome: StepOutcome::OutOfTime,
        };
        let mut plan = Plan::default();
        plan.steps.push(step);
        let reports = [report];
        let latest = (0..1000).map(|n| again(Looks::new(&id(n), 39, false), &plan, &reports));
        assert!(latest.max() < Some(SOON + SPREAD));
    }

    /// Nobody is in a hurry then, and few ask.
    #[test]
    fn a_set_ahead_of_any_warning_is_left_to_nobody() {
        let mut plan = Plan::default();
        let tags = Tags::from([(crate::tags::SET.to_owned(), "risk-1".to_owned())]);
        let action = Action::SnapshotInstance {
            description: String::new(),
            instance: id(1),
            tags,
            copy_tags: true,
        };
        plan.steps.push(Step::new("ahead", action));
        for n in 0..20 {
            leave_to_others(Looks::new(&id(n), 9, true), 0, &mut plan);
        }
        assert_eq!(plan.steps.len(), 1);
    }

    #[test]
    fn who_has_neither_asks_again_sooner() {
        let throttled = CloudError {
            class: Class::Transient,
            ..CloudError::new("ModifyInstanceAttribute", "RequestLimitExceeded", "", None)
        };
        let average = |flags: bool, snapshots: bool| -> u32 {
            let plan = wanting(flags, snapshots);
            let failed = |it: &Step| StepReport {
                id: it.id.clone(),
                action: it.action.to_string(),
                outcome: StepOutcome::Failed(throttled.clone()),
            };
            let reports: Vec<StepReport> = plan.steps.iter().map(failed).collect();
            assert!(is_felt(&reports));
            let again = |n| {
                let lineage = id(n);
                let looks = Looks::new(&lineage, 2, false);
                u32::from(again(looks, &plan, &reports))
            };
            (0..1000).map(again).sum::<u32>() / 1000
        };
        let neither = average(true, true);
        assert!(neither < average(true, false));
        assert!(neither < average(false, true));
    }
}
