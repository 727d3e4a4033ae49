//! One fault at every call of every story; the world ends as if nothing had been.
//!
//! The default run takes one in 43 of them, others for each story; `FAULTS=all` takes all, and
//! `FAULTS=Chain,Storm` all of these stories:
//! `FAULTS=all cargo test --profile proof --no-default-features --features sim --test sim faults -- --nocapture`

use crate::fault_scenes::{ALL, Scene, Story};
use crate::support::{failing, journal};
use spot_rescue::record::Record;
use spot_rescue::sim::{Fault, Kind, On, Summary, invariants};
use spot_rescue::situation::{Holder, Market};
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags};
use std::num::NonZero;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread::{self, available_parallelism};

/// One code of every class that is an error: try again, not allowed, never.
const CHANGES: [Kind; 9] = [
    Kind::Code("RequestLimitExceeded"),
    Kind::Code("InternalError"),
    Kind::Code("InsufficientInstanceCapacity"),
    Kind::Code("UnauthorizedOperation"),
    Kind::Code("InvalidParameterValue"),
    Kind::LoseReply,
    Kind::Twice,
    Kind::CrashBefore,
    Kind::CrashAfter,
];

const READS: [Kind; 5] = [
    Kind::Code("RequestLimitExceeded"),
    Kind::Code("InternalError"),
    Kind::Code("UnauthorizedOperation"),
    Kind::LoseReply,
    Kind::CrashBefore,
];

/// The story without a fault: how it ends, and how many changes and reads it takes.
async fn undisturbed(story: Story) -> (Summary, u64, u64) {
    let scene = story.begin().await;
    let function = failing(&scene.world, Vec::new());
    assert!(story.play(&scene, &function).await, "{story:?}");
    let broken = scene.world.look(invariants::at_quiescence);
    assert!(broken.is_empty(), "{story:?} {broken:?}");
    let cloud = &function.cloud;
    (comparable(&scene, story, None), cloud.acts(), cloud.reads())
}

/// What two ends have in common if both are right. Writes go on as long as an instance lives, so what is lost in a
/// set is told as lost or not; a launch that was refused for good is made in another market, which the policy allows.
fn comparable(scene: &Scene, story: Story, kind: Option<Kind>) -> Summary {
    let mut summary = scene.world.summary();
    for lineage in summary.lineages.values_mut() {
        let refused = matches!(kind, Some(Kind::Code(_)));
        lineage.market = lineage.market.filter(|_| !refused && kind.is_none());
        for volume in lineage.volumes.values_mut() {
            volume.lost_writes = volume.lost_writes.min(1);
            if story == Story::Clone {
                // Whether a volume is cloned or moves in the end: that is what a fault may change.
                volume.is_copy = true;
                volume.lost_writes = 0;
            }
            // Volumes are kept before anything is written down about them: if that is all that was done, the user's
            // flags are on no record, and they stay on the side that keeps data.
            volume.delete_on_termination &= story != Story::Unprepared;
        }
    }
    summary
}

/// The differences to the story without a fault.
async fn damage(story: Story, fault: Fault, expected: &Summary) -> Option<String> {
    let scene = story.begin().await;
    let address = private_address(&scene);
    let function = failing(&scene.world, vec![fault]);
    let quiet = story.play(&scene, &function).await;
    let mut damage = scene.world.look(invariants::at_quiescence);
    let found = comparable(&scene, story, Some(fault.kind));
    damage.extend((found != *expected).then(|| format!("ends as {found:#?}")));
    damage.extend(root_damage(&scene, story));
    damage.extend(flag_damage(&scene, story));
    damage.extend(market_damage(&scene, story));
    let kept = story != Story::PrivateIp || private_address(&scene) == address;
    let excused = is_refusal(fault.kind) && gave_address_up(&scene);
    damage.extend((!kept && !excused).then(|| "the address is not what it was".to_owned()));
    damage.extend(forgotten_interfaces(&scene, story));
    damage.extend((!quiet).then(|| "never quiet".to_owned()));
    let struck = function.cloud.struck();
    damage.extend(
        struck
            .is_empty()
            .then(|| "the fault never happened".to_owned()),
    );
    let text = || {
        format!(
            "{story:?} {fault:?} {struck:?}: {damage:#?}\n{}",
            journal(&scene.world)
        )
    };
    (!damage.is_empty()).then(text)
}

/// A volume that was to go with its instance is known as such, whatever the flag shows.
fn flag_damage(scene: &Scene, story: Story) -> Option<String> {
    let flagged = |tags: &Tags| {
        let volumes = Record::from_tags(tags).volumes.into_iter();
        let data = volumes.filter(|it| !it.root && it.delete_on_termination);
        data.count() == 2
    };
    let known = scene
        .world
        .look(|it| it.templates.values().all(|it| flagged(it.tags.current())));
    (story == Story::Always && !known).then(|| "the user's flags are forgotten".to_owned())
}

/// A day later at the latest, the stand-in has given way.
fn market_damage(scene: &Scene, story: Story) -> Option<String> {
    let mut summary = scene.world.summary().lineages.into_values();
    let on_demand = summary.any(|it| it.market != Some(Market::Spot));
    (story == Story::ReturnToSpot && on_demand).then(|| "On-Demand stands in for ever".to_owned())
}

/// Of the instance that lives.
fn private_address(scene: &Scene) -> Option<String> {
    scene.world.look(|it| {
        let mut live = it.instances.values().filter(|it| it.facts.is_alive());
        live.next()?.facts.private_addresses.first().cloned()
    })
}

