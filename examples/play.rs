//! One side of the differential test: plays lists of operations against the simulator.
//!
//! `cargo run --no-default-features --features sim --example play -- tests/differential/*.json`
//! prints, per list, a summary of the world in the words that `local/differential.py` uses for what
//! the local AWS has become under the same list.

use serde::Deserialize;
use serde_json::{Value, json};
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::handler::Handler;
use spot_rescue::id::{InstanceId, SnapshotId, VolumeId};
use spot_rescue::sim::{Drain, GroupType, State, Supply, World};
use spot_rescue::situation::{Market, TargetGroup};
use spot_rescue::tags::{self, Tags};
use std::collections::{BTreeMap, BTreeSet};
use std::error::Error;
use std::path::Path;
use std::sync::{Mutex, PoisonError};

const REGION: &str = "eu-west-1";
const ZONES: [&str; 3] = ["a", "b", "c"];
const TYPE: &str = "m6i.large";
const NONE_LEFT: Supply = Supply::Refused("InsufficientInstanceCapacity");

/// What the function printed: outcomes are told by lines.
static PRINTED: Mutex<Vec<String>> = Mutex::new(Vec::new());

type Function = Handler<World, World>;

#[derive(Deserialize)]
struct List {
    world: Shape,
    ops: Vec<Op>,
}

#[derive(Deserialize)]
struct Shape {
    #[serde(default)]
    tags: BTreeMap<String, String>,
    #[serde(default = "yes")]
    delete_first: bool,
}

#[derive(Deserialize)]
#[serde(tag = "op", rename_all = "lowercase")]
enum Op {
    Interrupt {
        #[serde(default = "terminate")]
        action: String,
        #[serde(default = "yes")]
        warn: bool,
    },
    Warn,
    Capacity {
        zone: String,
        market: String,
        left: bool,
    },
    Hold,
    Release,
    Advance {
        seconds: i64,
    },
    Resume,
    Terminate,
    Sweep,
    Rest,
}

fn yes() -> bool {
    true
}

fn terminate() -> String {
    "terminate".to_owned()
}

/// The world and what was in it at first.
struct Stage {
    world: World,
    function: Function,
    original: InstanceId,
    /// Data volumes, by device.
    data: Vec<VolumeId>,
    groups: BTreeMap<TargetGroup, &'static str>,
    snapshots: BTreeSet<SnapshotId>,
    held: bool,
    quiet: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Box<dyn Error>> {
    let mut all = serde_json::Map::new();
    for path in std::env::args().skip(1) {
        let list: List = serde_json::from_str(&std::fs::read_to_string(&path)?)
            .map_err(|error| format!("{path}: {error}"))?;
        let name = Path::new(&path).file_stem().unwrap_or_default();
        let summary = play(&list).await?;
        all.insert(name.to_string_lossy().into_owned(), summary);
    }
    println!("{}", serde_json::to_string_pretty(&all)?);
    Ok(())
}

async fn play(list: &List) -> Result<Value, Box<dyn Error>> {
    let mut stage = Stage::prepare(&list.world).await;
    printed().clear();
    for op in &list.ops {
        stage.apply(op).await?;
    }
    let outcomes = outcomes(&printed());
    Ok(stage.world.look(|it| stage.summary(it, &outcomes)))
}

fn printed() -> std::sync::MutexGuard<'static, Vec<String>> {
    PRINTED.lock().unwrap_or_else(PoisonError::into_inner)
}

/// What was told, without how often: a second chain of wakes may tell it again.
fn outcomes(lines: &[String]) -> BTreeSet<String> {
    let told = lines.iter().filter_map(|it| {
        let line: Value = serde_json::from_str(it).ok()?;
        Some(line.get("outcome")?.as_str()?.to_owned())
    });
    told.collect()
}

