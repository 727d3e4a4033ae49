//! What a lineage asks for, and when it asks again, while AWS throttles.
//!
//! At EC2's published rates neither the flags nor the snapshot sets of a thousand instances can be had
//! within two minutes, but one of both can.
//! <https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-throttling.html>

use crate::id::InstanceId;
use crate::plan::{Plan, snapshot};
use crate::report::{StepOutcome, StepReport};
use crate::step::{Action, Step};
use Ask::{Both, InTurns, NoFlags, NoSet, SetNowAndThen};

const SOON: u16 = 4;
/// A bucket holds the tokens of ten seconds: asking more often does not help for long.
const SPREAD: u16 = 12;
/// The first looks of a chain put nothing off.
const IMPATIENT: u32 = 2;
/// For so few lineages AWS has enough of both.
const FEW: usize = 4;

/// What keeps the volumes of a lineage when their instance ends, as far as the plan still has steps for that.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Safety {
    /// No such steps are planned.
    Settled,
    /// The flags are off; a snapshot set is wanted.
    FlagsOff,
    /// Neither flags nor snapshot set yet; both are planned.
    Unprotected,
    /// Neither yet, and no snapshot set can be taken, or one is under way.
    OnlyByFlags,
    /// There is a snapshot set, or no rescue; flags are planned.
    InSet,
}

/// What is asked for now. The rest is left to the next look.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Ask {
    Both,
    NoFlags,
    NoSet,
    /// One of both, alternating.
    InTurns,
    /// A set one time in six: other batches may have lineages with neither.
    SetNowAndThen,
}

/// For each: its priority for flags (sets are taken in reverse order, `calls`), and what it asks for while none, a
/// few, or many of the batch are unprotected.
const TABLE: [(Safety, u8, [Ask; 3]); 5] = [
    (Safety::Settled, 0, [Both, Both, Both]),
    (Safety::FlagsOff, 0, [SetNowAndThen, NoSet, NoSet]),
    (Safety::Unprotected, 1, [Both, Both, InTurns]),
    (Safety::OnlyByFlags, 1, [Both, Both, Both]),
    (Safety::InSet, 2, [Both, NoFlags, NoFlags]),
];

impl Safety {
    fn of(plan: &Plan) -> Self {
        match (wants(&plan.steps), is_unprotected(plan)) {
            ((true, true), true) => Self::Unprotected,
            ((true, false), true) => Self::OnlyByFlags,
            ((true, _), false) => Self::InSet,
            ((false, true), _) => Self::FlagsOff,
            ((false, false), _) => Self::Settled,
        }
    }

    fn row(self) -> (u8, [Ask; 3]) {
        let mut rows = TABLE.into_iter();
        let row = rows.find(|(of, _, _)| *of == self);
        row.map_or((0, [Both; 3]), |(_, place, asks)| (place, asks))
    }
}

/// Its priority.
pub fn priority(plan: &Plan) -> u8 {
    Safety::of(plan).row().0
}

/// Whether it is in a rescue, and has neither flags off nor a snapshot set.
pub fn is_unprotected(plan: &Plan) -> bool {
    let unsaved = |it: &Step| matches!(&it.action, Action::SetDeleteOnTermination { instance, .. } if plan.unsaved.contains(instance));
    plan.steps.iter().chain(&plan.left).any(unsaved)
}

/// Puts off what the table says, while so many of the lineages looked at together are unprotected. The first looks
/// put nothing off: as a rule AWS has enough.
pub fn defer_contended(position: Position, unprotected: usize, plan: &mut Plan) {
    if position.first {
        return;
    }
    let asks = Safety::of(plan).row().1;
    let ask = asks[usize::from(unprotected > 0) + usize::from(unprotected > FEW)];
    if let Some(what) = deferred(ask, position.jitter()) {
        defer(position, what, plan);
    }
}

fn deferred(ask: Ask, jitter: u16) -> Option<fn(&Action) -> bool> {
    match ask {
        Both => None,
        NoFlags => Some(sets_flags),
        NoSet => Some(takes_set),
        InTurns => Some(if jitter.is_multiple_of(2) {
            takes_set
        } else {
            sets_flags
        }),
        SetNowAndThen => (!jitter.is_multiple_of(6)).then_some(takes_set as fn(&Action) -> bool),
    }
}

