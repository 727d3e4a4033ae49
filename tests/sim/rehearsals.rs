//! What a warning would be refused is on record before any warning, and finding it out changes nothing.

use crate::support::{Function, assert_whole, function, journal, prepared, settle};
use spot_rescue::event::InstanceAction;
use spot_rescue::record::Rehearsed;
use spot_rescue::seal;
use spot_rescue::sim::{KEY_PAIR, Launches, Protected, World};
use spot_rescue::situation::Market;
use spot_rescue::step::{Action, Rehearsal};
use spot_rescue::tags::{self, Tags};
use std::cell::RefCell;
use std::collections::BTreeSet;

thread_local! {
    static TOLD: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

/// Lines since the last time that report what a warning would be refused.
fn told() -> usize {
    let lines = TOLD.take();
    let refused = lines.iter().filter(|it| it.contains("would meet refusals"));
    refused.count()
}

/// The part of a rescue that is refused.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Launch(Market),
    Snapshots,
    Volume,
    Address,
}

const PARTS: [Part; 5] = [
    Part::Launch(Market::Spot),
    Part::Launch(Market::OnDemand),
    Part::Snapshots,
    Part::Volume,
    Part::Address,
];

impl Part {
    fn call(self) -> &'static str {
        match self {
            Self::Launch(_) => "CreateFleet",
            Self::Snapshots => "CreateSnapshots",
            Self::Volume => "CreateVolume",
            Self::Address => "AssociateAddress",
        }
    }

    /// How its caveats begin.
    fn name(self) -> &'static str {
        match self {
            Self::Launch(Market::Spot) => "launch/spot/",
            Self::Launch(Market::OnDemand) => "launch/on-demand/",
            Self::Snapshots => "snapshots",
            Self::Volume => "volume",
            Self::Address => "address/",
        }
    }

    /// The named part does not exist.
    fn gone(self) -> &'static str {
        match self {
            Self::Launch(_) => "InvalidGroup.NotFound",
            Self::Snapshots | Self::Volume => "InvalidParameterValue",
            Self::Address => "InvalidAllocationID.NotFound",
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Answer {
    Denied,
    Gone,
    Throttled,
    Allowed,
}

impl Answer {
    fn code(self, part: Part) -> Option<&'static str> {
        match self {
            Self::Denied => Some("UnauthorizedOperation"),
            Self::Gone => Some(part.gone()),
            Self::Throttled => Some("RequestLimitExceeded"),
            Self::Allowed => None,
        }
    }

    fn is_a_caveat(self) -> bool {
        matches!(self, Self::Denied | Self::Gone)
    }
}

fn refuse(world: &World, part: Part, code: &str) {
    match part {
        Part::Launch(market) => world.refuse_requests(Launches::Of(market), code),
        Part::Snapshots | Part::Volume | Part::Address => {
            world.fail_calls(part.call(), code, None);
        }
    }
}

fn mend(world: &World, part: Part) {
    world.mend_launches();
    if !matches!(part, Part::Launch(_)) {
        world.fail_calls(part.call(), "", Some(0));
    }
}

/// The caveats on record.
fn record(world: &World) -> Rehearsed {
    world.look(|it| {
        let mut all = it.templates.values();
        let tags = all.next().map(|it| it.tags.current().clone());
        let plain = |(key, value): (String, String)| (key, seal::plain(&value).to_owned());
        let tags: Tags = tags.unwrap_or_default().into_iter().map(plain).collect();
        Rehearsed::from_tags(&tags)
    })
}

/// So many sweeps, a quarter of an hour apart.
async fn sweeps(world: &World, function: &Function, times: u32) {
    for _ in 0..times {
        world.advance(900);
        world.sweep();
        settle(world, function).await;
    }
}

/// Elsewhere as well, so that a volume may have to be made anew.
async fn world() -> (World, Function, Protected) {
    let (world, mut function, protected) = prepared(1, &[]).await;
    function.print = |line| TOLD.with_borrow_mut(|it| it.push(line.to_owned()));
    let subnet = world.subnet("eu-west-1b");
    let subnets = [("spot-rescue:subnets", subnet.as_str())];
    world.retag(protected.instance.as_str(), &subnets);
    TOLD.take();
    (world, function, protected)
}