impl Stage {
    async fn prepare(shape: &Shape) -> Self {
        let world = World::new(7);
        let function = Handler {
            cloud: world.clone(),
            clock: world.clone(),
            defaults: Tags::new(),
            seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
            print: |line| printed().push(line.to_owned()),
        };
        let home = format!("{REGION}{}", ZONES[0]);
        let users = shape.tags.iter().map(|(key, value)| {
            let value = value.strip_prefix('@').map_or_else(
                || value.clone(),
                |zone| world.subnet(&format!("{REGION}{zone}")).to_string(),
            );
            (key.clone(), value)
        });
        let users: Vec<(String, String)> = users.collect();
        let users: Vec<(&str, &str)> = users.iter().map(|(k, v)| (&**k, &**v)).collect();
        let builder = world.spot_instance(TYPE, &home).protected().tags(&users);
        let builder = builder.volume("/dev/sdf", 20, shape.delete_first);
        let original = builder.volume("/dev/sdg", 10, false).run();
        let groups = serve(&world, &original);
        let _ = world.elastic_ip(Some(&original));
        let volumes = world.volumes_of(&original);
        let mut stage = Self {
            data: ["/dev/sdf", "/dev/sdg"]
                .map(|it| volumes[it].clone())
                .into(),
            world,
            function,
            original,
            groups,
            snapshots: BTreeSet::new(),
            held: false,
            quiet: true,
        };
        stage.rest().await;
        stage.world.sweep();
        stage.rest().await;
        stage.snapshots = stage
            .world
            .look(|it| it.snapshots.keys().cloned().collect());
        stage
    }

    async fn apply(&mut self, op: &Op) -> Result<(), Box<dyn Error>> {
        match op {
            Op::Interrupt { action, warn } => {
                let (owner, action) = (self.owner()?, action_of(action)?);
                if *warn {
                    self.world.interrupt(&owner, action);
                } else {
                    self.world.interrupt_silently(&owner, action);
                }
            }
            Op::Warn => {
                let owner = self.owner()?;
                let now = self.world.look(|it| it.now);
                self.world.warn(&owner, InstanceAction::Terminate, now);
            }
            Op::Capacity { zone, market, left } => self.capacity(zone, market, *left),
            Op::Hold => self.held = true,
            Op::Release => self.held = false,
            Op::Advance { seconds } if self.held => self.world.advance(*seconds),
            Op::Advance { seconds } => {
                let _ = self.world.run_for(&self.function, *seconds).await;
            }
            Op::Resume => self.world.resume(&self.owner()?),
            Op::Terminate => self.world.terminate(&self.owner()?),
            Op::Sweep => self.world.sweep(),
            Op::Rest => self.rest().await,
        }
        Ok(())
    }

    async fn rest(&mut self) {
        self.quiet = self.world.run_until_quiet(&self.function).await.quiet;
    }

    /// The newest living member.
    fn owner(&self) -> Result<InstanceId, Box<dyn Error>> {
        let newest = self
            .world
            .look(|it| members(it, &self.original).pop().map(|it| it.0));
        newest.ok_or_else(|| "no member of the lineage lives".into())
    }

    fn capacity(&self, zone: &str, market: &str, left: bool) {
        let supply = if left { Supply::Left(99) } else { NONE_LEFT };
        for letter in ZONES
            .iter()
            .filter(|it| matches!(zone, "*") || **it == zone)
        {
            for (name, kind) in [("spot", Market::Spot), ("on-demand", Market::OnDemand)] {
                if market == "*" || market == name {
                    let zone = format!("{REGION}{letter}");
                    self.world.supply(TYPE, &zone, kind, supply);
                }
            }
        }
    }

    fn summary(&self, state: &State, outcomes: &BTreeSet<String>) -> Value {
        let members = members(state, &self.original);
        let living: Vec<Value> = members
            .iter()
            .map(|(id, _)| {
                let facts = &state.instances[id].facts;
                json!({
                    "zone": facts.availability_zone.chars().last(),
                    "market": if facts.market == Market::Spot { "spot" } else { "on-demand" },
                    "state": facts.state.as_str(),
                    "original": *id == self.original,
                })
            })
            .collect();
        let owner = members.last().map(|(id, _)| id);
        json!({
            "living": living,
            "volumes": owner.map_or(json!({}), |id| self.volumes(state, id)),
            "targets": owner.map_or(json!([]), |id| self.targets(state, id)),
            "dead targets": self.dead_targets(state),
            "address": owner.is_some_and(|id| state.addresses.keys().any(|it| state.address_holder(it).as_ref() == Some(id))),
            "left": left(state, &self.snapshots),
            "template": state.templates.values().any(|it| {
                it.tags.current().get(tags::RESCUE).is_some_and(|it| *it == self.original.to_string())
            }),
            "outcomes": outcomes,
            "quiet": self.quiet,
        })
    }

