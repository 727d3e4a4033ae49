//! What the tests share.

use spot_rescue::cloud::{Cloud, CloudError};
use spot_rescue::handler::Handler;
use spot_rescue::sim::{FailingCloud, Fault, LineageSummary, Protected, World, invariants};
use spot_rescue::step::Action;
use spot_rescue::tags::Tags;

pub type Function = Handler<World, World>;

/// The function, at work in this world.
pub fn function(world: &World) -> Function {
    Handler {
        cloud: world.clone(),
        clock: world.clone(),
        defaults: Tags::new(),
        seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
        print: |_| {},
    }
}

/// The same, with calls that fail in these ways.
pub fn failing(world: &World, faults: Vec<Fault>) -> Handler<FailingCloud<World>, World> {
    Handler {
        cloud: FailingCloud::new(world.clone(), faults),
        clock: world.clone(),
        defaults: Tags::new(),
        seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
        print: |_| {},
    }
}

/// A world with one protected instance, and its rescue prepared a while ago.
pub async fn prepared(seed: u64, tags: &[(&str, &str)]) -> (World, Function, Protected) {
    let world = World::new(seed);
    let function = function(&world);
    let protected = world.protected_in("eu-west-1a", tags);
    settle(&world, &function).await;
    world.advance(3600);
    (world, function, protected)
}

/// Runs until nothing happens any more, and checks that nothing is wrong.
pub async fn settle<C: Cloud>(world: &World, function: &Handler<C, World>) {
    let run = world.run_until_quiet(function).await;
    assert!(run.quiet, "never quiet: {run:?}\n{}", journal(world));
    let broken = world.look(invariants::at_quiescence);
    assert!(broken.is_empty(), "{broken:#?}\n{}", journal(world));
}

pub fn journal(world: &World) -> String {
    let lines = world.look(|it| {
        it.journal
            .iter()
            .map(ToString::to_string)
            .collect::<Vec<_>>()
    });
    lines.join("\n")
}

pub fn lineage(world: &World, protected: &Protected) -> LineageSummary {
    let mut summary = world.summary();
    summary
        .lineages
        .remove(&protected.instance)
        .expect("the lineage is known")
}

/// Everything is with a living instance again: volumes, flags, targets, address.
pub fn assert_whole(world: &World, protected: &Protected) {
    let missing = missing(world, protected);
    assert!(missing.is_empty(), "{missing:#?}\n{}", journal(world));
}

/// Everything that is not as it was before.
pub fn missing(world: &World, protected: &Protected) -> Vec<String> {
    let found = lineage(world, protected);
    let volumes = found.volumes.values();
    let origins: Vec<_> = volumes.clone().map(|it| it.origin.clone()).collect();
    let flags: Vec<bool> = volumes.map(|it| it.delete_on_termination).collect();
    let ports: Vec<u16> = found.targets.iter().map(|it| it.1).collect();
    let checks = [
        (found.live == 1, format!("{} instances live", found.live)),
        (origins == protected.data, format!("volumes {origins:?}")),
        (flags == [true, false], format!("delete flags {flags:?}")),
        (ports == [8080, 9090], format!("targets on {ports:?}")),
        (
            found.addresses.contains(&protected.address),
            "address not there".to_owned(),
        ),
    ];
    let failed = checks.into_iter().filter(|(holds, _)| !holds);
    failed.map(|(_, what)| what).collect()
}

pub fn lost_writes(world: &World, protected: &Protected) -> Vec<u64> {
    let found = lineage(world, protected);
    found.volumes.values().map(|it| it.lost_writes).collect()
}

pub fn code(outcome: Result<String, CloudError>) -> String {
    outcome.expect_err("it is refused").code
}

/// Changes tried of one kind.
pub fn count(world: &World, wanted: impl Fn(&Action) -> bool) -> usize {
    world.look(|it| it.journal.iter().filter(|it| wanted(&it.action)).count())
}
