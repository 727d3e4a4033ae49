//! Reads what is needed to plan for a batch of lineages, each kind once for the whole batch.
//!
//! Two round trips: what can be found by the lineage's id, then what hangs on what was found. A read
//! that fails becomes [`Fact::Unavailable`]; only the instances themselves are indispensable.

mod crowded;
mod groups;
mod interfaces;
mod names;
mod policies;
mod prepared;
mod quiet;
mod roots;
mod targets;

pub use prepared::{of as prepared_of, read as prepared};
pub use quiet::Out;

use crate::clock::Timestamp;
use crate::cloud::{Cloud, CloudError, Query};
use crate::event::{Memory, Risk};
use crate::id::{InstanceId, RequestId, VolumeId};
use crate::policy::Types;
use crate::record::{RecordedAddress, RecordedRequest, addresses_from};
use crate::situation::{
    Address, Fact, Group, Image, Instance, Lookup, Market, NetworkInterface, Registrations,
    RootTask, Shape, Situation, Snapshot, SpotRequest, Template, Volume,
};
use crate::tags::{self, Tags};
use crowded::Crowd;
use futures_util::future::join_all;
use std::collections::{BTreeMap, BTreeSet};

/// Facts about all lineages of a batch.
#[derive(Debug)]
pub struct Facts {
    instances: Vec<Instance>,
    /// Those that are registered nowhere any more.
    out: BTreeSet<InstanceId>,
    templates: Fact<Vec<Template>>,
    volumes: Fact<Vec<Volume>>,
    snapshots: Fact<Vec<Snapshot>>,
    registrations: Fact<Registrations>,
    addresses: Fact<Vec<Address>>,
    interfaces: Fact<Vec<NetworkInterface>>,
    images: Fact<Vec<Image>>,
    groups: Fact<Vec<Group>>,
    shapes: Fact<Vec<Shape>>,
    requests: Fact<Vec<SpotRequest>>,
    root_tasks: Fact<Vec<RootTask>>,
    lookups: BTreeMap<InstanceId, Fact<Lookup>>,
    locked: Fact<BTreeSet<InstanceId>>,
}

/// Which target groups are asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scope {
    /// All there are: at the beginning, to find what the record missed.
    AllTargetGroups,
    /// Those on record, if all have one: while waiting.
    Recorded,
}

/// What the first round trip of a warning knows: the instance alone.
#[must_use]
pub fn brief(instance: Instance, memory: &Memory, defaults: &Tags, now: Timestamp) -> Situation {
    let mut situation = unread(instance.lineage(), memory, defaults, now);
    situation.instances = vec![instance];
    situation
}

/// Nothing has been read.
#[must_use]
pub fn unread(lineage: InstanceId, memory: &Memory, defaults: &Tags, now: Timestamp) -> Situation {
    Situation {
        now,
        lineage,
        notices: memory.interruptions.clone(),
        risks: Vec::new(),
        defaults: defaults.clone(),
        pass: 0,
        suspected: BTreeMap::new(),
        refused: BTreeSet::new(),
        remembered: Tags::new(),
        deregistered: BTreeSet::new(),
        launched: BTreeSet::new(),
        unseen: BTreeMap::new(),
        flagged: memory.flagged.clone(),
        listed: memory.listed.clone(),
        late: false,
        unwritten: memory.unwritten.clone(),
        instances: Vec::new(),
        part_of: None,
        template: Fact::NotRead,
        template_name: None,
        volumes: Fact::NotRead,
        snapshots: Fact::NotRead,
        registrations: Fact::NotRead,
        addresses: Fact::NotRead,
        interfaces: Fact::NotRead,
        images: Fact::NotRead,
        group: Fact::NotRead,
        shapes: Fact::NotRead,
        requests: Fact::NotRead,
        root_tasks: Fact::NotRead,
        lookup: Fact::NotRead,
        locked: Fact::NotRead,
    }
}

