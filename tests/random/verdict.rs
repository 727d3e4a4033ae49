//! The world against the model, when nothing is left to be done.

use crate::attack;
use crate::model::{Excuse, Expected, Lineage};
use crate::play::{NEW, Play};
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{Entry, LineageSummary, State, Summary, invariants};
use spot_rescue::situation::{Market, VolumeState};
use spot_rescue::step::Action;
use spot_rescue::tags::{self, Tags};

/// A message is put aside after five tries; so many faults could have hit one.
const TRIES: usize = 4;

pub fn wrong(play: &Play) -> Vec<String> {
    let mut wrong = play.wrong.clone();
    wrong.extend(attack::wrong(play));
    let broken = play.world.look(invariants::at_quiescence);
    wrong.extend(broken.into_iter().filter(|it| !is_excused(play, it)));
    let summary = play.world.summary();
    for lineage in &play.model.lineages {
        let found = of(&summary, lineage);
        let more = play.world.look(|it| {
            let mut more = match lineage.expected() {
                Expected::Itself => whole(lineage, &found, false, play.model.faults),
                Expected::Replaced => whole(lineage, &found, true, play.model.faults),
                Expected::Kept => kept(lineage, it),
                Expected::Accounted => Vec::new(),
            };
            more.extend(gone(lineage, it, found.live > 0));
            more.extend(disobeyed(lineage, it));
            more.extend(too_many_launches(lineage, it, play.troubled()));
            more
        });
        let named = |it| format!("{} ({:?}): {it}", lineage.instance, lineage.expected());
        wrong.extend(more.into_iter().map(named));
    }
    wrong
}

fn of(summary: &Summary, lineage: &Lineage) -> LineageSummary {
    let found = summary.lineages.get(&lineage.instance);
    found.cloned().unwrap_or_default()
}

/// Findings of the checkers that a user has caused, or has asked for.
fn is_excused(play: &Play, broken: &str) -> bool {
    let ended = |it: &Lineage| it.excuses.contains(&Excuse::Ended);
    let any_ended = play.model.lineages.iter().any(ended);
    let left = |it: &Lineage| {
        let origin = play.world.look(|state| origin(state, broken));
        let named = |(id, _): &(VolumeId, bool)| Some(id) == origin.as_ref();
        let asked_for = it.may_leave_volumes() || !it.excuses.is_empty();
        let about = play.world.look(|state| is_of(state, broken, it));
        (asked_for && it.volumes.values().any(named)) || (about && is_open(it))
    };
    let late = |it: &Lineage| unforeseen(it);
    (broken.contains("a dead target") && any_ended)
        || (broken.contains("beside the replacement") && play.model.lineages.iter().any(late))
        || (broken.contains("left over") && play.model.lineages.iter().any(left))
        || (broken.contains("dead-letter") && play.model.faults > TRIES)
}

/// The volume that a finding is about, or that this one is a copy of.
fn origin(state: &State, broken: &str) -> Option<VolumeId> {
    let id = broken.split(' ').next()?.parse().ok()?;
    state.volumes.get(&id).map(|it| it.content.origin.clone())
}

/// The finding is about something with the lineage's tag.
fn is_of(state: &State, broken: &str, lineage: &Lineage) -> bool {
    let id = broken.split(' ').next().unwrap_or_default();
    let volume = id.parse().ok().and_then(|it| state.volumes.get(&it));
    let snapshot = id.parse().ok().and_then(|it| state.snapshots.get(&it));
    let tags = volume.map(|it| &it.tags).or(snapshot.map(|it| &it.tags));
    let rescue = tags.and_then(|it| it.current().get(tags::RESCUE));
    rescue.is_some_and(|it| it == lineage.instance.as_str())
}

/// A rescue that lost a volume says so and stays open, and so does one with a copy that a user has deleted: all it
/// has is kept for a person to look at.
fn is_open(lineage: &Lineage) -> bool {
    let id = lineage.instance.as_str();
    let words = ["cannot be restored", "not restored"];
    let says = |it: &String| words.iter().any(|word| it.contains(word)) && it.contains(id);
    let failed = !lineage.excuses.is_empty() && Play::lines().iter().any(says);
    let reasons = [Excuse::Hands, Excuse::Overwritten];
    failed || reasons.iter().any(|it| lineage.excuses.contains(it))
}

/// The volume itself, or a copy.
fn is_anywhere(state: &State, origin: &VolumeId) -> bool {
    let mut all = state.volumes.values();
    all.any(|it| it.content.origin == *origin)
}

