//! TRAP 36: keys that cannot be used show only after the call; and restores that EC2 fills faster.

use crate::support::{
    assert_whole, count, failing, function, journal, lineage, lost_writes, prepared, settle,
};
use spot_rescue::event::InstanceAction;
use spot_rescue::sim::{DATA_DEVICES, Fault, Kind, On, Protected, Supply, World};
use spot_rescue::situation::{KeyState, Market, VolumeSettings};
use spot_rescue::step::{Action, CreateVolume};
use spot_rescue::tags;

thread_local! {
    static LINES: std::cell::RefCell<Vec<String>> = const { std::cell::RefCell::new(Vec::new()) };
}

const KEY: &str = "arn:aws:kms:eu-west-1:123456789012:key/0f";

fn restores(world: &World) -> Vec<CreateVolume> {
    world.look(|it| {
        let all = it.journal.iter().filter_map(|it| match &it.action {
            Action::CreateVolume(create) => Some(create.clone()),
            _ => None,
        });
        all.collect()
    })
}

/// One data volume, encrypted with a key of the user's; its replacement will be in another zone.
async fn encrypted(seed: u64) -> (World, spot_rescue::id::InstanceId) {
    let world = World::new(seed);
    let elsewhere = world.subnet("eu-west-1b");
    let settings = VolumeSettings {
        volume_type: "gp3".to_owned(),
        size: 20,
        iops: Some(3000),
        throughput: Some(125),
        encrypted: true,
        kms_key: Some(KEY.to_owned()),
        multi_attach: false,
    };
    let builder = world.spot_instance("m5.large", "eu-west-1a").protected();
    let builder = builder.tags(&[("spot-rescue:subnets", elsewhere.as_str())]);
    let id = builder.volume_like(DATA_DEVICES[0], settings, false).run();
    settle(&world, &function(&world)).await;
    world.advance(3600);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    (world, id)
}

/// Whether the volume ends in `error` or is simply gone: the same token would go on naming it.
#[tokio::test]
async fn a_key_that_cannot_be_used_is_not_tried_for_ever_and_works_once_it_is_granted() {
    for vanish in [false, true] {
        let (world, id) = encrypted(71).await;
        let function = function(&world);
        world.change(|it| {
            it.broken_keys.insert(KEY.to_owned());
            it.keys_vanish = vanish;
        });
        world.interrupt(&id, InstanceAction::Terminate);
        let _ = world.run_for(&function, 3600).await;
        let tokens = || {
            let all = restores(&world).into_iter().map(|it| it.token);
            all.collect::<std::collections::BTreeSet<_>>().len()
        };
        assert!(
            (2..=10).contains(&tokens()),
            "{} tokens\n{}",
            tokens(),
            journal(&world)
        );
        let tries = count(&world, |it| matches!(it, Action::CreateVolume(_)));
        assert!(tries <= 60, "{tries} tries\n{}", journal(&world));
        // The key is granted.
        world.change(|it| it.broken_keys.clear());
        world.sweep();
        let _ = world.run_for(&function, 3600).await;
        let found = world.summary().lineages.remove(&id).expect("known");
        assert_eq!(found.volumes.len(), 1, "{}", journal(&world));
        assert!(found.volumes.values().all(|it| it.lost_writes == 0));
    }
}

/// An instance that dies while booting is replaced, but not for ever.
#[tokio::test]
async fn replacements_that_all_die_booting_are_not_launched_without_end() {
    let (world, function, protected) = prepared(72, &[]).await;
    world.change(|it| it.boot_failures = vec!["Client.InternalError"; 50]);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 1800).await;
    let launches = count(&world, |it| matches!(it, Action::Launch(_)));
    assert!(
        (3..=4).contains(&launches),
        "{launches}\n{}",
        journal(&world)
    );
    // The key is granted; in the hour after, EC2 has forgotten those that died.
    world.change(|it| it.boot_failures.clear());
    for _ in 0..8 {
        world.advance(900);
        world.sweep();
        let _ = world.run_for(&function, 300).await;
    }
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
}

