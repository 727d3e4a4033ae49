//! A year of scheduled backups: a thousand instances, a set of each every hour, with calls that fail, snapshots that
//! fail, runs that are lost and calls that are throttled. What stays is at every step what a naive way says.
//!
//! `make year` plays all of it; without `YEAR=1` a few instances for two months.
#![allow(clippy::unwrap_used, reason = "tests")]

use spot_rescue::backup::{
    Due, Retention, Schedule, Set, SetState, Verdict, Zone, decide, due, set,
};
use spot_rescue::clock::{Timestamp, parse};
use spot_rescue::id::InstanceId;
use std::collections::BTreeSet;
use std::thread;
use time::Duration;

const HOURS: i64 = 24;
const DAYS: i64 = 7;
const WEEKS: i64 = 4;
const MONTHS: i64 = 12;
/// EC2 takes so many of a volume at a time, and none within so many seconds.
/// <https://docs.aws.amazon.com/ebs/latest/userguide/ebs-creating-snapshot.html>
const PENDING: usize = 5;
const APART: Duration = Duration::seconds(15);

/// So much is wrong, in percent.
const LOST: u64 = 2;
const THROTTLED: u64 = 5;
const FAILED: u64 = 5;

/// Repeatable chance.
struct Chance(u64);

impl Chance {
    fn below(&mut self, limit: u64) -> u64 {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        self.0 % limit
    }

    fn happens(&mut self, percent: u64) -> bool {
        self.below(100) < percent
    }
}

#[derive(Debug, Default, Clone, Copy)]
struct Figures {
    runs: usize,
    taken: usize,
    failed: usize,
    deleted: usize,
    /// The most at any time.
    held: usize,
}

/// One instance and its sets.
struct Instance {
    id: InstanceId,
    chance: Chance,
    sets: Vec<Set>,
    /// When the set under way ends, and whether well.
    ends: Option<(Timestamp, bool)>,
    figures: Figures,
}

impl Instance {
    fn new(n: usize) -> Self {
        Self {
            id: format!("i-{n:017x}").parse().unwrap(),
            chance: Chance(0x9E37_79B9_7F4A_7C15 ^ (n as u64 + 1)),
            sets: Vec::new(),
            ends: None,
            figures: Figures::default(),
        }
    }

    /// What the schedule does, every quarter of an hour.
    fn run(&mut self, schedule: &Schedule, retention: &Retention, now: Timestamp) {
        self.settle(now);
        if self.chance.happens(LOST) {
            return;
        }
        self.figures.runs += 1;
        self.take(schedule, now);
        self.retire(retention);
    }

    fn settle(&mut self, now: Timestamp) {
        let Some((at, well)) = self.ends.filter(|it| it.0 <= now) else {
            return;
        };
        let pending = self
            .sets
            .iter_mut()
            .filter(|it| it.state == SetState::Pending);
        for it in pending {
            it.state = if well {
                SetState::Completed
            } else {
                SetState::Failed
            };
            it.completed = Some(at).filter(|_| well);
        }
        self.ends = None;
    }

    fn take(&mut self, schedule: &Schedule, now: Timestamp) {
        let Due::Now(run) = due(schedule, &self.id, &self.sets, now) else {
            return;
        };
        if self.chance.happens(THROTTLED) {
            return;
        }
        let pending = self.sets.iter().filter(|it| it.state == SetState::Pending);
        assert!(pending.count() < PENDING);
        assert!(self.sets.iter().all(|it| now - it.started >= APART));
        self.sets.push(Set {
            name: format!("{}-{}", set::name(&self.id, run), self.sets.len()),
            started: now,
            completed: None,
            state: SetState::Pending,
            snapshots: Vec::new(),
        });
        let well = !self.chance.happens(FAILED);
        let minutes = i64::try_from(1 + self.chance.below(100)).unwrap();
        self.ends = Some((now + Duration::minutes(minutes), well));
        self.figures.taken += 1;
        self.figures.failed += usize::from(!well);
    }

