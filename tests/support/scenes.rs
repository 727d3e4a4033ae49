//! The stages a plan is made for, by name. Each follows from the one before on a perfect AWS.

use super::apply::{apply, end_owner, settled};
use super::*;
use spot_rescue::event::{InstanceAction, Interruption};
use spot_rescue::plan::plan;
use spot_rescue::record::FirstLook;

/// A stage: what the world looks like `now`, three seconds after `at`.
pub type Scene = fn(Timestamp, &[Interruption]) -> Situation;

pub const SCENES: &[(&str, Scene)] = &[
    ("not opted in", not_opted_in),
    ("never seen before", fresh),
    ("prepared", prepared),
    ("prepared, drifted: a volume more, a target more", drifted),
    ("on-demand", on_demand),
    ("member of a group", group_member),
    ("replace is none", replace_none),
    ("misspelt policy", misspelt),
    ("volumes could not be read", unreadable),
    ("tombstone set, no replacement yet", interrupted),
    ("spot has failed once", spot_failed),
    ("replacement pending", replacement_pending),
    ("old instance ended, volumes free", ended),
    ("clones wanted, no replacement yet", clones_wanted),
    ("clones made, replacement running", clones_made),
    ("old instance ended, replacement in another zone", elsewhere),
    (
        "old instance ended, a data volume gone, set completed",
        volume_lost,
    ),
    (
        "old instance ended, a data volume gone, last set failed",
        last_set_failed,
    ),
    (
        "old instance ended, a data volume gone, no set",
        nothing_left,
    ),
    ("replacement itself interrupted", chained),
    ("no warning came, instance terminated by Spot", silent),
    ("stopped by Spot", stopped),
    ("running again after a stop", returned),
    ("at risk, a spare is asked for", at_risk),
    ("at risk, the spare waits", spare_waits),
    ("stopped, overdue, to be restored", overdue),
    ("its request is persistent and terminates", persistent),
    ("terminated by its user", ended_by_user),
    ("terminated by its user, seen again", ended_and_seen_again),
    ("forgotten by EC2 during the rescue", forgotten),
    ("rescued, old root left", rescued),
    ("a second interface, a secondary address", networked),
    ("volumes attached, a second interface free", networked_free),
    (
        "volumes attached, interface in use, secondary address taken",
        networked_taken,
    ),
    ("volumes and addresses there, names to point", named),
    ("its private address is to be kept", address_kept),
    (
        "old instance ended, its primary interface free",
        interface_free,
    ),
    (
        "old instance ended, its primary interface gone",
        interface_gone,
    ),
    ("private address given up a while ago", address_lost),
    ("an On-Demand Instance has stood in long enough", stands_in),
    ("a Spot Instance runs beside the stand-in", spot_beside),
    ("the stand-in is to give way", gives_way),
    ("the stand-in serves no more", silent_stand_in),
    ("the Spot Instance for the stand-in is gone", spot_gone),
];

pub fn scene(name: &str, at: Timestamp, notices: &[Interruption]) -> Situation {
    let (_, make) = SCENES.iter().find(|(it, _)| *it == name).unwrap();
    make(at, notices)
}

fn fresh(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = situation(at + time::Duration::seconds(3));
    situation.facts.instances[0].launch_time = at - time::Duration::days(1);
    situation.inputs.notices = notices.to_vec();
    situation.inputs.listed = BTreeSet::from([LINEAGE.parse().unwrap()]);
    situation
}

/// Every target group has been asked since.
fn warn(situation: &mut Situation, notices: &[Interruption]) {
    situation.inputs.notices = notices.to_vec();
    situation.inputs.listed = { notices.iter() }.map(|it| it.instance.clone()).collect();
}

fn not_opted_in(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = fresh(at, notices);
    situation.facts.instances[0].tags.remove(tags::OPT_IN);
    situation
}

/// What preparing leaves behind, made by preparing.
fn prepared(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = fresh(at, &[]);
    settled(&mut situation);
    warn(&mut situation, notices);
    situation
}

fn drifted(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = prepared(at, notices);
    let extra = "vol-00000000000000004";
    situation.facts.instances[0]
        .devices
        .push(device("/dev/sdh", extra, true));
    if let Fact::Known(all) = &mut situation.facts.volumes {
        all.push(volume(extra, Some((LINEAGE, "/dev/sdh")), at));
    }
    if let Fact::Known(all) = &mut situation.facts.registrations {
        all.list_mut().push(target(WEB, LINEAGE, 81));
    }
    situation
}

