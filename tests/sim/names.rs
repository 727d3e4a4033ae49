//! The DNS name that follows: private stays private, public stays public, another instance's record stays.

use crate::support::{Function, assert_whole, code, count, function, journal, prepared, settle};
use serde_json::Value;
use spot_rescue::cloud::Cloud;
use spot_rescue::dns::{DnsName, RecordType, Says};
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::id::InstanceId;
use spot_rescue::sim::{FailingCloud, Fault, Kind, Limit, On, Protected, World};
use spot_rescue::step::{Action, PointName};
use spot_rescue::tags::Tags;
use std::cell::RefCell;

const TEXT: &str = "Z0123456789ABCDEFGHIJ db.example.org";

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

fn telling(world: &World) -> Function {
    LINES.with_borrow_mut(Vec::clear);
    Handler {
        seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
        print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
        ..function(world)
    }
}

/// Everything reported so far.
fn told() -> String {
    LINES.with_borrow(|it| it.join("\n"))
}

/// The names in the outcome of the rescue.
fn names_left() -> Vec<String> {
    let lines = LINES.with_borrow(Clone::clone);
    let outcome = lines.iter().rev().find(|it| it.contains("\"outcome\""));
    let outcome: Value = serde_json::from_str(outcome.expect("an outcome")).expect("JSON");
    let names = outcome["names_left"].as_array().expect("a list");
    names
        .iter()
        .map(|it| it.as_str().unwrap_or_default().to_owned())
        .collect()
}

fn says(address: &str) -> Says {
    Says::Addresses {
        ttl: 37,
        values: vec![address.to_owned()],
    }
}

/// A protected instance with a name that says what `of` returns.
async fn named(seed: u64, of: impl Fn(&World, &Protected) -> Says) -> Named {
    let world = World::new(seed);
    let protected = world.protected_in("eu-west-1a", &[("spot-rescue:dns", TEXT)]);
    let name = world.record_set(TEXT, RecordType::A, of(&world, &protected));
    let function = telling(&world);
    settle(&world, &function).await;
    world.advance(3600);
    Named {
        world,
        function,
        protected,
        name,
    }
}

struct Named {
    world: World,
    function: Function,
    protected: Protected,
    name: DnsName,
}

impl Named {
    async fn rescue(&self) {
        self.world
            .interrupt(&self.protected.instance, InstanceAction::Terminate);
        settle(&self.world, &self.function).await;
        assert_whole(&self.world, &self.protected);
    }

    fn address(&self) -> String {
        self.world
            .resolve(&self.name, RecordType::A)
            .expect("a plain record")
    }

    fn changes(&self) -> usize {
        count(&self.world, |it| matches!(it, Action::PointName(_)))
    }
}

fn private(world: &World, id: &InstanceId) -> String {
    world.look(|it| it.instances[id].facts.private_addresses[0].clone())
}

fn public(world: &World, id: &InstanceId) -> Option<String> {
    world.look(|it| it.public_address(id))
}

fn head(world: &World) -> InstanceId {
    world.look(|it| {
        let living = it.instances.values().filter(|it| it.facts.is_alive());
        let newest = living.max_by_key(|it| it.facts.launch_time);
        newest.expect("one lives").facts.id.clone()
    })
}

fn at_private(world: &World, it: &Protected) -> Says {
    says(&private(world, &it.instance))
}

/// No Elastic IP: one of Amazon's addresses.
fn at_amazons(world: &World, it: &Protected) -> Says {
    world.change(|state| state.addresses.clear());
    world.give_public_address(&it.instance);
    says(&public(world, &it.instance).expect("one of Amazon's"))
}

#[tokio::test]
async fn a_private_address_is_replaced_by_a_private_one() {
    let it = named(1, at_private).await;
    it.rescue().await;
    assert_eq!(
        it.address(),
        private(&it.world, &head(&it.world)),
        "{}",
        journal(&it.world)
    );
    let kept = it
        .world
        .look(|state| state.zones[it.name.zone()].names[it.name.name()].clone());
    assert!(
        matches!(&kept[..], [set] if set.says == says(&it.address())),
        "with its TTL"
    );
    assert_eq!(names_left(), [""; 0]);
}

#[tokio::test]
async fn a_public_address_is_replaced_by_a_public_one() {
    let world = World::new(2);
    let protected = world.protected_in("eu-west-1a", &[("spot-rescue:dns", TEXT)]);
    let name = world.record_set(TEXT, RecordType::A, at_amazons(&world, &protected));
    let function = telling(&world);
    settle(&world, &function).await;
    world.advance(3600);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    let said = world.resolve(&name, RecordType::A);
    assert!(said.is_some());
    assert_eq!(said, public(&world, &head(&world)), "{}", journal(&world));
}