/// Steps that another step waits for are not put off.
fn defer(position: Position, what: fn(&Action) -> bool, plan: &mut Plan) {
    let waited_for = |step: &Step, all: &[Step]| all.iter().any(|it| it.after.contains(&step.id));
    let all = std::mem::take(&mut plan.steps);
    let now = |it: &Step| !what(&it.action) || waited_for(it, &all);
    (plan.steps, plan.left) = all.iter().cloned().partition(now);
    plan.wait(
        position.later(),
        "instances that have neither flags off nor a snapshot set",
    );
}

/// Seconds until undone steps are tried again. Where many lineages want what AWS grants at a few a second, they must
/// not all ask at the same moment, nor more often than helps: the first two times soon, then spread out. Unprotected
/// lineages ask more often than those with one of both.
pub fn retry_after(position: Position, plan: &Plan, reports: &[StepReport]) -> u16 {
    let serves = |it: &Step| matches!(it.action, Action::Deregister { .. });
    if position.first {
        SOON
    } else if still_unprotected(plan, reports) {
        // Lineages that were refused together must not come back together.
        SOON / 2 + position.spread() % SOON
    } else if missing(plan, reports).iter().any(serves) {
        // Traffic still goes to an instance that ends.
        SOON + position.spread()
    } else {
        position.later()
    }
}

/// Whether it had neither before, and was refused what it asked for.
pub fn still_unprotected(plan: &Plan, reports: &[StepReport]) -> bool {
    is_unprotected(plan) && wants(&missing(plan, reports)) == wants(&plan.steps)
}

fn missing(plan: &Plan, reports: &[StepReport]) -> Vec<Step> {
    let of = |step: &Step| reports.iter().find(|it| it.id == step.id);
    let failed = |it: &&Step| of(it).is_some_and(|it| !it.outcome.succeeded());
    plan.steps.iter().filter(failed).cloned().collect()
}

/// Which look of which lineage this is.
#[derive(Debug, Clone, Copy)]
pub struct Position<'a> {
    lineage: &'a InstanceId,
    attempt: u32,
    first: bool,
}

impl<'a> Position<'a> {
    /// `beside`: the look was called by an event, while a chain of wakes works on the same lineage.
    pub fn new(lineage: &'a InstanceId, attempt: u32, beside: bool) -> Self {
        Self {
            lineage,
            attempt,
            first: !beside && attempt < IMPATIENT,
        }
    }

    /// The longer the shortage lasts, the more lineages want the same.
    fn later(self) -> u16 {
        let times = 2 + (self.attempt / 10).min(8);
        SOON + self.spread() * u16::try_from(times).unwrap_or(2)
    }

    fn spread(self) -> u16 {
        self.jitter() % SPREAD
    }

