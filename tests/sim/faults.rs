//! One fault at every call of a rescue; the world ends as if nothing had been.

use crate::support::{journal, lost_writes, missing, prepared};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::sim::{FailingCloud, Fault, Kind, On, Protected, Run, World, invariants};
use spot_rescue::tags::Tags;

async fn disturbed(faults: Vec<Fault>) -> (World, Protected, Run, FailingCloud<World>) {
    let (world, _, protected) = prepared(42, &[]).await;
    let function = Handler {
        cloud: FailingCloud::new(world.clone(), faults),
        clock: world.clone(),
        defaults: Tags::new(),
    };
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let run = world.run_until_quiet(&function).await;
    (world, protected, run, function.cloud)
}

/// What differs from a rescue without a fault.
async fn damage(fault: Fault) -> Option<String> {
    let (world, protected, run, cloud) = disturbed(vec![fault]).await;
    let mut damage = world.look(invariants::at_quiescence);
    damage.extend(missing(&world, &protected));
    let lost = lost_writes(&world, &protected);
    damage.extend((lost != [0, 0]).then(|| format!("lost writes {lost:?}")));
    damage.extend((!run.quiet).then(|| "never quiet".to_owned()));
    damage.extend((cloud.injected() != 1).then(|| "the fault never happened".to_owned()));
    let text = format!("{fault:?}: {damage:#?}\n{}", journal(&world));
    (!damage.is_empty()).then_some(text)
}

async fn assert_none(ons: impl Iterator<Item = On>, kinds: &[Kind]) {
    let mut all = Vec::new();
    for on in ons {
        for kind in kinds {
            all.extend(damage(Fault { on, kind: *kind }).await);
        }
    }
    assert!(all.is_empty(), "{} faults:\n{}", all.len(), all.join("\n\n"));
}

#[tokio::test]
async fn one_fault_at_any_change_is_survived() {
    let (_, _, _, undisturbed) = disturbed(Vec::new()).await;
    let kinds = [
        Kind::Code("RequestLimitExceeded"),
        Kind::Code("InternalError"),
        Kind::LoseReply,
        Kind::Twice,
        Kind::CrashBefore,
        Kind::CrashAfter,
    ];
    assert_none((0..undisturbed.acts()).map(On::Act), &kinds).await;
}

#[tokio::test]
async fn one_failing_read_is_survived() {
    let (_, _, _, undisturbed) = disturbed(Vec::new()).await;
    let kinds = [Kind::Code("RequestLimitExceeded"), Kind::CrashBefore];
    assert_none((0..undisturbed.reads()).map(On::Read), &kinds).await;
}
