//! Properties of the plan of every situation, whatever is missing, doubled or out of order in it.
#![allow(
    clippy::unwrap_used,
    clippy::needless_for_each,
    clippy::trivially_copy_pass_by_ref,
    reason = "tests: what is picked may not be there"
)]

mod support;

use proptest::prelude::*;
use proptest::sample::Index;
use spot_rescue::clock::{self, Timestamp};
use spot_rescue::event::{InstanceAction, InstanceState, Interruption};
use spot_rescue::plan::{Plan, REMEMBER, first_aid, plan};
use spot_rescue::situation::{Fact, Situation, SnapshotState, VolumeState};
use spot_rescue::step::Action;
use spot_rescue::tags;
use std::collections::{BTreeMap, BTreeSet};
use support::apply::{apply, end_owner, settle};
use support::scenes::{SCENES, scene};
use support::{LINEAGE, OTHER_ZONE};

/// One way in which the world differs from the textbook.
#[derive(Debug, Clone)]
enum Disturbance {
    State(Index, Index),
    ForgetInstance(Index),
    VolumeElsewhere(Index),
    VolumeState(Index, Index),
    ForgetVolume(Index),
    DetachVolume(Index),
    SnapshotState(Index, Index),
    ForgetSnapshots,
    ForgetTemplate,
    Unreadable(Index),
    Deregistered(Index),
    Policy(Index),
    Later(u16),
    Pass(u8),
}

const POLICIES: [(&str, &str); 11] = [
    ("spot-rescue:data", "clone"),
    ("spot-rescue:data", "move"),
    ("spot-rescue:data", "restore"),
    ("spot-rescue:data", "none"),
    ("spot-rescue:root", "keep"),
    ("spot-rescue:data", "nonsense"),
    ("spot-rescue:replace", "none"),
    ("spot-rescue:replace", "launch"),
    ("spot-rescue:on-demand", "never"),
    ("spot-rescue:subnets", "subnet-0fffffffffffffff0"),
    ("spot-rescue", "off"),
];

fn disturbance() -> impl Strategy<Value = Disturbance> {
    let index = any::<Index>;
    prop_oneof![
        (index(), index()).prop_map(|(which, state)| Disturbance::State(which, state)),
        index().prop_map(Disturbance::ForgetInstance),
        index().prop_map(Disturbance::VolumeElsewhere),
        (index(), index()).prop_map(|(which, state)| Disturbance::VolumeState(which, state)),
        index().prop_map(Disturbance::ForgetVolume),
        index().prop_map(Disturbance::DetachVolume),
        (index(), index()).prop_map(|(which, state)| Disturbance::SnapshotState(which, state)),
        Just(Disturbance::ForgetSnapshots),
        Just(Disturbance::ForgetTemplate),
        index().prop_map(Disturbance::Unreadable),
        index().prop_map(Disturbance::Deregistered),
        index().prop_map(Disturbance::Policy),
        any::<u16>().prop_map(Disturbance::Later),
        (0u8..7).prop_map(Disturbance::Pass),
    ]
}

fn pick<'a, T>(index: &Index, from: &'a mut [T]) -> Option<&'a mut T> {
    (!from.is_empty()).then(|| index.get_mut(from))
}

fn known<T>(fact: &mut Fact<Vec<T>>) -> &mut [T] {
    match fact {
        Fact::Known(all) => all,
        Fact::Unavailable { .. } | Fact::NotRead => &mut [],
    }
}

fn forget<T>(index: &Index, fact: &mut Fact<Vec<T>>) {
    if let Fact::Known(all) = fact
        && !all.is_empty()
    {
        all.remove(index.index(all.len()));
    }
}

