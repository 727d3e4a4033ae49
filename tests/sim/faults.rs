//! One fault at every call of a rescue; the world ends as if nothing had been.

use crate::support::{journal, lost_writes, missing, prepared};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::sim::{FailingCloud, Fault, Kind, On, Protected, Run, Supply, World, invariants};
use spot_rescue::situation::Market;
use spot_rescue::tags::Tags;

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Scenario {
    SameZone,
    OtherZone,
    OnDemand,
    /// The warning comes before anything was prepared.
    Unprepared,
}

const CODES: [Kind; 2] = [
    Kind::Code("RequestLimitExceeded"),
    Kind::Code("InternalError"),
];
const LOST: [Kind; 2] = [Kind::LoseReply, Kind::Twice];
const CRASHES: [Kind; 2] = [Kind::CrashBefore, Kind::CrashAfter];

async fn scene(scenario: Scenario) -> (World, Protected) {
    if scenario == Scenario::Unprepared {
        let world = World::new(42);
        let protected = world.protected_instance();
        world.change(|it| it.queue.messages.clear());
        return (world, protected);
    }
    let (world, _, protected) = prepared(42, &[]).await;
    if scenario != Scenario::SameZone {
        world.supply("m5.large", "eu-west-1a", Market::Spot, Supply::Left(0));
    }
    if scenario == Scenario::OtherZone {
        let subnet = world.subnet("eu-west-1b");
        let tag = ("spot-rescue:subnets", subnet.as_str());
        world.retag(protected.instance.as_str(), &[tag]);
        let none = Supply::Left(0);
        world.supply("m5.large", "eu-west-1a", Market::OnDemand, none);
    }
    (world, protected)
}

async fn disturbed(
    scenario: Scenario,
    faults: Vec<Fault>,
) -> (World, Protected, Run, FailingCloud<World>) {
    let (world, protected) = scene(scenario).await;
    let function = Handler {
        cloud: FailingCloud::new(world.clone(), faults),
        clock: world.clone(),
        defaults: Tags::new(),
        print: |_| {},
    };
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    (world, protected, run, function.cloud)
}

/// What differs from a rescue without a fault.
async fn damage(scenario: Scenario, fault: Fault) -> Option<String> {
    let (world, protected, run, cloud) = disturbed(scenario, vec![fault]).await;
    let mut damage = world.look(invariants::at_quiescence);
    damage.extend(missing(&world, &protected));
    if matches!(scenario, Scenario::Unprepared) {
        // Volumes are kept before anything is written down about them: if that is all that was
        // done, nobody knows the user's flags any more, and they stay on the side that keeps data.
        damage.retain(|it| it != "delete flags [false, false]");
    }
    let lost = lost_writes(&world, &protected);
    damage.extend(
        lost.iter()
            .any(|it| *it > 0)
            .then(|| format!("lost writes {lost:?}")),
    );
    damage.extend((!run.quiet).then(|| "never quiet".to_owned()));
    let struck = cloud.struck();
    damage.extend(
        struck
            .is_empty()
            .then(|| "the fault never happened".to_owned()),
    );
    let text = format!(
        "{scenario:?} {fault:?} {struck:?}: {damage:#?}\n{}",
        journal(&world)
    );
    (!damage.is_empty()).then_some(text)
}

async fn assert_none(scenario: Scenario, is_act: bool, kinds: &[Kind]) {
    let (_, _, _, undisturbed) = disturbed(scenario, Vec::new()).await;
    let on = if is_act { On::Act } else { On::Read };
    let count = if is_act {
        undisturbed.acts()
    } else {
        undisturbed.reads()
    };
    let mut all = Vec::new();
    for n in 0..count {
        for kind in kinds {
            let fault = Fault {
                on: on(n),
                kind: *kind,
            };
            all.extend(damage(scenario, fault).await);
        }
        // A few tell the story.
        if all.len() >= 5 {
            break;
        }
    }
    let text = all.join("\n\n");
    assert!(
        all.is_empty(),
        "{} faults (the first few):\n{text}",
        all.len()
    );
}

macro_rules! survived {
    ($($name:ident: $scenario:ident, $is_act:literal, $kinds:expr;)*) => {
        $(#[tokio::test]
        async fn $name() {
            assert_none(Scenario::$scenario, $is_act, &$kinds).await;
        })*
    };
}

survived! {
    same_zone_any_change_refused: SameZone, true, CODES;
    same_zone_any_reply_lost: SameZone, true, LOST;
    same_zone_crash_at_any_change: SameZone, true, CRASHES;
    same_zone_any_read_refused: SameZone, false, CODES;
    same_zone_crash_at_any_read: SameZone, false, CRASHES;
    other_zone_any_change_refused: OtherZone, true, CODES;
    other_zone_any_reply_lost: OtherZone, true, LOST;
    other_zone_crash_at_any_change: OtherZone, true, CRASHES;
    other_zone_any_read_refused: OtherZone, false, CODES;
    on_demand_any_change_refused: OnDemand, true, CODES;
    on_demand_any_reply_lost: OnDemand, true, LOST;
    on_demand_crash_at_any_change: OnDemand, true, CRASHES;
    on_demand_any_read_refused: OnDemand, false, CODES;
    unprepared_any_change_refused: Unprepared, true, CODES;
    unprepared_any_reply_lost: Unprepared, true, LOST;
    unprepared_crash_at_any_change: Unprepared, true, CRASHES;
    unprepared_any_read_refused: Unprepared, false, CODES;
}