/// EC2 has refused for good to launch on the interface, or denied it: serving comes before the address.
fn is_refusal(kind: Kind) -> bool {
    let refusals = ["InvalidParameterValue", "UnauthorizedOperation"];
    refusals.iter().any(|it| kind == Kind::Code(it))
}

/// And that is on record, to be reported.
fn gave_address_up(scene: &Scene) -> bool {
    let notes = |it: &Action| matches!(it, Action::Tag { tags, .. } if tags.contains_key(tags::ADDRESS_LOST));
    scene
        .world
        .look(|it| it.journal.iter().any(|it| notes(&it.action)))
}

/// A free interface that we kept goes some day.
fn forgotten_interfaces(scene: &Scene, story: Story) -> Option<String> {
    let concerned = matches!(story, Story::PrivateIp | Story::PrivateIpLost);
    let forgotten = scene.world.look(|it| {
        let free = it.interfaces.values();
        let mut free = free.filter(|it| it.facts.holder == Holder::Free);
        free.any(|it| !it.tags.current().contains_key(tags::EXPIRES_AT))
    });
    (concerned && forgotten).then(|| "an interface is left over without an expiry".to_owned())
}

/// A root that was to be kept is the root of the instance that lives.
fn root_damage(scene: &Scene, story: Story) -> Option<String> {
    let kept = matches!(story, Story::KeptRoot | Story::RootByImage);
    let lost = scene.world.look(|it| {
        let mut live = it.instances.values().filter(|it| it.facts.is_alive());
        let root = live.next().and_then(|it| it.facts.root());
        let root = root.and_then(|root| it.volumes.get(&root.volume));
        root.is_none_or(|root| {
            root.content.origin != scene.protected[0].root || it.lost_writes(&root.content) > 0
        })
    });
    (kept && lost).then(|| "the root is not what it was".to_owned())
}

/// Every `stride`-th fault of a story, from `from` on: how many, and what they did.
async fn disturb(story: Story, from: usize, stride: usize) -> (u64, usize, Vec<String>) {
    let (mut expected, acts, reads) = undisturbed(story).await;
    for lineage in expected.lineages.values_mut() {
        lineage.market = None;
    }
    let of = |on: fn(u64) -> On, count: u64, kinds: &'static [Kind]| {
        let calls = (0..count).map(on);
        calls.flat_map(move |on| kinds.iter().map(move |kind| Fault { on, kind: *kind }))
    };
    let all = of(On::Act, acts, &CHANGES).chain(of(On::Read, reads, &READS));
    let mut faults = 0;
    let mut damages = Vec::new();
    for fault in all.skip(from % stride).step_by(stride) {
        faults += 1;
        damages.extend(damage(story, fault, &expected).await);
        // A few are enough to tell the story.
        if damages.len() >= 3 {
            break;
        }
    }
    (acts + reads, faults, damages)
}

/// The result of one story.
struct Disturbed {
    story: Story,
    steps: u64,
    faults: usize,
    damages: Vec<String>,
}

/// The stories shared out among as many threads as there are processors.
fn disturb_all(stories: &[Story], stride: usize) -> Vec<Disturbed> {
    let threads = available_parallelism().map_or(1, NonZero::get);
    let next = AtomicUsize::new(0);
    let work = || {
        let runtime = tokio::runtime::Builder::new_current_thread();
        let runtime = { runtime }.enable_time().build();
        let runtime = runtime.expect("a runtime can be made");
        let mut done = Vec::new();
        while let Some((n, story)) = taken(stories, &next) {
            let (steps, faults, damages) = runtime.block_on(disturb(story, n, stride));
            done.push(Disturbed {
                story,
                steps,
                faults,
                damages,
            });
        }
        done
    };
    thread::scope(|scope| {
        let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work)).collect();
        let done = threads.into_iter().map(|it| it.join());
        done.flat_map(|it| it.expect("no panic")).collect()
    })
}

fn taken(stories: &[Story], next: &AtomicUsize) -> Option<(usize, Story)> {
    let n = next.fetch_add(1, Ordering::Relaxed);
    Some((n, *stories.get(n)?))
}

#[test]
fn one_fault_at_any_call_of_any_story_changes_nothing_in_the_end() {
    let wanted = std::env::var("FAULTS").ok();
    let stride = if wanted.is_some() { 1 } else { 43 };
    let chosen = |story: &Story| {
        let mut names = wanted.iter().flat_map(|it| it.split(','));
        wanted.is_none() || names.any(|it| it == "all" || it == format!("{story:?}"))
    };
    let stories: Vec<Story> = ALL.into_iter().filter(chosen).collect();
    let done = disturb_all(&stories, stride);
    for it in &done {
        let left = it.damages.len();
        println!(
            "{:?}: {} steps, {} faults, {left} left damage",
            it.story, it.steps, it.faults
        );
    }
    let steps: u64 = done.iter().map(|it| it.steps).sum();
    let faults: usize = done.iter().map(|it| it.faults).sum();
    let damages: Vec<&str> = { done.iter() }
        .flat_map(|it| it.damages.iter().map(String::as_str))
        .collect();
    assert!(
        damages.is_empty(),
        "{}\n{}",
        damages.len(),
        damages.join("\n\n")
    );
    println!(
        "{} scenarios x {steps} steps x {faults} faults, all converged",
        stories.len()
    );
}