fn on_demand(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = fresh(at, notices);
    situation.facts.instances[0].market = Market::OnDemand;
    situation
}

fn with_tag(at: Timestamp, notices: &[Interruption], key: &str, value: &str) -> Situation {
    let mut situation = fresh(at, &[]);
    situation.facts.instances[0]
        .tags
        .insert(key.to_owned(), value.to_owned());
    settled(&mut situation);
    warn(&mut situation, notices);
    situation
}

fn group_member(at: Timestamp, notices: &[Interruption]) -> Situation {
    with_tag(at, notices, "aws:autoscaling:groupName", "workers")
}

fn replace_none(at: Timestamp, notices: &[Interruption]) -> Situation {
    with_tag(at, notices, "spot-rescue:replace", "none")
}

fn misspelt(at: Timestamp, notices: &[Interruption]) -> Situation {
    with_tag(at, notices, "spot-rescue:dta", "none")
}

fn unreadable(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = prepared(at, notices);
    let why = "RequestLimitExceeded".to_owned();
    situation.facts.volumes = Fact::Unavailable {
        operation: "DescribeVolumes",
        why,
    };
    situation
}

/// Interrupted at `at`, whatever the event at hand says.
fn interruption(at: Timestamp, action: InstanceAction) -> Interruption {
    Interruption {
        instance: LINEAGE.parse().unwrap(),
        action,
        at,
    }
}

fn begun(at: Timestamp, notices: &[Interruption], action: InstanceAction) -> Situation {
    let mut situation = prepared(at, &[]);
    let text = spot_rescue::record::interruption_text(&interruption(at, action));
    let mark = |it: &mut Tags, text| it.insert(tags::INTERRUPTED_AT.to_owned(), text);
    mark(&mut situation.facts.instances[0].tags, text);
    if let Fact::Known(Some(template)) = &mut situation.facts.template {
        let text = FirstLook::Listed.text(&interruption(at, action));
        mark(&mut template.tags, text);
    }
    warn(&mut situation, notices);
    situation
}

fn interrupted(at: Timestamp, notices: &[Interruption]) -> Situation {
    begun(at, notices, InstanceAction::Terminate)
}

fn spot_failed(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = interrupted(at, notices);
    if let Fact::Known(Some(template)) = &mut situation.facts.template {
        template
            .tags
            .insert(tags::ATTEMPTS.to_owned(), format!("{LINEAGE}=1"));
        let failed = format!(
            "spot/subnet-0123456789abcdef0/InsufficientInstanceCapacity/{}/m6i.large",
            at.unix_timestamp()
        );
        template
            .tags
            .insert(format!("{}-1", tags::FAILED_POOLS), failed);
    }
    situation
}

/// Everything that can be done at the warning has been done.
fn replacement_pending(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = interrupted(at, &[]);
    settled(&mut situation);
    let replacement = situation.facts.instances.last_mut().unwrap();
    replacement.state = InstanceState::Pending;
    warn(&mut situation, notices);
    situation
}

fn ended(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = replacement_pending(at, notices);
    situation.facts.instances.last_mut().unwrap().state = InstanceState::Running;
    end_owner(&mut situation);
    situation
}

fn clones_wanted(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = interrupted(at, notices);
    let want = |it: &mut Tags| it.insert("spot-rescue:data".to_owned(), "clone".to_owned());
    want(&mut situation.facts.instances[0].tags);
    if let Fact::Known(Some(template)) = &mut situation.facts.template {
        want(&mut template.tags);
    }
    situation
}

/// One look later.
fn clones_made(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = clones_wanted(at, notices);
    for step in plan(&situation).steps {
        apply(&mut situation, &step.action);
    }
    situation
}

fn elsewhere(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = ended(at, notices);
    OTHER_ZONE.clone_into(
        &mut situation
            .facts
            .instances
            .last_mut()
            .unwrap()
            .availability_zone,
    );
    situation
}

fn volume_lost(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = ended(at, notices);
    if let Fact::Known(all) = &mut situation.facts.volumes {
        all.retain(|it| it.id.as_str() != DATA);
    }
    situation
}

fn last_set_failed(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = volume_lost(at, notices);
    if let Fact::Known(all) = &mut situation.facts.snapshots {
        for it in all.iter_mut() {
            it.state = SnapshotState::Unusable;
        }
        let old = at - time::Duration::hours(6);
        all.push(snapshot(
            "snap-0000000000000001d",
            DATA,
            "hourly",
            SnapshotState::Completed,
            old,
        ));
    }
    situation
}