fn disturb(situation: &mut Situation, disturbance: &Disturbance) {
    match disturbance {
        Disturbance::State(which, state) => {
            let state = *state.get(&InstanceState::ALL);
            pick(which, &mut situation.facts.instances)
                .into_iter()
                .for_each(|it| it.state = state);
        }
        Disturbance::ForgetInstance(which) => {
            if !situation.facts.instances.is_empty() {
                situation
                    .facts
                    .instances
                    .remove(which.index(situation.facts.instances.len()));
            }
        }
        Disturbance::VolumeElsewhere(which) => {
            let volume = pick(which, known(&mut situation.facts.volumes));
            volume
                .into_iter()
                .for_each(|it| OTHER_ZONE.clone_into(&mut it.availability_zone));
        }
        Disturbance::VolumeState(which, state) => {
            let states = [
                VolumeState::Creating,
                VolumeState::Available,
                VolumeState::Error,
                VolumeState::Deleting,
            ];
            pick(which, known(&mut situation.facts.volumes))
                .into_iter()
                .for_each(|it| it.state = *state.get(&states));
        }
        Disturbance::ForgetVolume(which) => {
            forget(which, &mut situation.facts.volumes);
            let left: Vec<_> = known(&mut situation.facts.volumes)
                .iter()
                .map(|it| it.id.clone())
                .collect();
            for instance in &mut situation.facts.instances {
                instance.devices.retain(|it| left.contains(&it.volume));
            }
        }
        Disturbance::DetachVolume(which) => pick(which, known(&mut situation.facts.volumes))
            .into_iter()
            .for_each(|it| {
                it.attachments.clear();
                it.state = VolumeState::Available;
            }),
        Disturbance::SnapshotState(which, state) => {
            let states = [
                SnapshotState::Pending,
                SnapshotState::Completed,
                SnapshotState::Unusable,
            ];
            pick(which, known(&mut situation.facts.snapshots))
                .into_iter()
                .for_each(|it| it.state = *state.get(&states));
        }
        Disturbance::ForgetSnapshots => situation.facts.snapshots = Fact::Known(Vec::new()),
        Disturbance::ForgetTemplate => situation.facts.template = Fact::Known(None),
        Disturbance::Unreadable(which) => unreadable(which, situation),
        Disturbance::Deregistered(which) => {
            if let Fact::Known(found) = &mut situation.facts.registrations {
                pick(which, found.list_mut())
                    .into_iter()
                    .for_each(|it| it.draining = true);
            }
        }
        Disturbance::Policy(which) => {
            let (key, value) = which.get(&POLICIES);
            let all = situation.facts.instances.iter_mut().map(|it| &mut it.tags);
            all.for_each(|tags| {
                tags.insert((*key).to_owned(), (*value).to_owned());
            });
        }
        Disturbance::Later(seconds) => {
            situation.now += time::Duration::seconds(i64::from(*seconds));
        }
        Disturbance::Pass(pass) => situation.inputs.pass = u32::from(*pass),
    }
}

fn unreadable(which: &Index, situation: &mut Situation) {
    let operation = "Describe";
    let why = || "RequestLimitExceeded".to_owned();
    match which.index(6) {
        0 => {
            situation.facts.template = Fact::Unavailable {
                operation,
                why: why(),
            }
        }
        1 => {
            situation.facts.volumes = Fact::Unavailable {
                operation,
                why: why(),
            }
        }
        2 => {
            situation.facts.snapshots = Fact::Unavailable {
                operation,
                why: why(),
            }
        }
        3 => {
            situation.facts.registrations = Fact::Unavailable {
                operation,
                why: why(),
            }
        }
        4 => {
            situation.facts.addresses = Fact::Unavailable {
                operation,
                why: why(),
            }
        }
        _ => {
            situation.facts.images = Fact::Unavailable {
                operation,
                why: why(),
            }
        }
    }
}

fn at() -> Timestamp {
    clock::parse("2026-11-23T10:00:00Z").unwrap()
}

fn notices() -> impl Strategy<Value = Vec<Interruption>> {
    let actions = [
        InstanceAction::Terminate,
        InstanceAction::Stop,
        InstanceAction::Hibernate,
    ];
    let one =
        (prop::sample::select(actions.to_vec()), 0i64..4).prop_map(|(action, late)| Interruption {
            instance: LINEAGE.parse().unwrap(),
            action,
            at: at() + time::Duration::seconds(late),
        });
    prop::collection::vec(one, 0..3)
}

/// A stage of a life, disturbed.
#[derive(Debug, Clone)]
struct Case {
    scene: &'static str,
    notices: Vec<Interruption>,
    disturbances: Vec<Disturbance>,
}

fn case() -> impl Strategy<Value = Case> {
    let scene = prop::sample::select(SCENES).prop_map(|(name, _)| name);
    let disturbances = prop::collection::vec(disturbance(), 0..5);
    (scene, notices(), disturbances).prop_map(|(scene, notices, disturbances)| Case {
        scene,
        notices,
        disturbances,
    })
}

impl Case {
    fn situation(&self) -> Situation {
        let mut situation = scene(self.scene, at(), &self.notices);
        let each = self.disturbances.iter();
        each.for_each(|it| disturb(&mut situation, it));
        situation
    }
}