    fn retire(&mut self, retention: &Retention) {
        let said = decide(retention, &Zone::utc(), &self.sets);
        let stay: Vec<bool> = said.iter().map(|it| *it != Verdict::Goes).collect();
        assert_eq!(stay, naive(&self.sets), "{}: {:#?}", self.id, self.sets);
        let newest = self
            .sets
            .iter()
            .rposition(|it| it.state == SetState::Completed);
        assert!(newest.is_none_or(|it| stay[it]), "the newest goes");
        let before = self.sets.len();
        let mut stay = stay.into_iter();
        self.sets.retain(|_| stay.next() == Some(true));
        self.figures.deleted += before - self.sets.len();
        // Failed ones are left to people: here one looks after them each day.
        self.figures.held = self.figures.held.max(self.sets.len());
        let now = self.sets.last().map(|it| it.started);
        self.sets.retain(|it| {
            it.state != SetState::Failed || now.is_some_and(|now| now - it.started < Duration::DAY)
        });
    }
}

/// A child's way: go through the sets as they completed. The first of an hour stays if the hour is one of the last 24;
/// so with days, weeks and months. The newest stays.
fn naive(sets: &[Set]) -> Vec<bool> {
    let completed = |it: &&Set| it.state == SetState::Completed;
    let Some(newest) = sets.iter().filter(completed).max_by_key(|it| it.started) else {
        return vec![true; sets.len()];
    };
    let mut order: Vec<&Set> = sets.iter().filter(completed).collect();
    order.sort_by_key(|it| (it.completed, it.started));
    let mut seen = BTreeSet::new();
    let mut stay = BTreeSet::from([newest.started]);
    for set in order {
        let kinds = [
            (hour as fn(&Set) -> i64, HOURS),
            (day, DAYS),
            (week, WEEKS),
            (month, MONTHS),
        ];
        for (kind, (of, count)) in kinds.into_iter().enumerate() {
            let in_force = of(newest) - of(set) < count;
            if seen.insert((kind, of(set))) && in_force {
                stay.insert(set.started);
            }
        }
    }
    let stays = |it: &Set| it.state != SetState::Completed || stay.contains(&it.started);
    sets.iter().map(stays).collect()
}

fn hour(set: &Set) -> i64 {
    set.started.unix_timestamp() / 3600
}

fn day(set: &Set) -> i64 {
    hour(set) / 24
}

/// Weeks begin on Mondays, and 1970 began on a Thursday.
fn week(set: &Set) -> i64 {
    (day(set) + 3) / 7
}

fn month(set: &Set) -> i64 {
    let date = set.started.date();
    i64::from(date.year()) * 12 + i64::from(u8::from(date.month()))
}

fn play(instances: std::ops::Range<usize>, days: i64) -> Vec<Figures> {
    let schedule = Schedule::parse("hourly").unwrap();
    let retention = Retention::parse("24h 7d 4w 12m").unwrap();
    let begin = parse("2026-01-01T00:00:00Z").unwrap();
    let year = |n| {
        let mut instance = Instance::new(n);
        for quarter in 0..days * 96 {
            instance.run(
                &schedule,
                &retention,
                begin + Duration::minutes(15 * quarter),
            );
        }
        instance.figures
    };
    instances.map(year).collect()
}

#[test]
fn what_stays_is_at_every_step_what_a_naive_way_says() {
    let whole = std::env::var_os("YEAR").is_some();
    let (instances, days) = if whole { (1000, 365) } else { (8, 60) };
    let half = instances / 2;
    let figures = thread::scope(|scope| {
        let other = scope.spawn(move || play(half..instances, days));
        let mut all = play(0..half, days);
        all.extend(other.join().unwrap());
        all
    });
    let sum = |of: fn(&Figures) -> usize| figures.iter().map(of).sum::<usize>();
    let (taken, deleted) = (sum(|it| it.taken), sum(|it| it.deleted));
    let hours = instances * usize::try_from(days).unwrap() * 24;
    let days_in_all = hours / 24;
    let a_day = |it: usize| format!("{}.{}", it / days_in_all, it * 10 / days_in_all % 10);
    println!(
        "{instances} instances, {days} days, {} runs: {taken} sets taken ({} failed), {deleted} deleted; at most {} \
         held; calls a volume and day: {} CreateSnapshots, {} DeleteSnapshot",
        sum(|it| it.runs),
        sum(|it| it.failed),
        figures.iter().map(|it| it.held).max().unwrap(),
        a_day(taken),
        a_day(deleted),
    );
    // A set under way for more than an hour is waited for, and one that failed is tried once more.
    assert!(
        taken * 100 > hours * 60 && taken < hours * 2,
        "{taken} of {hours}"
    );
    assert!(deleted > taken / 2);
}