/// Anything but preparing since then.
fn changes(world: &World, since: usize) -> Vec<String> {
    let quiet = |it: &Action| {
        matches!(
            it,
            Action::Tag { .. }
                | Action::Untag { .. }
                | Action::Wake { .. }
                | Action::Wakes(_)
                | Action::WriteTemplate(_)
                | Action::TrimTemplate { .. }
        )
    };
    world.look(|it| {
        let all = it.journal.iter().skip(since);
        let loud = all.filter(|it| !quiet(&it.action));
        loud.map(ToString::to_string).collect()
    })
}

fn done(world: &World) -> usize {
    world.look(|it| it.journal.len())
}

#[tokio::test]
async fn a_caveat_is_on_record_once_and_goes_away_when_it_is_mended() {
    for part in PARTS {
        for answer in [
            Answer::Denied,
            Answer::Gone,
            Answer::Throttled,
            Answer::Allowed,
        ] {
            for mended in [true, false] {
                let said = format!("{part:?} {answer:?}, mended: {mended}");
                let (world, function, protected) = world().await;
                let since = done(&world);
                let code = answer.code(part);
                if let Some(it) = code {
                    refuse(&world, part, it);
                }
                sweeps(&world, &function, 3).await;
                let found = record(&world);
                let here = |it: &&spot_rescue::record::Caveat| it.what.starts_with(part.name());
                let here = found.caveats.iter().filter(here).count();
                assert_eq!(here > 0, answer.is_a_caveat(), "{said} {found:?}");
                assert_eq!(here, found.caveats.len(), "nothing else: {said} {found:?}");
                let named = code.map(|it| it.to_owned()).unwrap_or_default();
                let codes = found.caveats.iter().all(|it| it.code == named);
                assert!(codes, "{said} {found:?}");
                let whole = answer != Answer::Throttled;
                assert_eq!(found.whole.is_some(), whole, "{said} {found:?}");
                assert_eq!(told(), usize::from(answer.is_a_caveat()), "{said}");
                if mended {
                    mend(&world, part);
                }
                sweeps(&world, &function, 26).await;
                let found = record(&world);
                let left = answer.is_a_caveat() && !mended;
                assert_eq!(!found.caveats.is_empty(), left, "{said} {found:?}");
                assert_eq!(found.whole.is_some(), whole || mended, "{said} {found:?}");
                assert_eq!(told(), 0, "what is known is not told again: {said}");
                assert_eq!(changes(&world, since), Vec::<String>::new(), "{said}");
                if mended {
                    world.interrupt(&protected.instance, InstanceAction::Terminate);
                    settle(&world, &function).await;
                    assert_whole(&world, &protected);
                }
            }
        }
    }
}

/// A dry run may not look for these: they are looked for by name.
#[tokio::test]
async fn a_missing_part_of_a_launch_is_on_record() {
    let (world, function, protected) = world().await;
    world.retag(
        protected.instance.as_str(),
        &[("spot-rescue:instance-types", "m6i.large")],
    );
    let missing = [KEY_PAIR, "m6i.large@eu-west-1a"].map(str::to_owned);
    world.change(|it| it.missing.extend(missing));
    sweeps(&world, &function, 2).await;
    let found = record(&world);
    let whats: BTreeSet<&str> = found.caveats.iter().map(|it| it.what.as_str()).collect();
    for what in ["key-pair", "type/m6i.large/eu-west-1a"] {
        assert!(
            whats.contains(what),
            "{what}: {found:?}\n{}",
            journal(&world)
        );
    }
    assert!(
        whats.iter().any(|it| it.starts_with("launch/spot/")),
        "{whats:?}"
    );
    assert_eq!(told(), 1);
    world.change(|it| it.missing.clear());
    sweeps(&world, &function, 26).await;
    assert!(record(&world).caveats.is_empty(), "{:?}", record(&world));
}

/// A role from before these look-ups, or a bounded one: that does not concern the rescue.
#[tokio::test]
async fn a_look_that_the_role_may_not_take_is_no_caveat() {
    let (world, function, _) = world().await;
    for call in ["DescribeKeyPairs", "DescribeSecurityGroups"] {
        world.fail_calls(call, "UnauthorizedOperation", None);
    }
    sweeps(&world, &function, 3).await;
    let found = record(&world);
    assert!(
        found.whole.is_some() && found.caveats.is_empty(),
        "{found:?}"
    );
}

