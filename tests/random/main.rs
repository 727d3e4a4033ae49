//! Random worlds with random schedules of changes; in the end everything is as a naive model says. A failing schedule
//! is shrunk, and kept as a named regression.
//!
//! `CASES=100000 cargo test --profile proof --no-default-features --features sim --test random -- --nocapture`
//! looks at more, `SEED=7` at others, `PORTION=145` starts with that one,
//! `JOURNAL=1` shows what was done in a regression that fails.
#![allow(
    clippy::needless_for_each,
    clippy::struct_excessive_bools,
    clippy::wildcard_enum_match_arm,
    reason = "tests: what is picked may not be there, and most ops go one way"
)]
#![cfg(feature = "sim")]

mod attack;
mod model;
mod op;
mod play;
mod regressions;
mod regressions_hands;
mod regressions_launches;
mod regressions_long;
mod regressions_rare;
mod start;
mod verdict;

use op::Op;
use play::Play;
use proptest::collection::vec;
use proptest::test_runner::{Config, RngAlgorithm, TestCaseError, TestError, TestRng, TestRunner};
use start::Start;
use std::cell::Cell;
use std::fmt;
use std::ops::AddAssign;
use std::sync::atomic::{AtomicU32, Ordering};

/// Schedules to a portion.
const PORTION: u32 = 40;

/// What was looked at.
#[derive(Debug, Clone, Copy, Default)]
struct Figures {
    schedules: usize,
    ops: usize,
    faults: usize,
    instances: usize,
    /// Lineages without an excuse.
    strict: usize,
    launches: usize,
}

impl AddAssign for Figures {
    fn add_assign(&mut self, other: Self) {
        let Self {
            schedules,
            ops,
            faults,
            instances,
            strict,
            launches,
        } = other;
        self.schedules += schedules;
        self.ops += ops;
        self.faults += faults;
        self.instances += instances;
        self.strict += strict;
        self.launches += launches;
    }
}

impl fmt::Display for Figures {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            schedules,
            ops,
            faults,
            instances,
            strict,
            launches,
        } = self;
        write!(
            f,
            "schedules run {schedules}, ops {ops}, faults injected {faults}, instances {instances} \
             ({strict} held to everything), launches {launches}"
        )
    }
}

/// Plays a schedule to its end. Returns what is wrong then, and the figures.
fn play(start: &Start, ops: &[Op]) -> (Vec<String>, Figures) {
    let runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = { runtime }.enable_time().build();
    let runtime = runtime.expect("a runtime can be made");
    runtime.block_on(async {
        let mut play = Play::begin(start).await;
        for op in ops {
            play.step(op).await;
        }
        play.finish().await;
        let mut wrong = verdict::wrong(&play);
        if !wrong.is_empty() && std::env::var_os("JOURNAL").is_some() {
            wrong.push(format!("alive: {:?}", verdict::living(&play)));
            wrong.push(verdict::journal(&play));
        }
        let lineages = play.model.lineages.iter();
        let strict = lineages.filter(|it| it.excuses.is_empty()).count();
        let launches = play.world.look(|it| it.calls.get("CreateFleet").copied());
        let figures = Figures {
            schedules: 1,
            ops: ops.len(),
            faults: play.function.cloud.struck().len(),
            instances: start.instances.len(),
            strict,
            launches: usize::try_from(launches.unwrap_or(0)).unwrap_or(0),
        };
        (wrong, figures)
    })
}

fn number(name: &str, default: u32) -> u32 {
    let set = std::env::var(name).ok();
    set.and_then(|it| it.parse().ok()).unwrap_or(default)
}

/// One portion. The seed makes the same run again.
fn explore(cases: u32, seed: u32) -> Result<Figures, String> {
    let config = Config {
        cases,
        failure_persistence: None,
        max_shrink_iters: 4000,
        max_shrink_time: 20_000,
        ..Config::default()
    };
    let mut bytes = [0; 32];
    bytes[..4].copy_from_slice(&seed.to_le_bytes());
    let rng = TestRng::from_seed(RngAlgorithm::ChaCha, &bytes);
    let figures = Cell::new(Figures::default());
    let test = |(start, ops): (Start, Vec<Op>)| {
        let (wrong, more) = play(&start, &ops);
        let mut sum = figures.get();
        sum += more;
        figures.set(sum);
        if wrong.is_empty() {
            Ok(())
        } else {
            Err(TestCaseError::fail(wrong.join("\n")))
        }
    };
    let schedules = (start::start(), vec(op::op(), 0..30));
    match TestRunner::new_with_rng(config, rng).run(&schedules, test) {
        Ok(()) => Ok(figures.get()),
        Err(TestError::Fail(why, (start, ops))) => Err(format!("{why}\n{start:?}\n{ops:?}")),
        Err(TestError::Abort(why)) => Err(why.to_string()),
    }
}

/// Portions are taken by whichever thread is free: what is looked at depends on the seed alone, and a violation in
/// one does not end the others.
fn take(portions: &AtomicU32, cases: u32, seed: u32) -> (Figures, Vec<String>) {
    let (mut figures, mut failures) = (Figures::default(), Vec::new());
    loop {
        let portion = portions.fetch_add(1, Ordering::Relaxed);
        let left = cases.saturating_sub(portion * PORTION);
        if left == 0 {
            return (figures, failures);
        }
        if portion > 0 && portion.is_multiple_of(250) {
            println!("portion {portion} of {}", cases.div_ceil(PORTION));
        }
        match explore(left.min(PORTION), seed.wrapping_add(portion)) {
            Ok(more) => figures += more,
            Err(why) => {
                println!("portion {portion}:\n{why}\n");
                failures.push(why);
            }
        }
    }
}

#[test]
fn whatever_happens_the_world_ends_as_the_model_says() {
    let (cases, seed) = (
        number("CASES", 240),
        number("SEED", 0).wrapping_mul(1_000_000),
    );
    let portions = AtomicU32::new(number("PORTION", 0));
    let mut figures = Figures::default();
    let mut failures = Vec::new();
    std::thread::scope(|scope| {
        let threads = std::thread::available_parallelism().map_or(1, usize::from);
        let threads: Vec<_> = (0..threads)
            .map(|_| scope.spawn(|| take(&portions, cases, seed)))
            .collect();
        for thread in threads {
            let (more, wrong) = thread.join().expect("a thread ends");
            figures += more;
            failures.extend(wrong);
        }
    });
    println!("{figures}, violations {}", failures.len());
    assert!(failures.is_empty(), "{}", failures.join("\n\n"));
}