async fn restored_elsewhere(seed: u64, limited: bool) -> (World, Protected) {
    let (world, function, protected) =
        prepared(seed, &[("spot-rescue:initialization-rate", "200")]).await;
    let elsewhere = world.subnet("eu-west-1b");
    let tag = ("spot-rescue:subnets", elsewhere.as_str());
    world.retag(protected.instance.as_str(), &[tag]);
    for market in [Market::Spot, Market::OnDemand] {
        world.supply("m5.large", "eu-west-1a", market, Supply::Left(0));
    }
    world.change(|it| it.no_initialization_rate = limited);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    settle(&world, &function).await;
    (world, protected)
}

/// TRAP 38: restored volumes are loaded lazily, unless a faster rate is paid for.
#[tokio::test]
async fn a_restored_volume_is_initialized_as_fast_as_the_user_wants() {
    let (world, protected) = restored_elsewhere(73, false).await;
    assert_whole(&world, &protected);
    let rates: Vec<_> = restores(&world)
        .iter()
        .map(|it| it.initialization_rate)
        .collect();
    assert_eq!(rates, [Some(200), Some(200)]);
}

/// The rates of an account are limited in sum: a slow volume is better than none.
#[tokio::test]
async fn a_rate_that_is_refused_is_left_out_in_the_same_breath() {
    let (world, protected) = restored_elsewhere(74, true).await;
    assert_whole(&world, &protected);
    assert_eq!(lost_writes(&world, &protected), [0, 0]);
    let found = lineage(&world, &protected);
    assert!(found.volumes.values().all(|it| it.is_copy));
}

/// The log says what a person has to do, and the rescue goes on once it is done.
#[tokio::test]
async fn a_type_that_takes_no_more_volumes_is_told_with_what_to_do() {
    let (world, function, protected) = prepared(75, &[]).await;
    LINES.with_borrow_mut(Vec::clear);
    let function = spot_rescue::handler::Handler {
        print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
        ..function
    };
    // Its root, its interface, and one more.
    world.change(|it| it.config.most_attachments = 3);
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&function, 400).await;
    let told = LINES.with_borrow(|it| it.join("\n"));
    assert!(told.contains("AttachmentLimitExceeded"), "{told}");
    assert!(told.contains("spot-rescue:instance-types"), "{told}");
    let found = lineage(&world, &protected);
    assert!(
        found.volumes.len() == 1 && found.targets.is_empty(),
        "no traffic without all of its data"
    );
    world.change(|it| it.config.most_attachments = 28);
    world.sweep();
    settle(&world, &function).await;
    assert_whole(&world, &protected);
}

/// An instance has the product codes of its volumes.
#[tokio::test]
async fn a_data_volume_of_the_marketplace_is_told_beforehand() {
    LINES.with_borrow_mut(Vec::clear);
    let world = World::new(76);
    let function = spot_rescue::handler::Handler {
        print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
        ..function(&world)
    };
    let protected = world.protected_instance();
    world.change(|it| {
        let instance = it.instances.get_mut(&protected.instance).expect("it runs");
        instance.facts.boot.product_codes.push("abc123".to_owned());
    });
    settle(&world, &function).await;
    let told = LINES.with_borrow(|it| it.join("\n"));
    assert!(told.contains("product code abc123"), "{told}");
}

/// What each sweep has said since the last time: keys that cannot be used, and such as can be again.
fn said(word: &str) -> usize {
    let lines = LINES.take();
    lines.iter().filter(|it| it.contains(word)).count()
}