fn nothing_left(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = volume_lost(at, notices);
    situation.facts.snapshots = Fact::Known(Vec::new());
    situation
}

fn chained(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = ended(at, notices);
    let replacement = situation.facts.instances.last_mut().unwrap();
    let own = Interruption {
        instance: replacement.id.clone(),
        action: InstanceAction::Terminate,
        at: situation.now,
    };
    situation.inputs.notices.push(own);
    situation
}

fn silent(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = prepared(at, notices);
    end_owner(&mut situation);
    situation
}

fn stopped(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = begun(at, notices, InstanceAction::Stop);
    situation.facts.instances[0].state = InstanceState::Stopped;
    situation.facts.instances[0].state_reason = Some("Server.SpotInstanceShutdown".to_owned());
    situation
}

fn returned(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = begun(at, &[], InstanceAction::Stop);
    settled(&mut situation);
    situation.facts.instances[0].launch_time = at + time::Duration::seconds(2);
    warn(&mut situation, notices);
    situation
}

fn at_risk(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = with_tag(at, notices, "spot-rescue:rebalance", "replace");
    situation.inputs.risks.push(spot_rescue::event::Risk {
        instance: LINEAGE.parse().unwrap(),
        at,
        due: None,
    });
    situation
}

fn spare_waits(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = at_risk(at, &[]);
    settled(&mut situation);
    situation.inputs.risks.clear();
    warn(&mut situation, notices);
    situation
}

/// More than an hour ago; reported already.
fn overdue(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = stopped(at, notices);
    situation.now = at + time::Duration::minutes(70);
    let restore = ("spot-rescue:no-return".to_owned(), "restore".to_owned());
    situation.facts.instances[0].tags.extend([restore.clone()]);
    if let Fact::Known(Some(template)) = &mut situation.facts.template {
        let told = "deregistered=1 stopped=120 overdue=3700".to_owned();
        template.tags.insert(tags::PROGRESS.to_owned(), told);
        template.tags.extend([restore]);
    }
    situation
}

fn persistent(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = fresh(at, &[]);
    if let Fact::Known(all) = &mut situation.facts.requests {
        all[0].persistent = true;
    }
    settled(&mut situation);
    warn(&mut situation, notices);
    situation
}

fn ended_by_user(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = prepared(at, notices);
    end_owner(&mut situation);
    situation.facts.instances[0].state_reason = Some("Client.UserInitiatedShutdown".to_owned());
    situation
}

fn ended_and_seen_again(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = ended_by_user(at, notices);
    situation.inputs.suspected.extend(plan(&situation).suspects);
    situation.now += time::Duration::MINUTE;
    situation
}

/// An hour later the old instance is not shown any more: only the record knows it.
fn forgotten(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = ended(at, notices);
    situation.facts.instances.remove(0);
    situation
}

fn rescued(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = ended(at, &[]);
    for _ in 0..4 {
        let plan = spot_rescue::plan::plan(&situation);
        plan.steps
            .iter()
            .for_each(|it| apply::apply(&mut situation, &it.action));
        if plan.outcome.is_some() {
            break;
        }
    }
    warn(&mut situation, notices);
    situation
}

fn stands_in(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = rescued(at, &[]);
    settled(&mut situation);
    let asked = ("spot-rescue:return-to-spot".to_owned(), "12h".to_owned());
    let from = (tags::LAUNCHED_FROM.to_owned(), TEMPLATE.to_owned());
    let stand_in = situation.facts.instances.last_mut().unwrap();
    stand_in.market = Market::OnDemand;
    stand_in.tags.extend([asked.clone(), from]);
    if let Fact::Known(Some(template)) = &mut situation.facts.template {
        template.tags.extend([asked]);
    }
    situation.now = at + time::Duration::days(2);
    (situation.inputs.pass, situation.inputs.notices) = (0, notices.to_vec());
    situation
}

fn a_look_later(situation: &mut Situation, seconds: i64) {
    for step in plan(situation).steps {
        apply(situation, &step.action);
    }
    situation.now += time::Duration::seconds(seconds);
}

fn spot_beside(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = stands_in(at, notices);
    a_look_later(&mut situation, 120);
    situation.facts.instances.last_mut().unwrap().state = InstanceState::Running;
    situation
}

fn gives_way(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = spot_beside(at, notices);
    a_look_later(&mut situation, 5);
    situation
}

fn silent_stand_in(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = gives_way(at, notices);
    for _ in 0..4 {
        a_look_later(&mut situation, 15);
    }
    situation
}

fn spot_gone(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = gives_way(at, notices);
    situation.facts.instances.last_mut().unwrap().state = InstanceState::Terminated;
    situation
}