/// Everything about these lineages. `named` are instances known to belong to them.
pub async fn lineages(
    cloud: &dyn Cloud,
    lineages: &BTreeSet<InstanceId>,
    named: &BTreeSet<InstanceId>,
    out: &Out,
    scope: Scope,
    defaults: &Tags,
) -> Result<Facts, CloudError> {
    let ids: Vec<String> = lineages.iter().map(ToString::to_string).collect();
    let of_lineage = Query::Tag {
        key: tags::RESCUE,
        values: ids,
    };
    let by_id = Query::Instances(named.union(lineages).cloned().collect());
    let (named, members, templates, tagged, snapshots, addresses) = tokio::join!(
        cloud.instances(&by_id),
        cloud.instances(&of_lineage),
        prepared::read(cloud, lineages),
        cloud.volumes(&of_lineage),
        cloud.snapshots(&of_lineage),
        cloud.addresses(),
    );
    let templates = fact(templates);
    let known = templates.known().map(Vec::as_slice).unwrap_or_default();
    let crowd = Crowd {
        cloud,
        lineages,
        templates: known,
    };
    let (members, tagged, snapshots) = tokio::join!(
        crowd.instances(members),
        crowd.volumes(tagged),
        crowd.snapshots(snapshots),
    );
    let instances = merge(members?, named?, |it| it.id.clone());
    let heads = prepared::unseen_heads(&templates, &instances);
    let instances = prepared::also(cloud, instances, heads).await?;
    // Who has no record may be registered anywhere.
    let all_recorded = templates.known().is_some_and(|it| {
        let ours = it.iter().filter(|it| it.ours);
        ours.count() >= lineages.len()
    });
    let attached = Query::Instances(instances.iter().map(|it| it.id.clone()).collect());
    let roots = roots::wanted(&instances, &templates, defaults);
    let groups = groups::names(&instances, &templates);
    let types = types_of(&instances, &templates, defaults);
    let everything =
        scope == Scope::AllTargetGroups || !all_recorded || out.is_unlisted(&templates);
    let warned = out.warned.keys().cloned().collect();
    let out = out.of(&instances);
    let recorded = quiet::recorded(&instances, &templates, &out, &warned);
    let replacements = prepared::replacements(&instances, &templates);
    let requests = requests_of(&instances, &replacements, &templates);
    let followers = names::wanted(&instances, &templates, defaults);
    let (
        attached,
        mut registrations,
        interfaces,
        images,
        root_tasks,
        groups,
        shapes,
        requests,
        lookups,
        locked,
    ) = tokio::join!(
        cloud.volumes(&attached),
        targets::read(cloud, everything, &instances, recorded),
        interfaces::read(cloud, &instances, &templates, defaults),
        roots::images(cloud, &instances, &replacements, &roots),
        roots::tasks(cloud, &roots),
        groups::read(cloud, &groups),
        shapes(cloud, scope, &types),
        cloud.requests(&requests),
        names::look_up(cloud, followers),
        locked(cloud, &instances, &templates, defaults),
    );
    if let (true, Ok(groups)) = (everything, &groups) {
        targets::add_sources(cloud, groups, &mut registrations).await;
    }
    let volumes = tagged.and_then(|tagged| Ok(merge(tagged, attached?, |it| it.id.clone())));
    let (volumes, snapshots) = prepared::by_record(cloud, &templates, volumes, snapshots).await;
    let holders = prepared::unseen_holders(&volumes, &instances);
    let instances = prepared::also(cloud, instances, holders).await?;
    Ok(Facts {
        instances,
        out,
        templates,
        volumes: fact(volumes),
        snapshots: fact(snapshots),
        registrations: Fact::Known(registrations),
        addresses: fact(addresses),
        interfaces: fact(interfaces),
        images: fact(images),
        groups: fact(groups),
        shapes,
        requests: fact(requests),
        root_tasks,
        lookups,
        locked,
    })
}

/// What an invocation knows by itself about one lineage.
#[derive(Debug, Clone, Copy)]
pub struct Look<'a> {
    pub now: Timestamp,
    pub memory: &'a Memory,
    pub risks: &'a [Risk],
    pub defaults: &'a Tags,
    pub pass: u32,
    /// What could not be read so far is not waited for.
    pub late: bool,
    pub refused: &'a BTreeSet<String>,
    pub remembered: &'a Tags,
}

impl Facts {
    #[must_use]
    pub fn shows(&self, instance: &InstanceId) -> bool {
        self.instances.iter().any(|it| it.id == *instance)
    }

    /// What the prepared rescue of a lineage says.
    #[must_use]
    pub fn record(&self, lineage: &InstanceId) -> Option<&Tags> {
        let all = self.templates.known()?;
        prepared::of(lineage, all).map(|it| &it.tags)
    }

    #[must_use]
    pub fn lists_all(&self) -> bool {
        let found = self.registrations.known();
        found.is_some_and(Registrations::lists_all)
    }