/// The table: the state that KMS shows, whether the stack names the key, and the words of what to do.
#[tokio::test]
async fn a_key_that_cannot_be_used_any_more_is_told_at_the_next_sweep_and_once() {
    for (state, is_named, remedy) in [
        (KeyState::Disabled, true, Some("enable-key")),
        (KeyState::PendingDeletion, true, Some("cancel-key-deletion")),
        (KeyState::PendingImport, true, Some("import-key-material")),
        (
            KeyState::Unavailable,
            true,
            Some("connect-custom-key-store"),
        ),
        (KeyState::Gone, true, Some("another key")),
        (KeyState::Usable, true, None),
        (KeyState::Disabled, false, None),
    ] {
        let (world, _) = encrypted(73).await;
        let mut function = function(&world);
        function.print = |line| LINES.with_borrow_mut(|it| it.push(line.to_owned()));
        if is_named {
            let keys = (tags::KMS_KEYS.to_owned(), KEY.to_owned());
            function.defaults.insert(keys.0, keys.1);
        }
        let sweeps = async |times: u32, word: &str| {
            for _ in 0..times {
                world.advance(900);
                world.sweep();
                settle(&world, &function).await;
            }
            said(word)
        };
        world.change(|it| it.key_states.insert(KEY.to_owned(), state));
        let text = remedy.unwrap_or("would meet refusals");
        let expected = usize::from(remedy.is_some());
        assert_eq!(sweeps(4, text).await, expected, "{state:?} {is_named}");
        let calls = world.look(|it| it.calls.get("DescribeKey").copied().unwrap_or(0));
        assert_eq!(calls > 0, is_named, "{calls}");
        world.change(|it| it.key_states.clear());
        assert_eq!(sweeps(4, "no longer refused: key/0f").await, expected);
    }
}

/// A key that may not be described, or cannot be for a while, is no finding, and changes nothing that is on record.
#[tokio::test]
async fn a_key_that_cannot_be_read_is_no_finding() {
    for (call, code) in [
        ("DescribeKey", "AccessDeniedException"),
        ("DescribeKey", "ThrottlingException"),
        ("DescribeVolumes", "RequestLimitExceeded"),
    ] {
        let (world, _) = encrypted(74).await;
        let fault = Fault {
            on: On::Every(call),
            kind: Kind::Code(code),
        };
        let mut unread = failing(&world, vec![fault]);
        let mut function = function(&world);
        for it in [&mut function.defaults, &mut unread.defaults] {
            it.insert(tags::KMS_KEYS.to_owned(), KEY.to_owned());
        }
        function.print = |line| LINES.with_borrow_mut(|it| it.push(line.to_owned()));
        unread.print = function.print;
        world.change(|it| it.key_states.insert(KEY.to_owned(), KeyState::Disabled));
        world.sweep();
        settle(&world, &unread).await;
        assert_eq!(said("key/0f is Disabled"), 0, "{code}");
        world.sweep();
        settle(&world, &function).await;
        assert_eq!(said("key/0f is Disabled"), 1, "{code}");
        world.sweep();
        settle(&world, &unread).await;
        assert_eq!(said("no longer refused"), 0, "{code}");
    }
}

/// EC2 says the same of a key that is disabled and of one that the role may not use. The table: whether a sweep has found
/// it disabled, and what the line about the dead replacements says.
#[tokio::test]
async fn a_replacement_that_dies_for_want_of_its_key_is_told_with_what_to_do() {
    for (state, words) in [
        (KeyState::Disabled, "it was Disabled: enable it"),
        (
            KeyState::Usable,
            "allow the function's role in the key's policy",
        ),
    ] {
        let (world, mut function, protected) = prepared(75, &[]).await;
        world.change(|it| {
            let root = it.instances[&protected.instance].facts.root().cloned();
            let root = it.volumes.get_mut(&root.expect("a root").volume);
            let settings = &mut root.expect("there").facts.settings;
            settings.encrypted = true;
            settings.kms_key = Some(KEY.to_owned());
            it.key_states.insert(KEY.to_owned(), state);
        });
        let keys = (tags::KMS_KEYS.to_owned(), KEY.to_owned());
        function.defaults.insert(keys.0, keys.1);
        function.print = |line| LINES.with_borrow_mut(|it| it.push(line.to_owned()));
        world.sweep();
        settle(&world, &function).await;
        let _ = LINES.take();
        world.all_die_booting("Client.InvalidKMSKey.InvalidState");
        world.interrupt(&protected.instance, InstanceAction::Terminate);
        let _ = world.run_for(&function, 900).await;
        let lines = LINES.take();
        let mut died = lines.iter().filter(|it| it.contains("InvalidKMSKey"));
        assert!(died.any(|it| it.contains(words)), "{state:?}\n{lines:#?}");
        assert!(
            !lines.iter().any(|it| it.contains("no longer has")),
            "{lines:#?}"
        );
    }
}