/// Once for each version, and a new one of what a replacement is launched with is another version.
#[tokio::test]
async fn a_version_is_rehearsed_once() {
    let (world, function, protected) = world().await;
    let asked = || world.look(|it| it.rehearsed.len());
    sweeps(&world, &function, 2).await;
    let once = asked();
    assert!(once > 4, "{once}");
    sweeps(&world, &function, 30).await;
    assert_eq!(asked(), once);
    world.retag(protected.instance.as_str(), &[("Name", "another")]);
    sweeps(&world, &function, 3).await;
    assert_eq!(asked(), 2 * once);
}

/// AWS remembers an answer with its token; whether it does so of a dry run is not documented.
#[tokio::test]
async fn no_rehearsal_has_the_token_of_anything_else() {
    let (world, function, protected) = world().await;
    sweeps(&world, &function, 2).await;
    world.retag(protected.instance.as_str(), &[("Name", "another")]);
    // A value alone makes a version an hour at most.
    sweeps(&world, &function, 6).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let tokens: Vec<String> = world.look(|it| {
        let rehearsed = it.rehearsed.iter().filter_map(|(_, it)| match it {
            Rehearsal::Launch { launch, .. } => Some(launch.token.clone()),
            _ => None,
        });
        let launched = it.journal.iter().filter_map(|it| match &it.action {
            Action::Launch(launch) => Some(launch.token.clone()),
            _ => None,
        });
        rehearsed.chain(launched).collect()
    });
    let distinct: BTreeSet<&String> = tokens.iter().collect();
    assert!(tokens.len() > 8, "{tokens:?}");
    assert_eq!(distinct.len(), tokens.len(), "{tokens:?}");
}

/// EC2 grants few launches a second to the whole account.
#[tokio::test]
async fn of_many_a_few_are_rehearsed_at_each_sweep_and_each_in_its_turn() {
    let world = World::new(3);
    let function = function(&world);
    for _ in 0..30 {
        let _ = world.protected_in("eu-west-1a", &[]);
    }
    settle(&world, &function).await;
    let lineages = || {
        world.look(|it| {
            let launches = it.rehearsed.iter().filter_map(|(at, it)| match it {
                Rehearsal::Launch { launch, .. } => Some((*at, launch.tags[tags::RESCUE].clone())),
                _ => None,
            });
            launches.collect::<Vec<_>>()
        })
    };
    let mut before = BTreeSet::new();
    for sweep in 1..=3 {
        sweeps(&world, &function, 1).await;
        let all: BTreeSet<String> = lineages().into_iter().map(|it| it.1).collect();
        let new = all.len() - before.len();
        assert!((6..=12).contains(&new), "{new} at sweep {sweep}");
        before = all;
    }
    assert_eq!(before.len(), 30, "each has had its turn");
    let mut times: Vec<_> = lineages().into_iter().collect();
    times.sort();
    let crowded = times.windows(2).any(|it| {
        let together = it[1].0 - it[0].0 < time::Duration::seconds(15);
        together && it[0].1 != it[1].1
    });
    assert!(!crowded, "two of them at the same time: {times:?}");
}

/// AWS's tokens are for rescues first.
#[tokio::test]
async fn nothing_is_rehearsed_while_a_rescue_is_young_nor_where_it_is_switched_off() {
    let (world, function, _) = world().await;
    let asked = || world.look(|it| it.rehearsed.len());
    let other = world.protected_in("eu-west-1a", &[]);
    settle(&world, &function).await;
    world.advance(3600);
    world.interrupt(&other.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 60).await;
    world.sweep();
    let _ = world.run_for(&function, 600).await;
    assert_eq!(asked(), 0, "{}", journal(&world));
    sweeps(&world, &function, 2).await;
    assert!(asked() > 0);
    let (world, mut function, _) = self::world().await;
    let off = (tags::REHEARSAL.to_owned(), "off".to_owned());
    function.defaults.extend([off]);
    sweeps(&world, &function, 4).await;
    assert_eq!(world.look(|it| it.rehearsed.len()), 0);
}
