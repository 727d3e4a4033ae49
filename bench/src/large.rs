//! A rescue in an account that is full of what others have, beside the same one in an empty account: EC2 turns the pages
//! of everything before it filters, and each page is a call.
//!
//! The simulator alone, without the wire: what is counted are calls, on a virtual clock.

use serde::Serialize;
use spot_rescue::event::InstanceAction;
use spot_rescue::handler::Handler;
use spot_rescue::sim::{Group, GroupType, World};
use spot_rescue::situation::TargetGroup;
use spot_rescue::tags::Tags;
use std::collections::BTreeMap;

const SNAPSHOTS: usize = 50_000;
const VOLUMES: usize = 5_000;
const GROUPS: usize = 500;

#[derive(Debug, Clone, Serialize)]
pub struct Large {
    pub snapshots: usize,
    pub volumes: usize,
    pub target_groups: usize,
    /// Of one rescue from its warning to its outcome.
    pub calls_alone: u64,
    pub calls_among_others: u64,
    /// Of these, by name: those that differ.
    pub differing: BTreeMap<String, (u64, u64)>,
}

pub async fn large() -> Large {
    let (alone, among) = (rescue(false).await, rescue(true).await);
    let sum = |it: &BTreeMap<String, u64>| it.values().sum();
    let both = among.iter().map(|(name, among)| {
        let alone = alone.get(name).copied().unwrap_or_default();
        (name.clone(), (alone, *among))
    });
    Large {
        snapshots: SNAPSHOTS,
        volumes: VOLUMES,
        target_groups: GROUPS,
        calls_alone: sum(&alone),
        calls_among_others: sum(&among),
        differing: both.filter(|(_, it)| it.0 != it.1).collect(),
    }
}

async fn rescue(crowded: bool) -> BTreeMap<String, u64> {
    let world = World::new(3);
    let handler = Handler {
        cloud: world.clone(),
        clock: world.clone(),
        defaults: Tags::new(),
        seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
        print: |_| {},
    };
    let protected = world.protected_in("eu-west-1a", &[]);
    let _ = world.run_until_quiet(&handler).await;
    world.advance(3600);
    world.change(|it| it.config.call_millis = 100);
    if crowded {
        crowd(&world);
    }
    let before = world.look(|it| it.calls.clone());
    world.interrupt(&protected.instance, InstanceAction::Terminate);
    let _ = world.run_for(&handler, 600).await;
    let calls = world.look(|it| it.calls.clone());
    let since = |(name, times): (&'static str, u64)| {
        let times = times - before.get(name).copied().unwrap_or_default();
        (name.to_owned(), times)
    };
    let since = calls.into_iter().map(since);
    since.filter(|(_, times)| *times > 0).collect()
}

/// Nothing of it is ours, and the groups are in another VPC.
fn crowd(world: &World) {
    world.change(|it| {
        it.config.others_snapshots = SNAPSHOTS;
        it.config.others_volumes = VOLUMES;
        for n in 0..GROUPS {
            let arn = "arn:aws:elasticloadbalancing:eu-west-1:123456789012:targetgroup";
            let name = TargetGroup::Elb(format!("{arn}/others-{n}/{n:016x}").into());
            let group = Group {
                port: 80,
                kind: GroupType::Instance,
                vpc: "vpc-0badbadbadbadbad0".to_owned(),
                refuses: None,
                targets: BTreeMap::new(),
            };
            it.groups.insert(name, group);
        }
    });
}
