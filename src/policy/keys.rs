//! The one table of the user's keys.

use super::{
    BackupRoot, Data, NoReturn, OnDemand, Policy, PrivateIp, Protect, Rebalance, Replace, Root,
    Setting, Source, Targets, Types, breaker,
};
use crate::backup::{Retention, Schedule};
use crate::dns::DnsName;

/// A value that was not understood, and why, where the list of values does not say enough.
pub(super) struct Unfit(pub Option<String>);

impl From<()> for Unfit {
    fn from((): ()) -> Self {
        Self(None)
    }
}

impl From<String> for Unfit {
    fn from(why: String) -> Self {
        Self(Some(why))
    }
}

/// One tag a user may set.
pub struct Key {
    pub name: &'static str,
    /// The values it takes, as `docs/POLICY.md` prints them.
    pub values: &'static str,
    pub default: &'static str,
    pub meaning: &'static str,
    /// What stays in force when the value is not understood.
    pub kept: &'static str,
    pub(super) set: fn(&mut Policy, &str, Source) -> Result<(), Unfit>,
}

const BEFORE: &str = "the value before it";

pub const KEYS: &[Key] = &[
    Key {
        name: "spot-rescue",
        values: "on | off",
        default: "off",
        meaning: "opt in; everything else is optional",
        kept: "off",
        set: |policy, value, source| {
            let choices = [("on", true), ("off", false)];
            choose(&mut policy.protected, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:replace",
        values: "auto | launch | group | none",
        default: "auto",
        meaning: "what launches the replacement: `launch` is this function, `group` the instance's Auto Scaling \
                  group; `auto` is group for members of one, none where a fleet that keeps its size or an \
                  orchestrator replaces by itself, and launch for all others",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [
                ("auto", Replace::Auto),
                ("launch", Replace::Launch),
                ("group", Replace::Group),
                ("none", Replace::None),
            ];
            choose(&mut policy.replace, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:protect",
        values: "at-warning | always",
        default: "at-warning",
        meaning: "when `DeleteOnTermination` is switched off. `at-warning`: when the notice comes, so an end \
                  without notice deletes such volumes. `always`: as long as the rescue is prepared; if you end the \
                  instance yourself, they are deleted a day later",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [
                ("at-warning", Protect::AtWarning),
                ("always", Protect::Always),
            ];
            choose(&mut policy.protect, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:data",
        values: "auto | move | clone | restore | none",
        default: "auto",
        meaning: "how data volumes follow. `auto`: they move, and are restored from a snapshot where they \
                  cannot. `clone`: copies serve earlier, without what is written after the notice",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [
                ("auto", Data::Auto),
                ("move", Data::Move),
                ("clone", Data::Clone),
                ("restore", Data::Restore),
                ("none", Data::None),
            ];
            choose(&mut policy.data, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:initialization-rate",
        values: "100 to 300 (MiB/s)",
        default: "none",
        meaning: "how fast EC2 fills a restored volume, at an extra charge; without it, blocks are fetched \
                  when they are first read",
        kept: BEFORE,
        set: |policy, value, source| {
            let rate = value.parse().map_err(drop)?;
            let possible = (100..=300).contains(&rate);
            policy.initialization_rate = Setting {
                value: possible.then_some(Some(rate)).ok_or(())?,
                source,
            };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:root",
        values: "fresh | keep",
        default: "fresh",
        meaning: "what the replacement's root volume holds: what the image brings, or what the \
                  original's held",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [("fresh", Root::Fresh), ("keep", Root::Keep)];
            choose(&mut policy.root, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:private-ip",
        values: "new | keep",
        default: "new",
        meaning: "the replacement's primary private address. `new`: another one, and the replacement boots at \
                  once. `keep`: the same one, but it is launched only when the original has ended, so the outage is \
                  longer by a boot",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [("new", PrivateIp::New), ("keep", PrivateIp::Keep)];
            choose(&mut policy.private_ip, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:targets",
        values: "rejoin | leave",
        default: "rejoin, but for ports that an orchestrator chose",
        meaning: "whether the replacement is registered where the original was. `rejoin`, if it is set: on every \
                  port. `leave`: on none, because something else registers it",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [("rejoin", Targets::Rejoin), ("leave", Targets::Leave)];
            choose(&mut policy.targets, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:instance-types",
        values: "instance types, separated by spaces, or like",
        default: "the instance's own type",
        meaning: "further types the replacement may have; `like` stands for every type with as many vCPUs, no \
                  less memory and the same architecture",
        kept: BEFORE,
        set: |policy, value, source| {
            let value = types(value).ok_or(())?;
            policy.instance_types = Setting { value, source };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:subnets",
        values: "subnet ids, separated by spaces",
        default: "the instance's own subnet",
        meaning: "where else the replacement may run; another zone means restoring from snapshots",
        kept: BEFORE,
        set: |policy, value, source| {
            let subnets = words(value)
                .map(str::parse)
                .collect::<Result<_, _>>()
                .map_err(drop)?;
            policy.subnets = Setting {
                value: subnets,
                source,
            };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:on-demand",
        values: "fallback | never",
        default: "fallback",
        meaning: "whether an On-Demand Instance may stand in when there is no Spot capacity",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [("fallback", OnDemand::Fallback), ("never", OnDemand::Never)];
            choose(&mut policy.on_demand, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:return-to-spot",
        values: "never, or a time, as in 12h",
        default: "never",
        meaning: "how long an On-Demand Instance stands in, before a Spot Instance takes over in a planned \
                  hand-over; a longer time or never postpones it",
        kept: BEFORE,
        set: |policy, value, source| {
            let value = breaker::stands_in(value)?;
            policy.return_to_spot = Setting { value, source };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:rebalance",
        values: "ignore | snapshot | replace",
        default: "snapshot",
        meaning: "what follows a rebalance recommendation or a scheduled event of AWS Health: nothing; a fresh \
                  snapshot set; or that and a spare (billed), ended after six hours if it is not needed",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [
                ("ignore", Rebalance::Ignore),
                ("snapshot", Rebalance::Snapshot),
                ("replace", Rebalance::Replace),
            ];
            choose(&mut policy.rebalance, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:breaker",
        values: "interruptions/time, as in 3/1h, or off",
        default: "3/1h",
        meaning: "so many interruptions within that time, and On-Demand comes before Spot",
        kept: BEFORE,
        set: |policy, value, source| {
            let value = breaker::parse(value)?;
            policy.breaker = Setting { value, source };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:return-minutes",
        values: "minutes, up to 10080",
        default: "60",
        meaning: "how long EC2 may take to bring back what it has stopped or hibernated",
        kept: BEFORE,
        set: |policy, value, source| {
            let minutes = value.parse().ok().filter(|it| (1..=10080).contains(it));
            let value = minutes.ok_or(())?;
            policy.return_minutes = Setting { value, source };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:no-return",
        values: "alarm | restore",
        default: "alarm",
        meaning: "what follows if it has not: an alarm; or also a replacement with copies of the stopped \
                  volumes. An original that returns after that is kept out of service",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [("alarm", NoReturn::Alarm), ("restore", NoReturn::Restore)];
            choose(&mut policy.no_return, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:dns",
        values: "a hosted zone id and a record name",
        default: "none",
        meaning: "the name that follows: where its A or AAAA record holds an address of the instance, it gets \
                  the replacement's; the zone must be named in `HostedZoneArns`",
        kept: BEFORE,
        set: |policy, value, source| {
            let value = Some(DnsName::parse(value).ok_or(())?);
            policy.dns = Setting { value, source };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:pool-rest",
        values: "a time, as in 3m",
        default: "3m",
        meaning: "how long a pool (type, zone, Spot or On-Demand) without capacity is not asked again",
        kept: BEFORE,
        set: |policy, value, source| {
            let value = breaker::rest(value)?;
            policy.pool_rest = Setting { value, source };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:backup",
        values: "off | hourly | daily | weekly | cron(minutes hours day-of-month month day-of-week year), and a time \
                 zone, as in daily Europe/Berlin",
        default: "off",
        meaning: "when a snapshot set of all volumes is taken, within an hour of that moment; the fields are those of \
                  Amazon EventBridge Scheduler",
        kept: BEFORE,
        set: |policy, value, source| {
            let value = match value {
                "off" => None,
                text => Some(Schedule::parse(text)?),
            };
            policy.backup = Setting { value, source };
            Ok(())
        },
    },
    Key {
        name: "spot-rescue:backup-root",
        values: "live | skip",
        default: "live",
        meaning: "whether the root volume is in these sets, at the same moment as the others, or left out",
        kept: BEFORE,
        set: |policy, value, source| {
            let choices = [("live", BackupRoot::Live), ("skip", BackupRoot::Skip)];
            choose(&mut policy.backup_root, value, source, &choices)
        },
    },
    Key {
        name: "spot-rescue:retain",
        values: "all, or how many hours, days, weeks, months and years, as in 24h 7d 4w 12m 3y",
        default: "24h 7d 4w 12m",
        meaning: "which of these sets are kept: of each period the first that completed, counted back from the \
                  newest, which stays in any case",
        kept: "all sets",
        set: retain,
    },
];

/// A value that is not understood deletes nothing.
fn retain(policy: &mut Policy, value: &str, source: Source) -> Result<(), Unfit> {
    let keep_all = Setting {
        value: None,
        source,
    };
    policy.retain = keep_all;
    if value != "all" {
        policy.retain.value = Some(Retention::parse(value)?);
    }
    Ok(())
}

fn choose<T: Copy>(
    setting: &mut Setting<T>,
    value: &str,
    source: Source,
    choices: &[(&str, T)],
) -> Result<(), Unfit> {
    let (_, chosen) = choices.iter().find(|(name, _)| *name == value).ok_or(())?;
    *setting = Setting {
        value: *chosen,
        source,
    };
    Ok(())
}

/// Spaces or commas: both are what people type.
fn words(value: &str) -> impl Iterator<Item = &str> {
    value.split([' ', ',']).filter(|word| !word.is_empty())
}

fn types(value: &str) -> Option<Types> {
    if value == "like" {
        return Some(Types::Like);
    }
    let names = words(value).map(instance_type).collect::<Option<_>>()?;
    Some(Types::Named(names))
}

/// `m6i.large`: family, dot, size.
fn instance_type(text: &str) -> Option<String> {
    let word = |part: &str| {
        !part.is_empty() && part.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    let (family, size) = text.split_once('.')?;
    (word(family) && word(size)).then(|| text.to_owned())
}