    /// The part that concerns one lineage.
    #[must_use]
    pub fn situation(&self, lineage: &InstanceId, look: &Look) -> Situation {
        let Look {
            now,
            memory,
            risks,
            defaults,
            pass,
            late,
            refused,
            remembered,
        } = *look;
        let template = self.templates.of(|all| prepared::of(lineage, all).cloned());
        let recorded = template.known().and_then(Option::as_ref);
        let owner = recorded.and_then(|it| it.tags.get(tags::HEAD));
        let owner = owner.map_or(lineage.as_str(), String::as_str).to_owned();
        let its = |it: &&Instance| {
            it.lineage() == *lineage || it.id.as_str() == owner || it.id == *lineage
        };
        let members: Vec<Instance> = self.instances.iter().filter(its).cloned().collect();
        let owner = members.iter().find(|it| it.id.as_str() == owner);
        let group = groups::name_of(owner, recorded);
        let group = self.groups.of(|all| {
            let named = |it: &&Group| Some(&it.scaling.name) == group.as_ref();
            all.iter().find(named).cloned()
        });
        let claimed = group.known().and_then(Option::as_ref);
        let claimed = claimed.map(|it| it.claimed(lineage)).unwrap_or_default();
        let instances = merge(members, claimed, |it| it.id.clone());
        let ours =
            |tags: &Tags| tags.get(tags::RESCUE).map(String::as_str) == Some(lineage.as_str());
        let member = |id: &&InstanceId| instances.iter().any(|it| it.id == **id);
        let held = |it: &Volume| instances.iter().any(|i| it.attachment(&i.id).is_some());
        let noted = recorded.map(prepared::volumes).unwrap_or_default();
        let is_noted = |id: &VolumeId| noted.contains(id);
        let volumes = select(&self.volumes, |it| {
            ours(&it.tags) || held(it) || is_noted(&it.id)
        });
        // All of the account's have been read.
        let recorded = recorded.map(|it| addresses_from(&it.tags));
        let recorded = recorded.unwrap_or_default();
        let its = |it: &Address| {
            let holds = |member: &Instance| it.instance.as_ref() == Some(&member.id);
            let noted = |of: &RecordedAddress| of.allocation == it.allocation;
            instances.iter().any(holds) || recorded.iter().any(noted)
        };
        Situation {
            now,
            lineage: lineage.clone(),
            notices: memory.interruptions.clone(),
            risks: risks.to_vec(),
            defaults: defaults.clone(),
            pass,
            suspected: memory.suspected.clone(),
            refused: refused.clone(),
            remembered: remembered.clone(),
            launched: memory.launched.keys().cloned().collect(),
            unseen: memory.unseen_tokens(),
            flagged: memory.flagged.clone(),
            listed: memory.listed.clone(),
            late,
            unwritten: memory.unwritten.clone(),
            deregistered: self.out.iter().filter(member).cloned().collect(),
            template,
            volumes,
            snapshots: select(&self.snapshots, |it| ours(&it.tags)),
            template_name: prepared::name(lineage, &self.templates),
            registrations: self.registrations.clone(),
            addresses: select(&self.addresses, its),
            interfaces: self.interfaces.clone(),
            images: self.images.clone(),
            group,
            shapes: self.shapes.clone(),
            requests: self.requests.clone(),
            root_tasks: self.root_tasks.clone(),
            lookup: self.lookups.get(lineage).cloned().unwrap_or(Fact::NotRead),
            locked: self.locked.clone(),
            part_of: self.part_of(lineage),
            instances,
        }
    }

    /// By that lineage's record, or by its marks on what the instance holds.
    fn part_of(&self, lineage: &InstanceId) -> Option<InstanceId> {
        let first = self.instances.iter().find(|it| it.id == *lineage)?;
        let claimed = first.lineage();
        let template = self.templates.known()?;
        let template = prepared::of(&claimed, template);
        let is_named = template.is_some_and(|it| prepared::names(it, lineage));
        let holds = |volumes: &Vec<Volume>| {
            let mut held = volumes.iter().filter(|it| it.attachment(lineage).is_some());
            held.any(|it| {
                it.tags
                    .get(tags::RESCUE)
                    .is_some_and(|it| *it == claimed.to_string())
            })
        };
        let held = self.volumes.known().is_some_and(holds);
        (claimed != *lineage && (is_named || held)).then_some(claimed)
    }
}

fn select<T: Clone>(fact: &Fact<Vec<T>>, wanted: impl Fn(&T) -> bool) -> Fact<Vec<T>> {
    fact.of(|all| all.iter().filter(|it| wanted(it)).cloned().collect())
}