fn reversed(situation: &Situation) -> Situation {
    let mut turned = situation.clone();
    turned.facts.instances.reverse();
    turned.inputs.notices.reverse();
    known(&mut turned.facts.volumes).reverse();
    known(&mut turned.facts.snapshots).reverse();
    known(&mut turned.facts.addresses).reverse();
    known(&mut turned.facts.interfaces).reverse();
    known(&mut turned.facts.images).reverse();
    if let Fact::Known(found) = &mut turned.facts.registrations {
        found.list_mut().reverse();
    }
    turned
}

fn both(situation: &Situation) -> [Plan; 2] {
    [first_aid(situation), plan(situation)]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_order_in_which_aws_lists_things_changes_nothing(case in case()) {
        let situation = case.situation();
        for (plan, turned) in both(&situation).iter().zip(both(&reversed(&situation))) {
            prop_assert_eq!(plan.to_string(), turned.to_string());
        }
    }

    #[test]
    fn without_an_opt_in_nothing_is_changed(case in case()) {
        let mut situation = case.situation();
        situation.facts.instances.iter_mut().for_each(|it| {
            it.tags.remove(tags::OPT_IN);
        });
        if let Fact::Known(Some(template)) = &mut situation.facts.template {
            template.tags.remove(tags::OPT_IN);
        }
        situation.inputs.defaults.insert(tags::OPT_IN.to_owned(), "on".to_owned());
        for plan in both(&situation) {
            prop_assert_eq!(plan.steps, vec![]);
        }
    }

    #[test]
    fn steps_have_names_of_their_own_and_wait_only_for_earlier_ones(case in case()) {
        let situation = case.situation();
        for plan in both(&situation) {
            let mut seen = BTreeSet::new();
            for step in &plan.steps {
                prop_assert!(step.after.iter().all(|it| seen.contains(it)), "{step:?}");
                prop_assert!(seen.insert(step.id.clone()), "twice: {}", step.id);
            }
            if let Some((step, outcome)) = &plan.outcome
                && !outcome.result.lasts()
            {
                prop_assert!(seen.contains(step), "reported after a step that is not there: {step}");
            }
        }
    }

    /// TRAP 17: EC2 refuses it; a plan must not even ask.
    #[test]
    fn a_volume_is_attached_only_when_free_and_only_in_its_own_zone(case in case()) {
        let situation = case.situation();
        let mut copy = situation.clone();
        for plan in both(&situation) {
            for step in &plan.steps {
                if let Action::Attach { volume, instance, .. } = &step.action {
                    let volume = known(&mut copy.facts.volumes).iter().find(|it| it.id == *volume).unwrap();
                    let instance = situation.facts.instances.iter().find(|it| it.id == *instance).unwrap();
                    prop_assert_eq!(&volume.availability_zone, &instance.availability_zone);
                    prop_assert_eq!(volume.state, VolumeState::Available);
                    prop_assert_eq!(instance.state, InstanceState::Running);
                    prop_assert!(volume.attachments.is_empty());
                }
            }
        }
    }

    /// TRAP 2: EC2 brings a stopped or hibernated instance back; a second one beside it would write to copies of the
    /// same data. An instance that is not back in time, with a policy that asks for a replacement, is another matter.
    #[test]
    fn a_stopped_or_hibernated_instance_that_lives_is_never_replaced(case in case()) {
        let mut situation = case.situation();
        situation.facts.instances.truncate(1);
        prop_assume!(situation.facts.instances.iter().all(|it| it.id.as_str() == LINEAGE));
        situation.inputs.notices.retain(|it| it.action != InstanceAction::Terminate);
        situation.inputs.risks.clear();
        situation.inputs.notices.push(Interruption {
            instance: LINEAGE.parse().unwrap(),
            action: InstanceAction::Stop,
            at: at(),
        });
        for instance in &mut situation.facts.instances {
            instance.tags.remove(tags::INTERRUPTED_AT);
            instance.tags.remove("spot-rescue:no-return");
            if !instance.is_alive() {
                instance.state = InstanceState::Stopped;
            }
        }
        if let Fact::Known(Some(template)) = &mut situation.facts.template {
            template.tags.remove(tags::INTERRUPTED_AT);
            template.tags.remove("spot-rescue:no-return");
            template.tags.remove(tags::AT_RISK);
        }
        for plan in both(&situation) {
            let launches = plan.steps.iter().any(|it| matches!(it.action, Action::Launch(_)));
            prop_assert!(!launches, "{plan}");
        }
    }

    /// Only the prepared rescue of an instance that is gone is deleted; expiry is the sweep's affair.
    #[test]
    fn no_plan_deletes_a_volume_or_a_snapshot(case in case()) {
        let situation = case.situation();
        for plan in both(&situation) {
            let deletes = |it: &Action| matches!(it, Action::DeleteVolume { .. } | Action::DeleteSnapshot { .. });
            prop_assert!(!plan.steps.iter().any(|it| deletes(&it.action)));
        }
    }

    /// TRAP 15: flags are set back only on an instance that is to stay, such as one that has outlived its warning by
    /// ten minutes.
    #[test]
    fn an_interrupted_instance_never_gets_delete_on_termination(case in case()) {
        let situation = case.situation();
        let recent = |at| situation.now - at <= time::Duration::minutes(10);
        let recent = situation.inputs.notices.iter().filter(|it| recent(it.at));
        let interrupted: BTreeSet<_> = recent.map(|it| &it.instance).collect();
        for plan in both(&situation) {
            for step in &plan.steps {
                if let Action::SetDeleteOnTermination { instance, devices } = &step.action
                    && interrupted.contains(instance)
                {
                    prop_assert!(devices.values().all(|it| !it), "{step:?}");
                }
            }
        }
    }

    /// Nothing is concluded from missing facts, and they are looked at again.
    #[test]
    fn an_unreadable_record_leads_to_first_aid_alone(case in case()) {
        let mut situation = case.situation();
        situation.facts.template = Fact::Unavailable {
            operation: "DescribeLaunchTemplates",
            why: "RequestLimitExceeded".to_owned(),
        };
        let made = plan(&situation);
        // And the interruption is written down, as it cannot be read whether it was.
        let mut steps = made.steps.clone();
        steps.retain(|it| it.id != REMEMBER);
        // A target that is on no readable record is noted before it is deregistered.
        let noted = |id: &String| id.starts_with("note targets of ");
        steps.retain(|it| !noted(&it.id));
        steps.iter_mut().for_each(|it| it.after.retain(|it| !noted(it)));
        prop_assert_eq!(&steps, &first_aid(&situation).steps);
        prop_assert!(!made.waits.is_empty());
        prop_assert!(made.outcome.is_none_or(|(_, it)| it.result.lasts()));
    }

    /// Carried out perfectly, plans come to an end: no step is planned for ever.
    #[test]
    fn a_plan_done_perfectly_leaves_nothing_to_do(case in case()) {
        let mut situation = case.situation();
        let readable = situation.facts.template.known().is_some()
            && situation.facts.volumes.known().is_some()
            && situation.facts.snapshots.known().is_some()
            && situation.facts.registrations.known().is_some()
            && situation.facts.addresses.known().is_some();
        prop_assume!(readable);
        let settled = settle(&mut situation);
        prop_assert!(settled.is_ok(), "{}", settled.unwrap_err());
    }
}

