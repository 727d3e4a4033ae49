//! What comes first when AWS grants less than all want: to have one of both, the flags or the snapshots.
//!
//! At EC2's published rates neither the flags nor the snapshot sets of a thousand instances can be had
//! within two minutes, but one of both can.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>

use crate::id::InstanceId;
use crate::plan::{Plan, Wait, snapshot};
use crate::report::{StepOutcome, StepReport};
use crate::step::{Action, Step};

const SOON: u16 = 4;
/// A bucket holds the tokens of ten seconds: nobody needs to ask more often for long.
const SPREAD: u16 = 12;
/// So many looks of a chain are without any patience.
const IMPATIENT: u32 = 2;

/// Flags are set from the front of the line and snapshots made from its end (`calls`): who has neither
/// comes before all that have one.
pub fn place(plan: &Plan) -> u8 {
    match wants(&plan.steps) {
        (false, _) => 0,
        (true, true) => 1,
        (true, false) => 2,
    }
}

/// Five times of six, who has the flags leaves the snapshots to those who have neither: its volumes stay.
/// Not at first: few are short of anything as a rule.
pub fn leave_to_others(looks: Looks, plan: &mut Plan) {
    if looks.first || wants(&plan.steps) != (false, true) || looks.mixed().is_multiple_of(6) {
        return;
    }
    let waited_for = |step: &Step, all: &[Step]| all.iter().any(|it| it.after.contains(&step.id));
    let all = plan.steps.clone();
    plan.steps
        .retain(|it| !takes_set(&it.action) || waited_for(it, &all));
    plan.waits.push(Wait {
        what: "others, who have neither flags nor snapshots".to_owned(),
        seconds: looks.later(),
    });
}

/// In how many seconds it makes sense to try again what was not done. Where many want what AWS grants a
/// few of each second, all are not to ask at the same moment, nor more often than helps: the first two
/// times soon, then spread out. Who has neither flags nor snapshots asks more often than who has one.
pub fn again(looks: Looks, steps: &[Step], reports: &[StepReport]) -> u16 {
    let failed = |it: &&Step| {
        reports
            .iter()
            .any(|report| report.id == it.id && !report.outcome.succeeded())
    };
    let missing: Vec<Step> = steps.iter().filter(failed).cloned().collect();
    let serves = |it: &Step| matches!(it.action, Action::Deregister { .. });
    match wants(&missing) {
        _ if looks.first => SOON,
        (true, true) => SOON - looks.spread() % 2,
        // Traffic still goes to an instance that ends.
        _ if missing.iter().any(serves) => SOON + looks.spread(),
        (false, _) | (_, false) => looks.later(),
    }
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
        let snapshot = Action::SnapshotInstance { instance, tags };
        let all = [
            (flags, Step::new("flags", set)),
            (snapshots, Step::new("snapshots", snapshot)),
        ];
        let steps = all.into_iter().filter(|(wanted, _)| *wanted);
        Plan {
            steps: steps.map(|(_, step)| step).collect(),
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
                leave_to_others(Looks::new(&id(*n), attempt, meanwhile), &mut plan);
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
        let (steps, reports) = ([step], [report]);
        let latest = (0..1000).map(|n| again(Looks::new(&id(n), 39, false), &steps, &reports));
        assert!(latest.max() < Some(SOON + SPREAD));
    }

    /// Nobody is in a hurry then, and few ask.
    #[test]
    fn a_set_ahead_of_any_warning_is_left_to_nobody() {
        let mut plan = Plan::default();
        let tags = Tags::from([(crate::tags::SET.to_owned(), "risk-1".to_owned())]);
        let action = Action::SnapshotInstance {
            instance: id(1),
            tags,
        };
        plan.steps.push(Step::new("ahead", action));
        for n in 0..20 {
            leave_to_others(Looks::new(&id(n), 9, true), &mut plan);
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
            let steps = wanting(flags, snapshots).steps;
            let failed = |it: &Step| StepReport {
                id: it.id.clone(),
                action: it.action.to_string(),
                outcome: StepOutcome::Failed(throttled.clone()),
            };
            let reports: Vec<StepReport> = steps.iter().map(failed).collect();
            assert!(is_felt(&reports));
            let each =
                (0..1000).map(|n| u32::from(again(Looks::new(&id(n), 2, false), &steps, &reports)));
            each.sum::<u32>() / 1000
        };
        let neither = average(true, true);
        assert!(neither < average(true, false));
        assert!(neither < average(false, true));
    }
}