/// The address moves along: no record set has to be changed.
#[tokio::test]
async fn a_name_that_says_an_elastic_ip_is_left_alone() {
    let elastic =
        |world: &World, it: &Protected| says(&public(world, &it.instance).expect("an Elastic IP"));
    let it = named(3, elastic).await;
    let before = it.address();
    it.rescue().await;
    assert_eq!(it.address(), before);
    assert_eq!(it.changes(), 0, "{}", journal(&it.world));
    assert_eq!(names_left(), [""; 0]);
}

#[tokio::test]
async fn a_record_set_that_another_caller_has_changed_is_left_alone() {
    let it = named(4, at_private).await;
    let _ = it.world.record_set(TEXT, RecordType::A, says("192.0.2.7"));
    it.rescue().await;
    assert_eq!(it.address(), "192.0.2.7", "{}", journal(&it.world));
    assert!(
        names_left()[0].contains("says 192.0.2.7"),
        "{:?}",
        names_left()
    );
}

/// The change is seen in the middle of a rescue as well.
#[tokio::test]
async fn a_change_in_the_middle_of_a_rescue_is_left_as_well() {
    let it = named(5, at_private).await;
    it.world
        .interrupt(&it.protected.instance, InstanceAction::Terminate);
    let _ = it.world.run_for(&it.function, 100).await;
    let _ = it.world.record_set(TEXT, RecordType::A, says("192.0.2.7"));
    settle(&it.world, &it.function).await;
    assert_eq!(it.address(), "192.0.2.7");
    assert_eq!(it.changes(), 0, "{}", journal(&it.world));
}

#[tokio::test]
async fn a_record_set_with_more_than_an_address_is_reported_beforehand_and_never_written_over() {
    let several = Says::Addresses {
        ttl: 60,
        values: vec!["192.0.2.7".to_owned(), "192.0.2.8".to_owned()],
    };
    for (special, what) in [
        (Says::Special("an alias"), "is an alias"),
        (
            Says::Special("one of several with the name"),
            "is one of several",
        ),
        (several, "says 2 addresses"),
        (
            says("192.0.2.7"),
            "says 192.0.2.7, which is no address of the instance",
        ),
    ] {
        let it = named(6, |_, _| special.clone()).await;
        assert!(told().contains(what), "{what}: {}", told());
        it.rescue().await;
        assert_eq!(it.changes(), 0, "{}", journal(&it.world));
        assert!(names_left()[0].contains(what), "{:?}", names_left());
    }
}

/// Without a permission, or with a zone that is gone: reported before and after, and no rescue waits for it.
#[tokio::test]
async fn a_zone_that_may_not_be_used_is_told_and_holds_nothing_up() {
    for (denied, what) in [(true, "AccessDenied"), (false, "NoSuchHostedZone")] {
        let (world, function, protected) = prepared(7, &[("spot-rescue:dns", TEXT)]).await;
        let function = Handler {
            seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
            print: telling(&world).print,
            ..function
        };
        let name = world.record_set(TEXT, RecordType::A, at_private(&world, &protected));
        world.change(|it| {
            it.zones.get_mut(name.zone()).expect("made").denied = denied;
            if !denied {
                it.zones.clear();
            }
        });
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        settle(&world, &function).await;
        assert_whole(&world, &protected);
        assert!(names_left()[0].contains(what), "{:?}", names_left());
        assert!(told().contains("HostedZoneArns"));
        let outcome = told()
            .lines()
            .find(|it| it.contains("back-in-service"))
            .map(str::to_owned);
        let outcome: Value = serde_json::from_str(&outcome.expect("one")).expect("JSON");
        let seconds = outcome["seconds"].clone();
        let of = |it: &str| seconds[it].as_f64().expect("reached");
        assert!(
            of("back-in-service") - of("data-attached") < 90.0,
            "{seconds}"
        );
    }
}

/// The read was allowed, the change is not.
#[tokio::test]
async fn a_change_that_is_refused_is_told_and_holds_nothing_up() {
    for code in ["AccessDenied", "InvalidChangeBatch"] {
        let it = named(8, at_private).await;
        let on = On::Every("ChangeResourceRecordSets");
        let kind = Kind::Code(code);
        let function = Handler {
            cloud: FailingCloud::new(it.world.clone(), vec![Fault { on, kind }]),
            clock: it.world.clone(),
            defaults: Tags::new(),
            seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
            print: it.function.print,
        };
        it.world
            .interrupt(&it.protected.instance, InstanceAction::Terminate);
        assert!(it.world.run_until_quiet(&function).await.quiet);
        assert_whole(&it.world, &it.protected);
        let struck = function.cloud.struck();
        assert!(
            (1..9).contains(&struck.len()),
            "asked a few times: {struck:?}"
        );
        assert!(
            names_left()[0].contains("could not be changed"),
            "{:?}",
            names_left()
        );
        assert!(told().contains(code));
    }
}