/// From the warning to the end, with only time and a perfect AWS to help: the same volumes under the
/// same names with the same flags, the same targets, the same address, one replacement.
#[test]
fn a_rescue_done_perfectly_restores_what_was() {
    let (_, fresh) = SCENES
        .iter()
        .find(|(name, _)| *name == "never seen before")
        .unwrap();
    let warning = Interruption {
        instance: LINEAGE.parse().unwrap(),
        action: InstanceAction::Terminate,
        at: at(),
    };
    let mut situation = fresh(at(), &[]);
    settle(&mut situation).map(drop).unwrap();
    let before = disks(&situation);
    situation.inputs.notices = vec![warning];
    settle(&mut situation).map(drop).unwrap();
    end_owner(&mut situation);
    settle(&mut situation).map(drop).unwrap();
    let alive: Vec<_> = situation
        .facts
        .instances
        .iter()
        .filter(|it| it.is_alive())
        .collect();
    assert_eq!(alive.len(), 1);
    let replacement = alive[0].id.as_str();
    let data = |all: BTreeMap<String, (String, bool)>| -> BTreeMap<String, (String, bool)> {
        all.into_iter()
            .filter(|(device, _)| device != "/dev/xvda")
            .collect()
    };
    assert_eq!(data(disks(&situation)), data(before));
    let found = situation.facts.registrations.known().unwrap();
    let targets: Vec<(&str, u16)> = found
        .list
        .iter()
        .map(|it| (it.target.id.as_str(), it.target.port.unwrap()))
        .collect();
    assert_eq!(targets.len(), 2);
    assert!(targets.contains(&(replacement, 80)) && targets.contains(&(replacement, 8080)));
    let address = &situation.facts.addresses.known().unwrap()[0];
    assert_eq!(
        address
            .instance
            .as_ref()
            .map(spot_rescue::id::InstanceId::as_str),
        Some(replacement)
    );
}