/// One living instance with all it had.
fn whole(lineage: &Lineage, found: &LineageSummary, replaced: bool, faults: usize) -> Vec<String> {
    let mut wrong = Vec::new();
    let mut check = |holds: bool, what: String| wrong.extend((!holds).then_some(what));
    check(found.live == 1, format!("{} instances live", found.live));
    let is = found.is_replacement;
    check(is == replaced, format!("is a replacement: {is}"));
    let targets = &found.targets;
    check(*targets == lineage.targets, format!("serves {targets:?}"));
    let mut addresses = lineage.address.iter();
    let has = addresses.all(|it| found.addresses.contains(it));
    check(has, "its address is elsewhere".to_owned());
    for (device, (volume, delete)) in &lineage.volumes {
        let may_be_left = replaced && lineage.may_leave_volumes();
        let must_be_left = replaced && lineage.must_leave_volumes();
        match found.volumes.get(device) {
            None => check(may_be_left, format!("{device} is missing")),
            Some(there) => {
                let same = there.origin == *volume && !must_be_left;
                check(same, format!("{device} is {there:?}"));
                let lost = there.lost_writes;
                let asked_for = replaced && lineage.may_clone();
                check(
                    lost == 0 || asked_for,
                    format!("{lost} writes lost on {device}"),
                );
                let flag = there.delete_on_termination;
                let wanted = *delete && !lineage.keeps_always;
                // The invocation that switched the flags off may have crashed before it was noted how a new one was
                // flagged.
                let forgotten = device == NEW && faults > 0 && !flag;
                let asked_for = (replaced && lineage.may_forget_always()) || forgotten;
                check(
                    flag == wanted || asked_for,
                    format!("{device} has delete={flag}"),
                );
            }
        }
    }
    let known = |it: &&String| !lineage.volumes.contains_key(*it);
    let more = found.volumes.keys().find(known);
    check(more.is_none(), format!("{more:?} was never there"));
    wrong
}

/// Every volume is there, and free.
fn kept(lineage: &Lineage, state: &State) -> Vec<String> {
    let free = |id: &VolumeId| {
        let volume = state.volumes.get(id);
        volume.is_some_and(|it| it.facts.state == VolumeState::Available)
    };
    let volumes = lineage.volumes.values();
    let lost = volumes.filter(|(id, _)| !free(id));
    lost.map(|(id, _)| format!("{id} was not kept")).collect()
}

/// Every volume is there, or a copy of it; or it went with an instance that ended without a warning, or by its user's
/// hand. If a replacement took over, the report names the missing volume.
fn gone(lineage: &Lineage, state: &State, lives: bool) -> Vec<String> {
    let excused = unforeseen(lineage);
    let told = |id: &VolumeId| Play::lines().iter().any(|it| it.contains(id.as_str()));
    // What came since the last sweep is not known without a warning.
    let unknown = |device: &str| excused && device == NEW;
    let volumes = lineage
        .volumes
        .iter()
        .filter(|(device, _)| !unknown(device));
    let volumes = volumes.map(|(_, (id, _))| id);
    let missing = volumes.filter(|id| !is_anywhere(state, id));
    let wrong = missing.filter_map(|id| match (excused, lives && !told(id)) {
        (false, _) => Some(format!("{id} is gone without an excuse")),
        (true, true) => Some(format!("{id} is gone and was not reported")),
        (true, false) => None,
    });
    wrong.collect()
}

/// A volume may have gone.
fn unforeseen(lineage: &Lineage) -> bool {
    let reasons = [Excuse::Late, Excuse::Ended, Excuse::Hands];
    reasons.iter().any(|it| lineage.excuses.contains(it))
}

/// Changes against a wish that was never changed.
fn disobeyed(lineage: &Lineage, state: &State) -> Vec<String> {
    let against = |it: &&Entry| is_against(lineage, &it.action);
    let done = state.journal.iter().filter(against);
    done.map(|it| format!("against the policy: {it}")).collect()
}

/// Four ways may be asked every three minutes; more while something takes its time, or is taken. After a token was
/// used for another request, an attacker's doing perhaps, every look asks for a minute.
fn too_many_launches(lineage: &Lineage, state: &State, minutes: usize) -> Option<String> {
    let each = if lineage.excuses.is_empty() { 3 } else { 15 };
    let most = 30 + each * minutes;
    let own =
        |it: &&Entry| matches!(&it.action, Action::Launch(launch) if ours(lineage, &launch.tags));
    let asked = state.journal.iter().filter(own).count();
    (asked > most).then(|| format!("{asked} launches were asked for, {most} are many"))
}

fn ours(lineage: &Lineage, tags: &Tags) -> bool {
    let rescue = tags.get(tags::RESCUE);
    rescue.is_some_and(|it| it == lineage.instance.as_str())
}

#[expect(
    clippy::wildcard_enum_match_arm,
    reason = "the policy speaks of these three"
)]
fn is_against(lineage: &Lineage, action: &Action) -> bool {
    let ours = |tags: &Tags| ours(lineage, tags);
    match action {
        Action::Launch(launch) if ours(&launch.tags) => {
            let on_demand = launch.market == Market::OnDemand;
            // Once its instance is gone, only the record knew of its group.
            let unknown = lineage.excuses.contains(&Excuse::Overwritten);
            let never = lineage.never_launches() && !unknown;
            never || (on_demand && lineage.never_on_demand())
        }
        Action::CreateVolume(create) if ours(&create.tags) => lineage.never_restores(),
        Action::Attach { volume, .. } => {
            let own = lineage.volumes.values().any(|(id, _)| id == volume);
            own && lineage.never_moves()
        }
        _ => false,
    }
}

/// The journal of one lineage's world, for a person looking for the cause.
pub fn journal(play: &Play) -> String {
    let lines = play.world.look(|it| {
        let all = it.journal.iter().map(ToString::to_string);
        all.collect::<Vec<_>>()
    });
    lines.join("\n")
}

/// All instances that live, for messages.
pub fn living(play: &Play) -> Vec<InstanceId> {
    play.world.look(|it| {
        let all = it.instances.values().filter(|it| it.facts.is_alive());
        all.map(|it| it.facts.id.clone()).collect()
    })
}