    fn volumes(&self, state: &State, owner: &InstanceId) -> Value {
        let facts = &state.instances[owner].facts;
        let data = facts.devices.iter().filter(|it| !facts.is_root(&it.name));
        let shown = data.filter_map(|it| {
            let volume = state.volumes.get(&it.volume)?;
            let origin = &volume.content.origin;
            let moved = *origin == it.volume;
            let value = json!({
                "original": self.data.iter().position(|it| it == origin).map(|n| n + 1),
                "how": if moved { "moved" } else { "restored" },
                "delete on termination": it.delete_on_termination,
            });
            Some((it.name.clone(), value))
        });
        Value::Object(shown.collect())
    }

    fn targets(&self, state: &State, owner: &InstanceId) -> Value {
        let facts = &state.instances[owner].facts;
        let serving = serving(state).filter(|it| facts.answers_to(it));
        let mut all: Vec<(&str, u16)> = serving
            .map(|it| (self.groups[&it.group], it.port.unwrap_or_default()))
            .collect();
        all.sort_unstable();
        json!(all)
    }

    /// Registrations without a running instance behind them.
    fn dead_targets(&self, state: &State) -> Value {
        let alive: Vec<_> = state
            .instances
            .values()
            .filter(|it| it.facts.is_alive())
            .collect();
        let dead =
            serving(state).filter(|target| !alive.iter().any(|it| it.facts.answers_to(target)));
        let mut all: Vec<(&str, u16)> = dead
            .map(|it| (self.groups[&it.group], it.port.unwrap_or_default()))
            .collect();
        all.sort_unstable();
        json!(all)
    }
}

fn serving(state: &State) -> impl Iterator<Item = &spot_rescue::situation::Target> {
    let targets = state.groups.values().flat_map(|it| it.targets.iter());
    targets
        .filter(|(_, drain)| **drain == Drain::No)
        .map(|(it, _)| it)
}

/// Free volumes and new snapshots: with an end, and without.
fn left(state: &State, before: &BTreeSet<SnapshotId>) -> Value {
    let mut counts = [0_u32; 4];
    let free = state.volumes.values();
    for it in free.filter(|it| it.facts.attachments.is_empty()) {
        let expires = it.tags.current().contains_key(tags::EXPIRES_AT);
        counts[usize::from(!expires)] += 1;
    }
    for (_, it) in state
        .snapshots
        .iter()
        .filter(|(id, _)| !before.contains(id))
    {
        let expires = it.tags.current().contains_key(tags::EXPIRES_AT);
        counts[2 + usize::from(!expires)] += 1;
    }
    json!({
        "expiring volumes": counts[0], "endless volumes": counts[1],
        "expiring snapshots": counts[2], "endless snapshots": counts[3],
    })
}

/// Living members, the newest last.
fn members(state: &State, original: &InstanceId) -> Vec<(InstanceId, InstanceState)> {
    let of_lineage = state.instances.values().filter(|it| {
        let rescue = it.tags.current().get(tags::RESCUE);
        it.facts.id == *original || rescue.is_some_and(|it| *it == original.to_string())
    });
    let mut living: Vec<_> = of_lineage.filter(|it| it.facts.is_alive()).collect();
    living.sort_by_key(|it| (it.facts.launch_time, it.facts.id.clone()));
    living
        .iter()
        .map(|it| (it.facts.id.clone(), it.facts.state))
        .collect()
}

fn serve(world: &World, instance: &InstanceId) -> BTreeMap<TargetGroup, &'static str> {
    let address = world.look(|it| it.instances[instance].facts.private_addresses[0].clone());
    let (web, data) = (
        world.target_group(GroupType::Instance),
        world.target_group(GroupType::Instance),
    );
    let by_ip = world.target_group(GroupType::Ip);
    for (group, id, port) in [
        (&web, instance.as_str(), 80),
        (&data, instance.as_str(), 15432),
        (&data, instance.as_str(), 25432),
        (&by_ip, &address, 9000),
    ] {
        let _ = world.register(group, id, port);
    }
    BTreeMap::from([(web, "web"), (data, "data"), (by_ip, "by-ip")])
}

fn action_of(name: &str) -> Result<InstanceAction, Box<dyn Error>> {
    let known = [
        InstanceAction::Terminate,
        InstanceAction::Stop,
        InstanceAction::Hibernate,
    ];
    let found = known.into_iter().find(|it| it.as_str() == name);
    found.ok_or_else(|| format!("no action {name:?}").into())
}