/// The older a rescue, the rarer the looks; what is left to do after the hand-over is looked at as in a young one, or
/// the copies of a long rescue would get their expiry at a sweep.
#[test]
fn work_after_a_hand_over_is_as_urgent_as_after_a_short_rescue() {
    let (_, ended) = SCENES
        .iter()
        .find(|(name, _)| *name == "old instance ended, volumes free")
        .unwrap();
    let warning = Interruption {
        instance: LINEAGE.parse().unwrap(),
        action: InstanceAction::Terminate,
        at: at(),
    };
    let mut situation = ended(at(), &[warning]);
    situation.now += time::Duration::hours(6);
    let (mut before, mut handed_over) = (0, 0);
    for _ in 0..30 {
        let made = plan(&situation);
        let is_last = made.steps.iter().any(|it| it.id == "hand over");
        before += usize::from(!is_last && made.since.is_some());
        handed_over += usize::from(is_last);
        assert!(!is_last || made.since.is_none(), "{made}");
        for step in &made.steps {
            apply(&mut situation, &step.action);
        }
    }
    assert!(before > 0 && handed_over == 1, "{before} {handed_over}");
}

/// Each scene with each policy, its prepared rescue deleted by its user: what is reported is reported once.
#[test]
fn without_its_template_a_plan_done_perfectly_leaves_nothing_to_do() {
    for (name, make) in SCENES {
        for (key, value) in POLICIES {
            let mut situation = make(at(), &[]);
            for it in &mut situation.facts.instances {
                it.tags.insert(key.to_owned(), value.to_owned());
            }
            situation.facts.template = Fact::Known(None);
            let settled = settle(&mut situation);
            assert!(settled.is_ok(), "{name} {key}={value} {settled:?}");
        }
    }
}

/// Device -> (volume, flag) of the living instance.
fn disks(situation: &Situation) -> BTreeMap<String, (String, bool)> {
    let alive = situation.facts.instances.iter().filter(|it| it.is_alive());
    let devices = alive.flat_map(|it| &it.devices);
    devices
        .map(|it| {
            (
                it.name.clone(),
                (it.volume.to_string(), it.delete_on_termination),
            )
        })
        .collect()
}

/// Whether the first look of a warning takes the second volume off the record.
fn forgets(change: impl Fn(&mut Situation)) -> bool {
    let warning = Interruption {
        instance: LINEAGE.parse().unwrap(),
        action: InstanceAction::Terminate,
        at: at(),
    };
    let mut situation = scene("prepared", at(), &[warning]);
    change(&mut situation);
    let plan = plan(&situation);
    let mut written = plan.steps.iter().filter_map(|it| {
        let Action::Tag { tags, .. } = &it.action else {
            return None;
        };
        tags.get("spot-rescue:volume-1")
    });
    written.any(|it| !it.contains("vol-00000000000000002"))
}

/// Describes lag: an instance that does not show a volume, or a volume that does not show its instance, may do so soon.
#[test]
fn a_volume_is_detached_once_both_sides_say_so() {
    let hide = |situation: &mut Situation| {
        let devices = &mut situation.facts.instances[0].devices;
        devices.retain(|it| it.volume.as_str() != "vol-00000000000000002");
    };
    let free = |situation: &mut Situation| {
        let Fact::Known(all) = &mut situation.facts.volumes else {
            return;
        };
        let mut all = all.iter_mut();
        let volume = all.find(|it| it.id.as_str() == "vol-00000000000000002");
        volume.unwrap().attachments.clear();
    };
    let unreadable = |situation: &mut Situation| {
        situation.facts.volumes = Fact::Unavailable {
            operation: "DescribeVolumes",
            why: "test".to_owned(),
        };
    };
    assert!(!forgets(|_| {}));
    assert!(!forgets(hide));
    assert!(!forgets(free));
    assert!(!forgets(|it| {
        hide(it);
        unreadable(it);
    }));
    assert!(forgets(|it| {
        hide(it);
        free(it);
    }));
}
