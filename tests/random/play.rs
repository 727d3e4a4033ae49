//! Carries out the ops: indices become existing things, the world changes, the model is told.

use crate::attack::{self, ATTACKS, overwritten};
use crate::model::{Happened, Lineage, Model};
use crate::op::{Hand, Op, Refused};
use crate::start::{Start, TYPE, ZONES};
use spot_rescue::clock::{Clock, Timestamp};
use spot_rescue::event::{InstanceAction, InstanceState};
use spot_rescue::handler::Handler;
use spot_rescue::id::{InstanceId, VolumeId};
use spot_rescue::sim::{
    Attacker, FailingCloud, Fault, GroupType, Kind, Launches, On, SimInstance, Supply, World,
    invariants, lineage,
};
use spot_rescue::situation::{Market, VolumeState};
use std::cell::RefCell;

pub type Function = Handler<FailingCloud<World>, World>;

thread_local! {
    /// Log lines, as a person would see them.
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

pub struct Play {
    pub world: World,
    pub function: Function,
    pub model: Model,
    pub attacker: Attacker,
    /// Promises broken on the way, in the end, or never.
    pub wrong: Vec<String>,
    /// When trouble could begin, and when it was over.
    began: Timestamp,
    ended: Timestamp,
}

impl Play {
    /// All instances are prepared, an hour has passed, the weather sets in.
    pub async fn begin(start: &Start) -> Self {
        LINES.with_borrow_mut(Vec::clear);
        let (world, model) = start.build();
        let function = Handler {
            cloud: FailingCloud::new(world.clone(), Vec::new()),
            clock: world.clone(),
            defaults: start.defaults(),
            seal: spot_rescue::seal::Seal::of(Some(spot_rescue::sim::ROLE)),
            print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
        };
        let mut play = Self {
            attacker: world.attacker(),
            began: world.now(),
            ended: world.now(),
            world,
            function,
            model,
            wrong: Vec::new(),
        };
        play.settle("prepared").await;
        play.world.advance(3600);
        start.weather.set(&play.world);
        play.began = play.world.now();
        play
    }

    pub fn lines() -> Vec<String> {
        LINES.with_borrow(Clone::clone)
    }

    async fn settle(&mut self, when: &str) {
        let run = self.world.run_until_quiet(&self.function).await;
        let endless = (!run.quiet).then(|| format!("never quiet ({when})"));
        self.wrong.extend(endless);
    }

    pub async fn step(&mut self, op: &Op) {
        match op {
            Op::Pass(seconds) => self.pass(*seconds).await,
            Op::Outage(seconds) => {
                self.world.advance(*seconds);
                self.model.hear(&Happened::Unattended(*seconds));
            }
            Op::Sweep => self.world.sweep(),
            Op::Attack(kind, which, other) => {
                let (_, attack) = ATTACKS[kind % ATTACKS.len()];
                self.attacker.look();
                attack(self, *which, *other);
                for lineage in overwritten(&self.world) {
                    self.model.hear(&Happened::Overwritten(lineage));
                }
            }
            other => self.happen(other),
        }
        self.pass(1).await;
        let broken = self.world.look(invariants::always);
        self.wrong.extend(broken);
        self.wrong.dedup();
    }

    async fn pass(&mut self, seconds: i64) {
        let _ = self.world.run_for(&self.function, seconds).await;
    }

    /// AWS recovers, EC2 has capacity for all launches, and the schedule comes round.
    pub async fn finish(&mut self) {
        self.ended = self.world.now();
        self.function.cloud.disarm();
        self.world.mend_launches();
        self.world.mend_booting();
        for zone in ZONES {
            for market in [Market::Spot, Market::OnDemand] {
                self.world.supply(TYPE, zone, market, Supply::Left(1000));
            }
        }
        self.settle("in the end").await;
        for id in self.instances(|it| it.facts.state == InstanceState::Stopped) {
            self.world.resume(&id);
        }
        self.settle("after the return").await;
        self.world.sweep();
        self.settle("after the sweep").await;
        // Spares that were not needed are given back after six hours, and ended by the sweep after that.
        for _ in 0..2 {
            self.world.advance(6 * 3600 + 900);
            self.world.sweep();
            self.settle("hours later").await;
        }
        self.world.sweep();
        self.settle("in the very end").await;
    }

    /// The minutes in which things went wrong.
    pub fn troubled(&self) -> usize {
        usize::try_from((self.ended - self.began).whole_minutes()).unwrap_or(0)
    }

    fn happen(&mut self, op: &Op) {
        match *op {
            Op::Interrupt(which) => self.interrupt(which, true),
            Op::InterruptSilently(which) => self.interrupt(which, false),
            Op::Rebalance(which) => {
                let running = self.instances(|it| it.facts.state == InstanceState::Running);
                if let Some(id) = at(which, &running) {
                    self.world.recommend_rebalance(id);
                }
            }
            Op::Duplicate(which) => self.duplicate(which),
            Op::Drop(which) => self.drop_event(which),
            Op::Delay(which, by) => self.delay(which, by),
            Op::StaleWarning(which) => self.stale_warning(which),
            Op::Refuse(nth, code) => self.arm(true, nth, Kind::Code(code)),
            Op::RefuseRead(nth, code) => self.arm(false, nth, Kind::Code(code)),
            Op::LoseReply(nth) => self.arm(true, nth, Kind::LoseReply),
            Op::Twice(nth) => self.arm(true, nth, Kind::Twice),
            Op::CrashBefore(nth) => self.arm(true, nth, Kind::CrashBefore),
            Op::CrashAfter(nth) => self.arm(true, nth, Kind::CrashAfter),
            Op::SnapshotsFail => {
                self.world.change(|it| it.snapshot_failures += 1);
                self.model.hear(&Happened::SnapshotsFail);
            }
            Op::BootFails(next, reason) => {
                self.world.mend_booting();
                self.world.die_booting(reason, next);
                self.model.hear(&Happened::BootFails);
            }
            Op::RefuseLaunches(of, code, on_top) => self.refuse_launches(of, code, on_top),
            Op::MendLaunches => self.world.mend_launches(),
            Op::LaunchUnderWay(seconds) => self.world.next_launch_takes(seconds),
            Op::Capacity(zone, market, left) => {
                let zone = ZONES[usize::from(zone) % ZONES.len()];
                self.world.supply(TYPE, zone, market, Supply::Left(left));
            }
            Op::Resume(which) => {
                let stopped = self.instances(|it| it.facts.state == InstanceState::Stopped);
                if let Some(id) = at(which, &stopped) {
                    self.world.resume(id);
                }
            }
            Op::GiveUp(which) => {
                let stopped = self.instances(|it| it.facts.state == InstanceState::Stopped);
                self.on_one(which, &stopped, World::give_up, Happened::GivenUp);
            }
            Op::Terminate(which) => {
                let alive = self.instances(|it| it.facts.is_alive());
                self.on_one(which, &alive, World::terminate, Happened::UserEnded);
            }
            Op::Stop(which) => {
                // An interrupted instance cannot be kept by stopping it.
                let runs = InstanceState::Running;
                let free = self.instances(|it| it.facts.state == runs && !it.doomed);
                self.on_one(which, &free, World::stop, Happened::UserStopped);
            }
            Op::Snapshot(which) => {
                let volumes = self.volumes(|_| true);
                at(which, &volumes).map(|it| self.world.snapshot(it));
            }
            Op::Retag(which, key, value) => {
                let alive = self.instances(|it| it.facts.is_alive());
                let set =
                    |world: &World, id: &InstanceId| world.retag(id.as_str(), &[(key, value)]);
                self.on_one(which, &alive, set, |id| Happened::Retagged(id, key, value));
            }
            Op::Deregister(which) => self.deregister(which),
            Op::DeleteVolume(which) => self.take_volume(which, |world, id, _| {
                world.delete_volume(id);
            }),
            Op::GiveAway(which) => self.take_volume(which, |world, id, bystander| {
                world.give_away(id, bystander, "/dev/sdz");
            }),
            Op::Hand(hand, which) => self.hand(hand, which),
            Op::Pass(_) | Op::Outage(_) | Op::Sweep | Op::Attack(..) => {}
        }
    }

    /// An instance has one interruption behaviour; a replacement is terminated.
    fn behaviour(&self, id: &InstanceId) -> InstanceAction {
        let first = self.model.lineages.iter().find(|it| it.instance == *id);
        first.map_or(InstanceAction::Terminate, |it| it.behaviour)
    }

    fn interrupt(&mut self, which: u16, told: bool) {
        let alive = [InstanceState::Running, InstanceState::Pending];
        let takeable = self.instances(|it| {
            !it.doomed && it.facts.market == Market::Spot && alive.contains(&it.facts.state)
        });
        let Some(id) = at(which, &takeable) else {
            return;
        };
        if attack::is_own(&self.world, id) {
            self.world.interrupt(id, InstanceAction::Terminate);
            return;
        }
        let action = self.behaviour(id);
        let struck = self.function.cloud.struck().len();
        self.model.hear(&Happened::Interrupted {
            lineage: self.lineage(id),
            taken: id.clone(),
            action,
            told,
            faults: self.model.faults.saturating_sub(struck),
        });
        if told {
            self.world.interrupt(id, action);
        } else {
            self.world.interrupt_silently(id, action);
        }
    }

    /// Of an instance that was not interrupted yet, and that no group looks after.
    fn hand(&mut self, hand: Hand, which: u16) {
        match hand {
            Hand::StripVolume => {
                let all = self.volumes(|_| true);
                if let Some(id) = at(which, &all) {
                    self.world.strip(id.as_str());
                }
                return;
            }
            Hand::StripSnapshot => {
                let all = self
                    .world
                    .look(|it| it.snapshots.keys().cloned().collect::<Vec<_>>());
                if let Some(id) = at(which, &all) {
                    self.world.strip(id.as_str());
                }
                return;
            }
            Hand::Attach(_) | Hand::Detach | Hand::Register | Hand::Dissociate => {}
        }
        let well = self.instances(|it| it.facts.state == InstanceState::Running && !it.doomed);
        let all = self.model.lineages.iter_mut();
        let mut free: Vec<&mut Lineage> = all
            .filter(|it| it.is_well() && well.contains(&it.instance))
            .collect();
        let Some(position) = usize::from(which).checked_rem(free.len()) else {
            return;
        };
        change(&self.world, hand, free.swap_remove(position));
    }

    fn refuse_launches(&self, of: Refused, code: &str, on_top: bool) {
        let zone = |it: u16| self.world.subnet(ZONES[usize::from(it) % ZONES.len()]);
        let of = match of {
            Refused::All => Launches::All,
            Refused::In(it) => Launches::In(zone(it)),
            Refused::Of(market) => Launches::Of(market),
            Refused::Pool(it, market) => Launches::Pool(TYPE.to_owned(), zone(it), market),
        };
        if on_top {
            self.world.refuse_requests(of, code);
        } else {
            self.world.refuse_launches(of, code);
        }
    }

    fn stale_warning(&self, which: u16) {
        let known = self.instances(|_| true);
        if let Some(id) = at(which, &known) {
            let long_ago =
                self.world.now() - time::Duration::seconds(700 + i64::from(which % 4000));
            self.world.warn(id, self.behaviour(id), long_ago);
        }
    }

    fn arm(&mut self, is_act: bool, nth: u64, kind: Kind) {
        let cloud = &self.function.cloud;
        let on = if is_act {
            On::Act(cloud.acts() + nth)
        } else {
            On::Read(cloud.reads() + nth)
        };
        cloud.arm(Fault { on, kind });
        self.model.hear(&Happened::FaultArmed);
    }

    fn on_one(
        &mut self,
        which: u16,
        among: &[InstanceId],
        act: impl FnOnce(&World, &InstanceId),
        tell: impl FnOnce(InstanceId) -> Happened,
    ) {
        if let Some(id) = at(which, among) {
            self.model.hear(&tell(self.lineage(id)));
            act(&self.world, id);
        }
    }

    fn duplicate(&self, which: u16) {
        self.world.change(|it| {
            let twin = at(which, &it.queue.messages).cloned();
            it.queue.sent += 1;
            let id = format!("message-{}", it.queue.sent);
            it.queue
                .messages
                .extend(twin.map(|twin| spot_rescue::sim::Message { id, ..twin }));
        });
    }

    /// The positions of events in the queue, and the instance that each warning is about.
    fn event(&self, which: u16) -> Option<(usize, Option<InstanceId>)> {
        let messages = self.world.look(|it| it.queue.messages.clone());
        let events = messages.iter().enumerate();
        let events = events.filter(|(_, it)| it.body.contains("aws.ec2"));
        let events: Vec<_> = events.collect();
        let (position, message) = *at(which, &events)?;
        let warns = message.body.contains("Interruption Warning");
        let id = message.body.split("\"instance-id\":\"").nth(1);
        let id = id.and_then(|it| it.split('"').next()?.parse().ok());
        Some((position, id.filter(|_| warns).map(|it| self.lineage(&it))))
    }

    fn drop_event(&mut self, which: u16) {
        if let Some((position, warned)) = self.event(which) {
            self.world.change(|it| it.queue.messages.remove(position));
            let lost = warned.map(Happened::WarningLost);
            if let Some(happened) = lost {
                self.model.hear(&happened);
            }
        }
    }

    fn delay(&mut self, which: u16, by: i64) {
        if let Some((position, warned)) = self.event(which) {
            self.world.change(|it| {
                let later = it.now + time::Duration::seconds(by);
                let message = &mut it.queue.messages[position];
                message.visible_at = message.visible_at.max(later);
            });
            let late = warned.map(|it| Happened::WarningDelayed(it, by));
            if let Some(happened) = late {
                self.model.hear(&happened);
            }
        }
    }

    fn deregister(&mut self, which: u16) {
        let registered = self.world.look(|it| {
            let all = it.groups.values().flat_map(|it| it.targets.keys());
            all.cloned().collect::<Vec<_>>()
        });
        let Some(target) = at(which, &registered) else {
            return;
        };
        let place = (target.group.to_string(), target.port.unwrap_or_default());
        let of = |it: &&crate::model::Lineage| it.targets.contains(&place);
        let lineage = self.model.lineages.iter().find(of);
        let told = lineage.map(|it| Happened::Deregistered(it.instance.clone()));
        if let Some(happened) = told {
            self.model.hear(&happened);
        }
        self.world.deregister(target);
    }

    /// Only a free volume can be taken.
    fn take_volume(&mut self, which: u16, take: impl FnOnce(&World, &VolumeId, &InstanceId)) {
        let free = self.volumes(|it| it.facts.state == VolumeState::Available && !it.root);
        let bystander = self.model.bystander.clone();
        if let Some(id) = at(which, &free) {
            let origin = self.world.look(|it| it.volumes[id].content.origin.clone());
            self.model.hear(&Happened::TakenByUser(origin));
            take(&self.world, id, &bystander);
        }
    }

    fn instances(&self, wanted: impl Fn(&SimInstance) -> bool) -> Vec<InstanceId> {
        self.world.look(|it| {
            let all = it.instances.values().filter(|it| wanted(it));
            all.map(|it| it.facts.id.clone()).collect()
        })
    }

    fn volumes(&self, wanted: impl Fn(&spot_rescue::sim::SimVolume) -> bool) -> Vec<VolumeId> {
        self.world.look(|it| {
            let all = it.volumes.values().filter(|it| wanted(it));
            all.map(|it| it.facts.id.clone()).collect()
        })
    }

    fn lineage(&self, id: &InstanceId) -> InstanceId {
        let known = self.world.look(|it| {
            let instance = it.instances.get(id)?;
            Some(lineage(it, instance))
        });
        known.unwrap_or_else(|| id.clone())
    }
}

/// The device of a volume that a user attaches later.
pub const NEW: &str = "/dev/sdm";

fn change(world: &World, hand: Hand, lineage: &mut Lineage) {
    let id = &lineage.instance;
    match hand {
        Hand::Attach(flagged) if !lineage.volumes.contains_key(NEW) => {
            let volume = world.attach_new(id, NEW, flagged);
            lineage.volumes.insert(NEW.to_owned(), (volume, flagged));
        }
        Hand::Detach => {
            if let Some((_, (volume, _))) = lineage.volumes.pop_last() {
                world.detach(&volume);
            }
        }
        Hand::Register => {
            let group = world.target_group(GroupType::Instance);
            let _ = world.register(&group, id.as_str(), 6060);
            lineage.targets.insert((group.to_string(), 6060));
        }
        Hand::Dissociate => {
            if let Some(address) = lineage.address.take() {
                world.dissociate(&address);
            }
        }
        Hand::Attach(_) | Hand::StripVolume | Hand::StripSnapshot => {}
    }
}

/// Modulo what there is.
pub fn at<T>(index: u16, from: &[T]) -> Option<&T> {
    let position = usize::from(index).checked_rem(from.len())?;
    from.get(position)
}