fn fact<T>(read: Result<T, CloudError>) -> Fact<T> {
    match read {
        Ok(value) => Fact::Known(value),
        Err(error) => {
            tracing::warn!(%error, "failed to read; planning without it");
            Fact::Unavailable {
                operation: error.operation,
                why: error.to_string(),
            }
        }
    }
}

/// Both lists, each thing once.
fn merge<T, K: Ord>(first: Vec<T>, second: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = BTreeSet::new();
    first
        .into_iter()
        .chain(second)
        .filter(|it| seen.insert(key(it)))
        .collect()
}

/// The instances' own types and those they may be replaced by, where the policy names any.
fn types_of(
    instances: &[Instance],
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> Vec<String> {
    let living = instances.iter().filter(|it| it.is_alive());
    let types = living.flat_map(|instance| {
        let policy = policies::of(instance, templates, defaults);
        let others = match policy.instance_types.value {
            Types::Named(names) if names.is_empty() => return Vec::new(),
            Types::Named(names) => names,
            Types::Like => Vec::new(),
        };
        [instance.instance_type.clone()]
            .into_iter()
            .chain(others)
            .collect()
    });
    let types: BTreeSet<String> = types.collect();
    types.into_iter().collect()
}

/// Types do not change: read when all else is, not while waiting.
async fn shapes(cloud: &dyn Cloud, scope: Scope, types: &[String]) -> Fact<Vec<Shape>> {
    if scope == Scope::Recorded || types.is_empty() {
        return Fact::NotRead;
    }
    fact(cloud.shapes(types).await)
}

/// Of stand-ins whose user wants to return to Spot: one call each. For all others no call is made.
async fn locked(
    cloud: &dyn Cloud,
    instances: &[Instance],
    templates: &Fact<Vec<Template>>,
    defaults: &Tags,
) -> Fact<BTreeSet<InstanceId>> {
    let gives_way = |it: &&Instance| {
        let policy = policies::of(it, templates, defaults);
        let ours = it.is_alive() && it.tags.contains_key(tags::LAUNCHED);
        ours && it.market == Market::OnDemand && policy.return_to_spot.value.is_some()
    };
    let asked = instances.iter().filter(gives_way).map(|it| async move {
        let locked = cloud.is_locked(&it.id).await?;
        Ok(locked.then(|| it.id.clone()))
    });
    let answers: Result<Vec<_>, CloudError> = join_all(asked).await.into_iter().collect();
    fact(answers.map(|it| it.into_iter().flatten().collect()))
}

/// A one-time request is over once it has launched: when that is on record, it is not asked for again.
fn requests_of(
    instances: &[Instance],
    replacements: &BTreeSet<InstanceId>,
    templates: &Fact<Vec<Template>>,
) -> Vec<RequestId> {
    let templates = templates.known().map(Vec::as_slice).unwrap_or_default();
    let recorded = |it: &Template| RecordedRequest::parse(it.tags.get(tags::REQUEST)?);
    let known: Vec<RecordedRequest> = templates.iter().filter_map(recorded).collect();
    let over = |id: &RequestId| known.iter().any(|it| it.id == *id && !it.persistent);
    // That of a replacement matters once it has taken over.
    let asked = { instances.iter() }.filter(|it| !replacements.contains(&it.id));
    // It says when an instance has ended that no warning told of.
    let untold = |it: &&Instance| !it.is_alive() && !it.tags.contains_key(tags::INTERRUPTED_AT);
    let ended: BTreeSet<&RequestId> = { asked.clone() }
        .filter(untold)
        .filter_map(|it| it.request.as_ref())
        .collect();
    let asked = asked.filter_map(|it| it.request.clone());
    let persistent = known.iter().filter(|it| it.persistent);
    // It says how an instance ended that is not to be seen any more.
    let vanished = { templates.iter() }.filter(|it| is_vanished(it, instances));
    let vanished = vanished.filter_map(recorded);
    let all: BTreeSet<RequestId> = asked
        .filter(|it| ended.contains(it) || !over(it))
        .chain(persistent.map(|it| it.id.clone()))
        .chain(vanished.map(|it| it.id))
        .collect();
    all.into_iter().collect()
}

fn is_vanished(template: &Template, instances: &[Instance]) -> bool {
    let head = template.tags.get(tags::HEAD);
    head.is_some_and(|head| instances.iter().all(|it| it.id.as_str() != head))
}
