//! Users' tags may leave no room for ours: fifty are allowed, and each call counts them all together.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>

use crate::support::{Function, code, count, function, journal, lineage, lost_writes, missing};
use spot_rescue::cloud::Cloud;
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{Protected, Supply, World, invariants};
use spot_rescue::situation::{Instance, Market};
use spot_rescue::step::{Action, Except};
use spot_rescue::tags::{self, Tags, limits};
use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
    /// Violations at any rest.
    static WRONG: RefCell<BTreeSet<String>> = const { RefCell::new(BTreeSet::new()) };
}

async fn settle(world: &World, function: &Function) {
    let run = world.run_until_quiet(function).await;
    let loud = (!run.quiet).then(|| "never quiet".to_owned());
    let wrong = world.look(invariants::at_quiescence);
    WRONG.with_borrow_mut(|it| it.extend(wrong.into_iter().chain(loud)));
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum On {
    Instance,
    Volume,
    Both,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Story {
    SameZone,
    Chain,
    OtherZone,
    KeepRoot,
}

const ON: [On; 3] = [On::Instance, On::Volume, On::Both];
const STORIES: [Story; 4] = [
    Story::SameZone,
    Story::Chain,
    Story::OtherZone,
    Story::KeepRoot,
];

/// Without the function's tags, and EC2's.
fn users(tags: &Tags) -> Tags {
    let all = tags.iter();
    let users = all.filter(|(key, _)| limits::is_counted(key) && !tags::is_own(key));
    users
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

fn tags_of(world: &World, id: &str) -> Tags {
    world
        .look(|it| {
            let instance = id.parse::<InstanceId>().ok();
            let volume = id.parse::<VolumeId>().ok();
            let instance = instance.and_then(|id| it.instances.get(&id));
            let volume = volume.and_then(|id| it.volumes.get(&id));
            let instance = instance.map(|it| it.tags.current().clone());
            instance.or_else(|| volume.map(|it| it.tags.current().clone()))
        })
        .unwrap_or_default()
}

/// Adds tags until the user has given it so many.
fn fill(world: &World, id: &str, count: usize) {
    let present = users(&tags_of(world, id)).len();
    let names: Vec<String> = (present..count).map(|n| format!("user-{n:02}")).collect();
    let more: Vec<(&str, &str)> = names.iter().map(|it| (it.as_str(), "v")).collect();
    world.retag(id, &more);
}

fn alive(world: &World) -> Vec<Instance> {
    world.look(|it| {
        let all = it.instances.values().map(|it| it.facts.clone());
        all.filter(Instance::is_alive).collect()
    })
}

/// Prepared an hour ago, and swept since.
async fn world_of(count: usize, on: On, story: Story) -> (World, Function, Protected) {
    let world = World::new(count as u64);
    let function = function(&world);
    let elsewhere = world.subnet("eu-west-1b").to_string();
    let policy: &[(&str, &str)] = match story {
        Story::SameZone | Story::Chain => &[],
        Story::OtherZone => &[("spot-rescue:subnets", &elsewhere)],
        Story::KeepRoot => &[("spot-rescue:root", "keep")],
    };
    let protected = world.protected_in("eu-west-1a", policy);
    if on != On::Volume {
        fill(&world, protected.instance.as_str(), count);
    }
    if on != On::Instance {
        fill(&world, protected.data[0].as_str(), count);
    }
    if on == On::Both {
        fill(&world, protected.data[1].as_str(), count);
        fill(&world, protected.root.as_str(), count);
    }
    settle(&world, &function).await;
    world.advance(3600);
    world.sweep();
    settle(&world, &function).await;
    (world, function, protected)
}

async fn interrupt(world: &World, function: &Function, id: &InstanceId) {
    world.interrupt(id, InstanceAction::Terminate);
    settle(world, function).await;
}

async fn rescue(world: &World, function: &Function, protected: &Protected, story: Story) {
    if story == Story::OtherZone {
        for market in [Market::Spot, Market::OnDemand] {
            world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
        }
    }
    interrupt(world, function, &protected.instance).await;
    if story == Story::Chain {
        world.advance(600);
        world.sweep();
        settle(world, function).await;
        interrupt(world, function, &alive(world)[0].id).await;
    }
}

/// Changes other than messages.
fn changes(world: &World) -> usize {
    let change = |it: &Action| !matches!(it, Action::Wake { .. });
    count(world, change)
}

/// A day and a few sweeps later nothing is left of the rescue, and nothing is done any more.
async fn leftovers(world: &World, function: &Function) -> Vec<String> {
    for hours in [1, 25, 1, 24, 1] {
        world.advance(hours * 3600);
        world.sweep();
        settle(world, function).await;
    }
    let before = changes(world);
    world.advance(900);
    world.sweep();
    settle(world, function).await;
    let mut all = world.look(|it| {
        let volumes = it
            .volumes
            .values()
            .filter(|it| it.facts.attachments.is_empty());
        let snapshots = it.snapshots.values().filter(|it| it.own);
        let free = volumes.map(|it| it.facts.id.to_string());
        free.chain(snapshots.map(|it| it.facts.id.to_string()))
            .collect::<Vec<_>>()
    });
    if changes(world) > before {
        all.push("never quiet".to_owned());
    }
    all
}

/// The rule: 48 of the instance's tags, all of a volume's that moves, 41 of one that is made anew. The function's own
/// are among those that stay.
fn kept(world: &World, protected: &Protected, given: &BTreeMap<String, Tags>) -> Vec<String> {
    let instance = alive(world).remove(0);
    let mut wrong = Vec::new();
    let mut check = |what: &str, had: &Tags, most: usize, has: Tags| {
        let has = users(&has);
        let policy = |it: &&String| it.starts_with(tags::OPT_IN);
        let whole = had
            .iter()
            .filter(|(key, _)| policy(key))
            .all(|it| has.get(it.0) == Some(it.1));
        let foreign = has.keys().any(|it| !had.contains_key(it));
        if has.len() != had.len().min(most) || !whole || foreign {
            wrong.push(format!(
                "{what} has {} of {} user tags",
                has.len(),
                had.len()
            ));
        }
    };
    let (was, id) = (protected.instance.as_str(), instance.id.as_str());
    check(was, &given[was], 48, tags_of(world, id));
    for device in instance
        .devices
        .iter()
        .filter(|it| !instance.is_root(&it.name))
    {
        let origin = world.look(|it| it.volumes[&device.volume].content.origin.to_string());
        let most = if origin == device.volume.as_str() {
            50
        } else {
            41
        };
        check(
            &origin,
            &given[&origin],
            most,
            tags_of(world, device.volume.as_str()),
        );
    }
    wrong
}

/// Calls that were refused for it. Marks of a launch are written at once, without a look: that call may be.
fn refused(world: &World) -> Vec<String> {
    world.look(|it| {
        let over = |e: &&spot_rescue::sim::Entry| matches!(&e.outcome, Err(e) if e.code == "TagLimitExceeded");
        let mark = |e: &&spot_rescue::sim::Entry| {
            matches!(&e.action, Action::Tag { tags, .. } if tags.len() == 3 && tags.contains_key(tags::REPLACES))
        };
        let all = it.journal.iter().filter(over).filter(|it| !mark(it));
        all.map(ToString::to_string).collect()
    })
}

async fn play(count: usize, on: On, story: Story) -> Vec<String> {
    let (world, function, protected) = world_of(count, on, story).await;
    let named = [
        protected.instance.as_str(),
        protected.data[0].as_str(),
        protected.data[1].as_str(),
    ];
    let given = named.map(|it| (it.to_owned(), users(&tags_of(&world, it))));
    let given = BTreeMap::from(given);
    rescue(&world, &function, &protected, story).await;
    let mut wrong = missing(&world, &protected);
    if lost_writes(&world, &protected) != [0, 0] {
        wrong.push(format!("lost writes {:?}", lost_writes(&world, &protected)));
    }
    if wrong.is_empty() {
        wrong.extend(kept(&world, &protected, &given));
        wrong.extend(leftovers(&world, &function).await);
        wrong.extend(missing(&world, &protected));
    }
    wrong.extend(WRONG.take());
    wrong.extend(refused(&world));
    if !wrong.is_empty() && std::env::var("JOURNAL").is_ok() {
        println!("{}", journal(&world));
    }
    let row = |it| format!("{count} on {on:?}, {story:?}: {it}");
    wrong.into_iter().map(row).collect()
}

/// Every row with `ALL=1`; else each count, each place and each story with a few of the others.
#[tokio::test]
async fn users_tags_leave_no_rescue_without_room() {
    let all = std::env::var("ALL").is_ok();
    let only: Option<usize> = std::env::var("ONLY").ok().and_then(|it| it.parse().ok());
    let counts = if all {
        (38..=50).collect()
    } else {
        vec![38, 44, 45, 46, 47, 48, 49, 50]
    };
    let mut wrong = Vec::new();
    for (n, count) in counts.into_iter().enumerate() {
        let rows = ON
            .into_iter()
            .flat_map(|on| STORIES.map(|story| (on, story)));
        for (m, (on, story)) in rows.enumerate() {
            let sampled = (n + m) % 4 == 0 || (count >= 48 && on == On::Both);
            if only.map_or(all || sampled, |it| it == count) {
                wrong.extend(play(count, on, story).await);
            }
        }
    }
    assert!(wrong.is_empty(), "{wrong:#?}");
}

/// The limit is on all that one call gives together.
#[tokio::test]
async fn aws_counts_what_is_copied_and_what_is_given_together() {
    let world = World::new(1);
    let protected = world.protected_instance();
    fill(&world, protected.data[0].as_str(), 50);
    let set = |copy_tags| Action::SnapshotInstance {
        instance: protected.instance.clone(),
        description: String::new(),
        tags: Tags::from([("a".to_owned(), "b".to_owned())]),
        copy_tags,
        except: Except::default(),
    };
    assert_eq!(code(world.act(&set(true)).await), "TagLimitExceeded");
    assert_eq!(world.look(|it| it.snapshots.len()), 0);
    world.act(&set(false)).await.expect("none copied");
    let one_more = Action::Tag {
        resources: vec![protected.data[0].to_string()],
        tags: Tags::from([("a".to_owned(), "b".to_owned())]),
    };
    assert_eq!(code(world.act(&one_more).await), "TagLimitExceeded");
    let reserved = [("aws:ec2launchtemplate:id", "lt-0123456789abcdef0")];
    fill(&world, protected.instance.as_str(), 49);
    world.retag(protected.instance.as_str(), &reserved);
    let last = Action::Tag {
        resources: vec![protected.instance.to_string()],
        tags: Tags::from([("a".to_owned(), "b".to_owned())]),
    };
    world.act(&last).await.expect("EC2's own do not count");
    assert_eq!(lineage(&world, &protected).live, 1);
}

/// One place is always left for it: twins and late invocations see it before they read the record.
#[tokio::test]
async fn a_tombstone_finds_its_place() {
    for count in [38, 44, 45, 46, 47, 48, 49] {
        let (world, function, protected) = world_of(count, On::Instance, Story::SameZone).await;
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 5).await;
        let tags = tags_of(&world, protected.instance.as_str());
        assert!(
            tags.contains_key(tags::INTERRUPTED_AT),
            "{count}\n{}",
            journal(&world)
        );
    }
}

/// The first failure of an action decides its result, and the others are done.
#[tokio::test]
async fn a_volume_that_takes_no_tag_keeps_no_other_from_its_own() {
    let (world, _, protected) = world_of(38, On::Instance, Story::SameZone).await;
    fill(&world, protected.data[0].as_str(), 50);
    let seal = spot_rescue::seal::Seal::of(None);
    let now = spot_rescue::clock::Clock::now(&world);
    let sealed = spot_rescue::seal::Sealed::new(&world, &seal, now);
    let action = Action::Tag {
        resources: protected.data.iter().map(ToString::to_string).collect(),
        tags: Tags::from([(tags::EXPIRES_AT.to_owned(), "later".to_owned())]),
    };
    assert_eq!(code(sealed.act(&action).await), "TagLimitExceeded");
    let tags = tags_of(&world, protected.data[1].as_str());
    assert!(tags.contains_key(tags::EXPIRES_AT));
}

/// A spare that was not needed is given back, however many tags its user has.
#[tokio::test]
async fn a_spare_has_room_for_its_end() {
    for count in [44, 46, 48, 50] {
        let world = World::new(count as u64);
        let function = function(&world);
        let policy = [("spot-rescue:rebalance", "replace")];
        let protected = world.protected_in("eu-west-1a", &policy);
        fill(&world, protected.instance.as_str(), count);
        settle(&world, &function).await;
        world.recommend_rebalance(&protected.instance);
        settle(&world, &function).await;
        assert_eq!(alive(&world).len(), 2, "{count}\n{}", journal(&world));
        for _ in 0..10 {
            world.advance(3600);
            world.sweep();
            settle(&world, &function).await;
        }
        let wrong = WRONG.take();
        assert!(wrong.is_empty(), "{count} {wrong:#?}\n{}", journal(&world));
        assert_eq!(alive(&world).len(), 1, "{count}\n{}", journal(&world));
        assert!(missing(&world, &protected).is_empty());
    }
}

/// Reported when a rescue is prepared, and not in the rescue.
#[tokio::test]
async fn tags_without_room_are_reported_beforehand() {
    for (count, on, told) in [
        (38, On::Both, &[][..]),
        (47, On::Volume, &["snapshots get the function's"]),
        (49, On::Volume, &["has no room for an expiry"]),
        (50, On::Volume, &["may not attach it"]),
        (47, On::Instance, &["has no room for spot-rescue:rescue"]),
        (
            50,
            On::Instance,
            &["is launched without its tags user-48 user-49"],
        ),
    ] {
        LINES.with_borrow_mut(Vec::clear);
        let world = World::new(count as u64);
        let function = Handler {
            print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
            ..function(&world)
        };
        let protected = world.protected_instance();
        if on != On::Volume {
            fill(&world, protected.instance.as_str(), count);
        }
        if on != On::Instance {
            fill(&world, protected.data[0].as_str(), count);
        }
        settle(&world, &function).await;
        let lines = LINES.with_borrow(|it| it.join("\n"));
        let room = ["has no room", "is launched without", "snapshots get"];
        assert_eq!(
            room.iter().any(|it| lines.contains(it)),
            !told.is_empty(),
            "{count} {on:?} {lines}"
        );
        assert!(
            told.iter().all(|it| lines.contains(it)),
            "{count} {on:?} {lines}"
        );
    }
}