/// A throttled read is no answer: nothing is concluded from it.
#[tokio::test]
async fn a_throttled_read_is_waited_for() {
    let it = named(9, at_private).await;
    let none = Limit {
        capacity: 0.0,
        per_second: 0.0,
    };
    it.world
        .change(|state| state.throttle("ListResourceRecordSets", none));
    it.world
        .interrupt(&it.protected.instance, InstanceAction::Terminate);
    let _ = it.world.run_for(&it.function, 240).await;
    assert!(!told().contains("back-in-service\""), "{}", told());
    let usual = Limit {
        capacity: 5.0,
        per_second: 5.0,
    };
    it.world
        .change(|state| state.throttle("ListResourceRecordSets", usual));
    settle(&it.world, &it.function).await;
    assert_whole(&it.world, &it.protected);
    assert_eq!(
        it.address(),
        private(&it.world, &head(&it.world)),
        "{}",
        journal(&it.world)
    );
}

/// The replacement is interrupted when it has the name, and before the rescue is over.
#[tokio::test]
async fn a_name_that_has_moved_moves_on() {
    for after in [0, 3, 20] {
        let it = named(10, at_private).await;
        it.world
            .interrupt(&it.protected.instance, InstanceAction::Terminate);
        while it.changes() == 0 {
            let _ = it.world.run_for(&it.function, 1).await;
        }
        let _ = it.world.run_for(&it.function, after).await;
        let second = head(&it.world);
        it.world.interrupt(&second, InstanceAction::Terminate);
        settle(&it.world, &it.function).await;
        assert_whole(&it.world, &it.protected);
        let third = head(&it.world);
        assert_ne!(third, second);
        assert_eq!(
            it.address(),
            private(&it.world, &third),
            "{}",
            journal(&it.world)
        );
    }
}

/// One of Amazon's addresses is another after a stop.
#[tokio::test]
async fn a_name_follows_a_public_address_that_a_stop_has_changed() {
    let it = named(11, at_amazons).await;
    let before = it.address();
    it.world
        .interrupt(&it.protected.instance, InstanceAction::Stop);
    let _ = it.world.run_for(&it.function, 600).await;
    it.world.resume(&it.protected.instance);
    it.world.give_public_address(&it.protected.instance);
    let _ = it.world.run_until_quiet(&it.function).await;
    let now = public(&it.world, &it.protected.instance).expect("runs");
    assert_ne!(now, before);
    assert_eq!(it.address(), now, "{}", journal(&it.world));
}

/// Five requests a second are all that the whole account has.
#[tokio::test]
async fn a_name_is_looked_up_when_it_counts_and_others_cost_nothing() {
    let it = named(12, at_private).await;
    let asked = || {
        let calls = |it: &spot_rescue::sim::State| it.calls.get("ListResourceRecordSets").copied();
        it.world.look(calls).unwrap_or_default()
    };
    for _ in 0..4 {
        it.world.sweep();
        settle(&it.world, &it.function).await;
        it.world.advance(900);
    }
    assert_eq!(asked(), 1, "when it was prepared");
    it.rescue().await;
    assert!(asked() <= 5, "{}", asked());
    let (world, function, protected) = prepared(12, &[]).await;
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert!(world.look(|it| !it.calls.contains_key("ListResourceRecordSets")));
}

/// Two instances, one of them not the victim's, and a tag that any user may write.
#[tokio::test]
async fn a_name_of_another_instance_is_not_taken() {
    let (world, function, thief) = prepared(13, &[("spot-rescue:dns", TEXT)]).await;
    let victim = world.spot_instance("m5.large", "eu-west-1a").run();
    let name = world.record_set(TEXT, RecordType::A, says(&private(&world, &victim)));
    world.interrupt(&thief.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    assert_whole(&world, &thief);
    let said = world.resolve(&name, RecordType::A);
    assert_eq!(said, Some(private(&world, &victim)), "{}", journal(&world));
}

/// The simulator: an UPSERT overwrites without an error.
#[tokio::test]
async fn an_alias_would_be_written_over_without_an_error() {
    let world = World::new(14);
    let name = world.record_set(TEXT, RecordType::A, Says::Special("an alias"));
    let point = |kind, address: &str| {
        Action::PointName(PointName {
            name: name.clone(),
            kind,
            ttl: 60,
            address: address.to_owned(),
        })
    };
    assert!(world.act(&point(RecordType::A, "10.0.0.7")).await.is_ok());
    assert_eq!(
        world.resolve(&name, RecordType::A).as_deref(),
        Some("10.0.0.7")
    );
    let refused = world.act(&point(RecordType::Aaaa, "10.0.0.7")).await;
    assert_eq!(code(refused), "InvalidChangeBatch");
    let _ = world.record_set(
        TEXT,
        RecordType::A,
        Says::Special("one of several with the name"),
    );
    let refused = world.act(&point(RecordType::A, "10.0.0.7")).await;
    assert_eq!(code(refused), "InvalidChangeBatch");
}