/// Warned with more than one interface: one Elastic IP more on each.
fn networked(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = fresh(at, &[]);
    let owner = &mut situation.facts.instances[0];
    owner.interfaces = vec![
        interface(PRIMARY, 0, &["10.0.0.10", "10.0.0.11"]),
        interface(SECOND, 1, &["10.0.0.20"]),
    ];
    situation.facts.interfaces = Fact::Known(vec![network_interface(SECOND, "10.0.0.20")]);
    if let Fact::Known(all) = &mut situation.facts.addresses {
        for (allocation, id, private) in [
            ("eipalloc-00000000000000011", PRIMARY, "10.0.0.11"),
            ("eipalloc-00000000000000020", SECOND, "10.0.0.20"),
        ] {
            all.push(Address {
                allocation: allocation.parse().unwrap(),
                instance: LINEAGE.parse().ok(),
                interface: id.parse().ok(),
                private_address: Some(private.to_owned()),
            });
        }
    }
    settled(&mut situation);
    warn(&mut situation, notices);
    situation
}

fn networked_free(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = networked(at, &[interruption(at, InstanceAction::Terminate)]);
    settled(&mut situation);
    end_owner(&mut situation);
    do_all(&mut situation, "attach vol");
    warn(&mut situation, notices);
    situation
}

/// Carries out the steps of the plan that begin with this word.
fn do_all(situation: &mut Situation, what: &str) {
    let plan = spot_rescue::plan::plan(situation);
    let wanted = plan.steps.iter().filter(|it| it.id.starts_with(what));
    wanted.for_each(|it| apply::apply(situation, &it.action));
}

/// Its A record says the private address, its AAAA record is an alias.
fn named(at: Timestamp, notices: &[Interruption]) -> Situation {
    let text = "Z0123456789ABCDEFGHIJ db.example.org";
    let mut situation = fresh(at, &[]);
    let tags = &mut situation.facts.instances[0].tags;
    tags.insert("spot-rescue:dns".to_owned(), text.to_owned());
    let says = Says::Addresses {
        ttl: 60,
        values: vec!["10.0.0.10".to_owned()],
    };
    let alias = RecordSet {
        kind: RecordType::Aaaa,
        says: Says::Special("an alias"),
    };
    let kind = RecordType::A;
    situation.facts.lookup = Fact::Known(Lookup {
        name: DnsName::parse(text).unwrap(),
        found: Ok(vec![RecordSet { kind, says }, alias]),
    });
    settled(&mut situation);
    situation.inputs.notices = vec![interruption(at, InstanceAction::Terminate)];
    settled(&mut situation);
    end_owner(&mut situation);
    do_all(&mut situation, "attach vol");
    do_all(&mut situation, "associate");
    warn(&mut situation, notices);
    situation
}

fn networked_taken(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = networked_free(at, notices);
    let stranger = Holder::Instance("i-0ccccccccccccccc1".parse().unwrap());
    if let Fact::Known(all) = &mut situation.facts.interfaces {
        all[0].holder = stranger.clone();
        let mut other = network_interface("eni-0ccccccccccccccc1", "10.0.0.11");
        other.holder = stranger;
        all.push(other);
    }
    // With an interface goes the address on it.
    if let Fact::Known(all) = &mut situation.facts.addresses {
        let on_it = all
            .iter_mut()
            .filter(|it| it.interface == SECOND.parse().ok());
        on_it.for_each(|it| it.instance = "i-0ccccccccccccccc1".parse().ok());
    }
    situation
}

/// Nothing is launched before it has ended.
fn address_kept(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = fresh(at, &[]);
    let keep = ("spot-rescue:private-ip".to_owned(), "keep".to_owned());
    situation.facts.instances[0].tags.extend([keep]);
    situation.facts.interfaces = Fact::Known(vec![network_interface(PRIMARY, "10.0.0.10")]);
    settled(&mut situation);
    warn(&mut situation, notices);
    situation
}

fn interface_free(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = address_kept(at, &[interruption(at, InstanceAction::Terminate)]);
    settled(&mut situation);
    end_owner(&mut situation);
    warn(&mut situation, notices);
    situation
}

fn interface_gone(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = interface_free(at, notices);
    situation.facts.interfaces = Fact::Known(Vec::new());
    situation
}

fn address_lost(at: Timestamp, notices: &[Interruption]) -> Situation {
    let mut situation = interface_gone(at, notices);
    settled(&mut situation);
    situation.now += time::Duration::seconds(30);
    situation
}