    /// The same for the same lineage and attempt, and spread out over others.
    fn jitter(self) -> u16 {
        let bytes = self.lineage.as_str().bytes();
        let sum = bytes.fold(self.attempt, |sum, it| {
            sum.wrapping_mul(31).wrapping_add(u32::from(it))
        });
        // By the golden ratio: neighbours end up far apart.
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

/// AWS has throttled a call: the remaining steps are left to the next look, as its reads are scarce as well.
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

    /// What later looks ask for, at an even and at an odd attempt, by how many are unprotected.
    #[test]
    fn every_row_of_the_table_is_followed() {
        let of = |flags: bool, set: bool, neither: bool, unprotected: usize| {
            let mut plan = wanting(flags, set);
            plan.unsaved = neither.then(|| id(1)).into_iter().collect();
            let mut asked: Vec<(bool, bool)> = Vec::new();
            for attempt in 2..40 {
                let mut plan = plan.clone();
                defer_contended(
                    Position::new(&id(1), attempt, false),
                    unprotected,
                    &mut plan,
                );
                asked.push(wants(&plan.steps));
            }
            asked.sort_unstable();
            asked.dedup();
            asked
        };
        let (none, flags, set, both) = ((false, false), (true, false), (false, true), (true, true));
        let table = [
            (true, true, true, [vec![both], vec![both], vec![set, flags]]),
            (true, false, true, [vec![flags], vec![flags], vec![flags]]),
            (true, true, false, [vec![both], vec![set], vec![set]]),
            (
                false,
                true,
                false,
                [vec![none, set], vec![none], vec![none]],
            ),
            (false, false, false, [vec![none], vec![none], vec![none]]),
        ];
        for (wants_flags, wants_set, neither, expected) in table {
            for (unprotected, asked) in [0, FEW, FEW + 1].into_iter().zip(expected) {
                let row = format!("{wants_flags} {wants_set} {neither} {unprotected}");
                assert_eq!(
                    of(wants_flags, wants_set, neither, unprotected),
                    asked,
                    "{row}"
                );
            }
        }
    }

    #[test]
    fn an_unprotected_lineage_is_the_first_to_be_protected() {
        let mut line: Vec<(bool, bool)> = [(true, false), (false, true), (true, true)].into();
        line.sort_by_key(|(flags, snapshots)| priority(&wanting(*flags, *snapshots)));
        let first_flag = line.iter().find(|it| it.0);
        let last_snapshot = line.iter().rfind(|it| it.1);
        assert_eq!(first_flag, Some(&(true, true)));
        assert_eq!(last_snapshot, Some(&(true, true)));
    }

    #[test]
    fn a_lineage_with_its_flags_off_leaves_snapshots_to_others() {
        let asking = |flags, snapshots, attempt, meanwhile| {
            let left = (0..600).filter(|n| {
                let mut plan = wanting(flags, snapshots);
                defer_contended(Position::new(&id(*n), attempt, meanwhile), 0, &mut plan);
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
    fn a_lineage_with_flags_off_or_a_set_leaves_the_other_to_unprotected_ones() {
        let left = |flags, snapshots| {
            let mut plan = wanting(flags, snapshots);
            defer_contended(Position::new(&id(1), 9, false), 1, &mut plan);
            wants(&plan.steps) != (flags, snapshots) && plan.waits.len() == 1
        };
        assert!(left(true, false));
        assert!(left(false, true));
        assert!(!left(true, true));
    }

    /// EC2 takes no snapshot of it, or that is not known: only the flags can be had.
    #[test]
    fn without_a_possible_snapshot_it_always_asks_for_the_flags() {
        let mut plan = wanting(true, false);
        plan.unsaved.insert(id(1));
        assert_eq!(priority(&plan), priority(&wanting(true, true)));
        defer_contended(Position::new(&id(1), 9, false), 9, &mut plan);
        assert_eq!(wants(&plan.steps), (true, false));
    }

    #[test]
    fn many_unprotected_lineages_ask_for_one_of_both_by_turns() {
        let asked = |lineage, attempt, needy| {
            let mut plan = wanting(true, true);
            defer_contended(
                Position::new(&id(lineage), attempt, false),
                needy,
                &mut plan,
            );
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

    /// `protect=always`: nothing is about to be lost.
    #[test]
    fn flags_ahead_of_any_warning_are_left_to_a_rescue() {
        let mut plan = wanting(true, false);
        assert!(!is_unprotected(&plan));
        defer_contended(Position::new(&id(1), 9, false), 1, &mut plan);
        assert!(plan.steps.is_empty());
    }

    #[test]
    fn flags_are_asked_for_while_none_is_unprotected() {
        for n in 0..20 {
            let mut plan = wanting(true, false);
            defer_contended(Position::new(&id(n), 9, false), 0, &mut plan);
            assert_eq!(wants(&plan.steps), (true, false));
        }
    }

    #[test]
    fn an_instance_with_traffic_is_not_kept_waiting_for_long() {
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
        let latest =
            (0..1000).map(|n| retry_after(Position::new(&id(n), 39, false), &plan, &reports));
        assert!(latest.max() < Some(SOON + SPREAD));
    }

    /// There is no hurry then, and few ask.
    #[test]
    fn a_set_ahead_of_any_warning_is_asked_for_at_once() {
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
            defer_contended(Position::new(&id(n), 9, true), 0, &mut plan);
        }
        assert_eq!(plan.steps.len(), 1);
    }

    #[test]
    fn an_unprotected_lineage_asks_again_sooner() {
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
                let looks = Position::new(&lineage, 2, false);
                u32::from(retry_after(looks, &plan, &reports))
            };
            (0..1000).map(again).sum::<u32>() / 1000
        };
        let neither = average(true, true);
        assert!(neither < average(true, false));
        assert!(neither < average(false, true));
    }
}
