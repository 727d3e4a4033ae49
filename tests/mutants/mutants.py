"""Deliberate bugs: each is one edit of the source that a tired person could make.

The text to be replaced must occur exactly once in its file.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Mutant:
    """A bug, where it is, and the edit that makes it."""

    bug: str
    file: str
    before: str
    after: str


MUTANTS = [
    Mutant(
        "a clone counts before anybody has it",
        "src/plan/copies.rs",
        "(is_clone(volume, of) && is_taken(volume))",
        "is_clone(volume, of)",
    ),
    Mutant(
        "a clone is used although the volume is about to be free",
        "src/plan/clone.rs",
        "lineage.policy.data.value != Data::Clone || ends_soon",
        "lineage.policy.data.value != Data::Clone",
    ),
    Mutant(
        "a restore that came to nothing is asked for with the same token",
        "src/plan/restore/attempt.rs",
        "Attempt::New(number + 1)",
        "Attempt::New(number)",
    ),
    Mutant(
        "no tombstone",
        "src/plan/protect.rs",
        "if !news || instance.state == InstanceState::Terminated {",
        "if !news || instance.launch_time <= lineage.situation.now {",
    ),
    Mutant(
        "the launch token does not count failed launches",
        "src/plan/launch.rs",
        'let parts = ["launch", base.as_str(), attempt.as_str()];',
        'let parts = ["launch", base.as_str(), &attempt[..0]];',
    ),
    Mutant(
        "DeleteOnTermination is not switched off",
        "src/plan/protect.rs",
        "if instance.is_alive() && !devices.is_empty() {",
        "if instance.is_alive() && devices.len() > 99 {",
    ),
    Mutant(
        "the user's DeleteOnTermination is not put back",
        "src/plan/volumes.rs",
        "let complete = devices.is_empty();",
        "let complete = devices.len() < 99;",
    ),
    Mutant(
        "a pending snapshot is taken for a completed one",
        "src/plan/restore.rs",
        "Some(taken) if taken.state == SnapshotState::Completed => {",
        "Some(taken) if taken.state != SnapshotState::Unusable => {",
    ),
    Mutant(
        "a set that failed is restored from",
        "src/plan/restore.rs",
        "if members.iter().any(|it| it.state == SnapshotState::Unusable) || !usable(own) {",
        "if !usable(own) {",
    ),
    Mutant(
        "in another zone the set of the warning will do",
        "src/plan/restore.rs",
        "None if failed.len() < TRIES => close_up(lineage, recorded, volume, closing, plan),",
        "None if failed.len() > TRIES => close_up(lineage, recorded, volume, closing, plan),",
    ),
    Mutant(
        "no capacity is taken for a success",
        "src/cloud/codes.rs",
        "CAPACITY.contains(&code) {\n        Class::Capacity",
        "CAPACITY.contains(&code) {\n        Class::AlreadyDone",
    ),
    Mutant(
        "a volume is attached before it is available",
        "src/plan/volumes.rs",
        "if volume.state == VolumeState::Available {",
        "if [VolumeState::Available, VolumeState::Creating].contains(&volume.state) {",
    ),
    Mutant(
        "a volume is attached across zones",
        "src/plan/volumes.rs",
        "let here = volume.availability_zone == successor.availability_zone;",
        "let here = !volume.availability_zone.is_empty();",
    ),
    Mutant(
        "a tag alone makes a volume a copy",
        "src/plan/copies.rs",
        "claims(volume, of) && snapshots.iter().any(made_from);",
        "claims(volume, of) | snapshots.iter().any(made_from);",
    ),
    Mutant(
        "ports are forgotten",
        "src/plan/register.rs",
        "        id,\n        ..recorded.clone()",
        "        id,\n        port: recorded.port.map(|_| 80),\n        ..recorded.clone()",
    ),
    Mutant(
        "the replacement is registered before it has its volumes",
        "src/plan/rejoin.rs",
        "if !hand_over.complete() {",
        "if !hand_over.known {",
    ),
    Mutant(
        "somebody else's address is taken",
        "src/plan/addresses.rs",
        "free || of_member || interface.as_ref().is_some_and(on_kept)",
        "free || of_member || interface.as_ref().is_some_and(|it| on_kept(it) || holder.is_some())",
    ),
    Mutant(
        "a stopped instance is replaced",
        "src/plan/phase.rs",
        "InstanceAction::Terminate => Phase::Rescue(interruption),",
        "InstanceAction::Terminate | InstanceAction::Stop => Phase::Rescue(interruption),",
    ),
    Mutant(
        "the opt-in is ignored",
        "src/plan/phase.rs",
        "if !lineage.policy.protected.value {",
        "if !lineage.policy.protected.value && lineage.owner.is_none() {",
    ),
    Mutant(
        "a copy is deleted before it expires",
        "src/plan/sweep.rs",
        "at.is_some_and(|it| it < now)",
        "at.is_some_and(|it| it > now)",
    ),
    Mutant(
        "copies are deleted during a rescue",
        "src/plan/sweep.rs",
        "lineage.is_some_and(|it| !busy.contains(it.as_str()))",
        "lineage.is_some_and(|it| !busy.contains(it.as_str()) || !busy.is_empty())",
    ),
    Mutant(
        "what was launched with our marks is believed",
        "src/plan/lineage/member.rs",
        "(instance.sealed || situation.launched.contains(&instance.id))",
        "(instance.sealed || !situation.lineage.as_str().is_empty())",
    ),
    Mutant(
        "a seal is not compared",
        "src/seal/marks.rs",
        "fits(plain, code).then_some(plain)",
        "(fits(plain, code) || !plain.is_empty()).then_some(plain)",
    ),
    Mutant(
        "whoever has created a template, it is ours",
        "src/seal/open.rs",
        "!seal.is_foreign(it.created_by.as_deref())",
        "(!seal.is_foreign(it.created_by.as_deref()) || !it.name.is_empty())",
    ),
    Mutant(
        "the newest version is launched",
        "src/plan/lineage.rs",
        "Some((template.id.clone(), current))",
        "Some((template.id.clone(), template.latest.max(current)))",
    ),
    Mutant(
        "a wake without a seal is believed",
        "src/seal/message.rs",
        "if sealed && wake",
        "if (sealed || wake.attempt < 1000) && wake",
    ),
    Mutant(
        "a warning that nothing followed is never forgotten",
        "src/plan/phase.rs",
        "runs && !replaced && ",
        "runs && !replaced && lineage.record.swaps > 100 && ",
    ),
    Mutant(
        "the user's tags are dropped",
        "src/plan/prepare/template.rs",
        'key.starts_with("aws:") || tags::is_own(key)',
        'key.starts_with("aws:") || !key.is_empty()',
    ),
    Mutant(
        "EC2's own tags are copied",
        "src/plan/prepare/template.rs",
        'key.starts_with("aws:") || tags::is_own(key)',
        "tags::is_own(key)",
    ),
    Mutant(
        "On-Demand although the user said never",
        "src/plan/lanes.rs",
        "OnDemand::Never => &[Market::Spot],",
        "OnDemand::Never => &[Market::Spot, Market::OnDemand],",
    ),
    Mutant(
        "a member of a group is replaced beside its group",
        "src/plan/group.rs",
        "let Some(name) = lineage.group_name() else {",
        "let Some(name) = lineage.group_name().filter(|_| replace == Replace::Launch) else {",
    ),
    Mutant(
        "a failed read of the record is an empty record",
        "src/plan.rs",
        "return without_record(situation, operation, why);",
        "let _ = without_record(situation, operation, why);",
    ),
    Mutant(
        "what is not to be seen is forgotten at first sight",
        "src/plan.rs",
        "let before = lineage.situation.confirming.contains(&seen);",
        "let before = true;",
    ),
    Mutant(
        "one thing seen twice confirms another",
        "src/plan.rs",
        "let before = lineage.situation.confirming.contains(&seen);",
        "let before = !lineage.situation.confirming.is_empty();",
    ),
    Mutant(
        "old warnings are believed",
        "src/plan/lineage.rs",
        "notice.at < instance.launch_time - slack || outlived",
        "notice.at < instance.launch_time - slack * 1_000_000 && outlived",
    ),
    Mutant(
        "nobody looks again",
        "src/reconcile/wakes.rs",
        "let soonest = subject.soonest_wait()?;",
        "let soonest = subject.soonest_wait().filter(|it| *it > 900)?;",
    ),
    Mutant(
        "devices of the image are not kept empty",
        "src/plan/prepare/template.rs",
        "        .chain(of_image)\n",
        "        .chain(of_image.take(0))\n",
    ),
    Mutant(
        "a wake forgets the warning it goes back to",
        "src/reconcile/wakes.rs",
        "interruptions: subject.notices.clone(),",
        "interruptions: Vec::new(),",
    ),
    Mutant(
        "a failed read of snapshots is no snapshots",
        "src/plan/snapshot.rs",
        "if taken == Some(true) || unknown ||",
        "if taken == Some(true) || (unknown && false) ||",
    ),
    Mutant(
        "what may hibernate is snapshotted",
        "src/plan/snapshot.rs",
        "if instance.hibernation {",
        "if instance.hibernation && instance.devices.is_empty() {",
    ),
    Mutant(
        "a neighbour's address is taken out of service",
        "src/plan/deregister.rs",
        "let deserted = !it.answering && on_record(it);",
        "let deserted = on_record(it);",
    ),
    Mutant(
        "an address of another VPC is ours",
        "src/situation.rs",
        "(near || it.target.is_instance())",
        "(near || !it.target.is_instance() || it.target.is_instance())",
    ),
    Mutant(
        "what could not be read is forgotten",
        "src/plan/prepare.rs",
        "found.complete.contains(&it.balancing()) && found.tells_of(it);",
        "found.complete.contains(&it.balancing()) || !found.tells_of(it);",
    ),
    Mutant(
        "one refused target keeps a rescue open for ever",
        "src/plan/register.rs",
        "if missing.is_empty() || trying > PATIENCE {",
        "if missing.is_empty() || trying > 1e9 {",
    ),
    Mutant(
        "always the same way to launch",
        "src/plan/pools.rs",
        "if free <= reference {",
        "if best.is_none() {",
    ),
    Mutant(
        "a failed pool is asked again at once",
        "src/plan/pools.rs",
        "last.map_or(Timestamp::UNIX_EPOCH, |it| it + self.rest)",
        "last.map_or(Timestamp::UNIX_EPOCH, |it| it + self.rest / 90)",
    ),
    Mutant(
        "the breaker never opens",
        "src/plan/breaker.rs",
        "count() >= breaker.interruptions;",
        "count() > breaker.interruptions + 9;",
    ),
    Mutant(
        "a dead replacement is a successor",
        "src/plan/lineage.rs",
        "(it.tags.contains_key(tags::REPLACES) || group::is_claimed(self.situation, it))\n"
        "                && it.is_alive()\n                && self.interruption(it).is_none()",
        "(it.tags.contains_key(tags::REPLACES) || group::is_claimed(self.situation, it))\n"
        "                && self.interruption(it).is_none()",
    ),
    Mutant(
        "an interrupted replacement is a successor",
        "src/plan/lineage.rs",
        "(it.tags.contains_key(tags::REPLACES) || group::is_claimed(self.situation, it))\n"
        "                && it.is_alive()\n                && self.interruption(it).is_none()",
        "(it.tags.contains_key(tags::REPLACES) || group::is_claimed(self.situation, it))\n"
        "                && it.is_alive()",
    ),
    Mutant(
        "every launch is for the first of the lineage",
        "src/plan/lineage.rs",
        "newest.find(|it| !self.is_retired(it)).or(self.owner)",
        "self.owner.or(newest.find(|it| !self.is_retired(it)))",
    ),
    Mutant(
        "only a new launch time tells a return",
        "src/plan/phase.rs",
        "(started_since || seen_stopped || outlived)",
        "(started_since && !seen_stopped)",
    ),
    Mutant(
        "a member is detached although Capacity Rebalancing replaces it",
        "src/plan/group/join.rs",
        "} else if scaling.capacity_rebalance {",
        "} else if scaling.deleting {",
    ),
    Mutant(
        "the launch hooks of others are completed",
        "src/plan/group/claim.rs",
        "hooks.filter(|it| it.starts_with(OUR_HOOKS))",
        "hooks.filter(|it| !it.is_empty())",
    ),
    Mutant(
        "a group that is not opted in is changed",
        "src/plan/group/join.rs",
        "    if !scaling.is_opted_in() {\n        Some(not_opted_in(group))\n    } else if decrement {",
        "    if scaling.deleting {\n        Some(not_opted_in(group))\n    } else if decrement {",
    ),
    Mutant(
        "in a group that cannot get smaller we launch beside it",
        "src/plan/group.rs",
        "scaling.desired_capacity <= scaling.min_size",
        "scaling.desired_capacity < scaling.min_size",
    ),
    Mutant(
        "the request of what EC2 stops is cancelled",
        "src/plan/requests.rs",
        "request.persistent && request.behaviour == InstanceAction::Terminate && request.live",
        "request.persistent && request.live",
    ),
    Mutant(
        "an original that comes back late serves beside its replacement",
        "src/plan/pause.rs",
        "        deregister::of(lineage, it, plan);\n",
        "",
    ),
    Mutant(
        "a spare's token is used again",
        "src/plan/risk.rs",
        "let attempts = bases.fold(before.clone(), |it, base| it.after(&base));",
        "let attempts = bases.fold(before.clone(), |it, _: crate::id::InstanceId| it);",
    ),
    Mutant(
        "launches for the last owner count for the next",
        "src/plan/launch.rs",
        "let attempt = lineage.record.attempts.of(base);",
        "let attempt = lineage.record.attempts.total();",
    ),
    Mutant(
        "what AWS refused to deregister stays registered",
        "src/plan/tidy.rs",
        "deregister::of(lineage, instance, plan);",
        "let _ = instance;",
    ),
    Mutant(
        "the progress of the last rescue is the next one's",
        "src/plan/lineage.rs",
        "record.progress.clear();",
        "let _ = &record.progress;",
    ),
    Mutant(
        "a request is cancelled whose instance its user has stopped",
        "src/plan/requests.rs",
        "if !relaunches(request) || request.disabled || instance.is_some_and(stopped) {",
        "if !relaunches(request) || instance.is_some_and(stopped) {",
    ),
    Mutant(
        "the root is replaced before its data is there",
        "src/plan/root.rs",
        "if successor.state != InstanceState::Running || !self.data_is_there {",
        "if successor.state != InstanceState::Running {",
    ),
    Mutant(
        "a replacement serves while its root is being replaced",
        "src/plan/root.rs",
        "if count(RootTaskState::Underway) > 0 {",
        "if count(RootTaskState::Underway) > 99 {",
    ),
    Mutant(
        "a root that stays behind expires like any other",
        "src/plan/tidy.rs",
        "let settled = [tags::EXPIRES_AT, tags::KEPT];",
        "let settled = [tags::EXPIRES_AT, tags::SET];",
    ),
    Mutant(
        "DeleteOnTermination is switched off before the record says that it was on",
        "src/plan/keep.rs",
        "if flagged.all(|it| noted(it.volume.clone())) {",
        "if flagged.all(|it| noted(it.volume.clone()) || owner.is_alive()) {",
    ),
    Mutant(
        "a stand-in is ended while it still serves",
        "src/plan/stand_in/hand_back.rs",
        "if silent && deregister::is_done(lineage) && since >= GRACE {",
        "if !silent || since >= GRACE {",
    ),
    Mutant(
        "traffic leaves a stand-in before its volumes are kept",
        "src/plan/stand_in/hand_back.rs",
        "if !is_kept(lineage, owner, interruption, &mut plan) {",
        "if !is_kept(lineage, owner, interruption, &mut plan) && !owner.is_alive() {",
    ),
    Mutant(
        "flags come back while somebody may still end the instance",
        "src/plan/stand_in/hand_back.rs",
        "trying > NOBODY_LEFT && is_released(lineage, owner, &mut plan)",
        "is_released(lineage, owner, &mut plan)",
    ),
    Mutant(
        "who stays after all does not get the flags back",
        "src/plan/stand_in/hand_back.rs",
        "keep::is_always(lineage) || volumes::delete_flags(&all, owner, plan)",
        "!all.volumes.is_empty() || volumes::delete_flags(&all, owner, plan)",
    ),
    Mutant(
        "the end of a stand-in is asked for again although it was refused",
        "src/plan/stand_in/hand_back.rs",
        "if lineage.situation.refused.contains(&end_id(&owner.id)) {",
        "if lineage.situation.refused.len() > 99 {",
    ),
    Mutant(
        "termination protection is not looked at",
        "src/plan/stand_in.rs",
        "Fact::Known(locked) if locked.contains(&owner.id) => {",
        "Fact::Known(locked) if locked.len() > 99 => {",
    ),
    Mutant(
        "On-Demand is relieved by On-Demand",
        "src/plan/launch.rs",
        "ways.retain(|it| it.market == Market::Spot && it.subnet == place.subnet);",
        "ways.retain(|it| it.subnet == place.subnet);",
    ),
    Mutant(
        "a replacement is launched although its interface is not free yet",
        "src/plan/launch.rs",
        "let later = primary::wanted(lineage).is_some();",
        "let later = primary::wanted(lineage).is_some() && at_risk;",
    ),
    Mutant(
        "an address is given up and launched without in one breath",
        "src/plan/primary.rs",
        "if left <= 0 {",
        "if left <= 99 {",
    ),
    Mutant(
        "an interface whose address could not be kept is left over for ever",
        "src/plan/primary.rs",
        "(ours && unmarked && free).then_some(found)",
        "(ours && !unmarked && free).then_some(found)",
    ),
    Mutant(
        "a stopped instance's interface is waited for",
        "src/plan/primary.rs",
        "interfaces::is_ending(lineage, holder) && !stays",
        "interfaces::is_ending(lineage, holder) || stays",
    ),
    Mutant(
        "whose flags are refused are refused their snapshots, too",
        "src/calls.rs",
        '"ec2:CreateSnapshots" => Order::LastCome,',
        '"ec2:CreateSnapshots" => Order::FirstCome,',
    ),
    Mutant(
        "who has one of both comes before who has neither",
        "src/reconcile/scarcity.rs",
        "(true, _) if has_neither(plan) => 1,",
        "(true, _) if has_neither(plan) => 3,",
    ),
    Mutant(
        "in a mass reclaim, who has snapshots takes the flags from who has neither",
        "src/reconcile/scarcity.rs",
        "((true, _), false) if needy > 0 => sets_flags,",
        "((true, _), false) if needy > 99_999 => sets_flags,",
    ),
    Mutant(
        "of two launched within a second, the replaced one counts as the younger",
        "src/plan/lineage/member.rs",
        "(it.launch_time, generation(it, &all), it.id.clone())",
        "(it.launch_time, generation(it, &all).min(1), it.id.clone())",
    ),
    Mutant(
        "a rescue is called without the warning its new member has had",
        "src/plan/group/claim.rs",
        "interruptions: situation.notices.clone()",
        "interruptions: situation.notices[..0].to_vec()",
    ),
    Mutant(
        "whose volumes nothing keeps is looked at less and less often",
        "src/reconcile.rs",
        "if !(scarce && scarcity::still_neither(&plan, &steps)) {",
        "if !(scarce && subject.attempt > 99) {",
    ),
    Mutant(
        "an address that nobody has at the moment is taken for released",
        "src/observe.rs",
        "instances.iter().any(holds) || recorded.iter().any(noted)",
        "instances.iter().any(holds)",
    ),
    Mutant(
        "one refusal among many keeps a whole batch until the next wake",
        "src/calls/gate.rs",
        "if state.refusal.take().is_some() {",
        "if state.refusal.is_none() {",
    ),
    Mutant(
        "who could not be deregistered counts as out",
        "src/reconcile/batch.rs",
        "if steps.iter().any(open) {",
        "if steps.is_empty() && steps.iter().any(open) {",
    ),
    Mutant(
        "a replacement that its rescue may yet register is looked for no more",
        "src/plan/deregister.rs",
        "    lineage.interruption(owner).filter(ends)\n",
        "    let last = lineage.situation.notices.last().cloned();\n    last.or_else(|| lineage.interruption(owner)).filter(ends)\n",
    ),
    Mutant(
        "whose successor could serve is not looked for either",
        "src/observe/quiet.rs",
        "data.any(|it| !has(&it.name)) && near && instance.is_alive()",
        "(data.any(|it| !has(&it.name)) && near && instance.is_alive()) || instance.is_alive()",
    ),
    Mutant(
        "who serves with copies is not looked for before the old instance has ended",
        "src/observe/quiet.rs",
        "data.any(|it| !has(&it.name))",
        "data.any(|it| !has(&it.name) || successor.is_alive())",
    ),
    Mutant(
        "hundreds who are out are looked for all the time",
        "src/reconcile/batch.rs",
        "instances: all.flat_map(|it| it.out(now)).cloned().collect(),",
        "instances: all.flat_map(|it| it.out(now)).cloned().take(0).collect(),",
    ),
    Mutant(
        "every batch of a mass reclaim asks every target group, whatever AWS answers",
        "src/observe/targets.rs",
        "if scarce.load(Ordering::Relaxed) && !on_record {",
        "if scarce.load(Ordering::Relaxed) && !on_record && AT_ONCE == 0 {",
    ),
]
