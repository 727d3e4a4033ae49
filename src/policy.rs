//! Tags -> ([`Policy`], warnings). One table of keys drives the parser, `docs/POLICY.md` and "did you mean".
//!
//! Layers, each overriding the one before: built-in, stack parameter `PolicyDefaults`, tags of the
//! instance's Auto Scaling group, instance tag.
//! A bad value never stops a rescue: it becomes a warning, and the value before it stays, which is
//! the one that keeps data.

mod breaker;
mod keys;
mod values;

pub use breaker::Breaker;
use keys::Unfit;
pub use keys::{KEYS, Key};
pub use values::{
    BackupRoot, Data, NoReturn, OnDemand, PrivateIp, Protect, Rebalance, Replace, Root, Setting,
    Source, Targets, Types,
};

use crate::backup::{Retention, Schedule};
use crate::dns::DnsName;
use crate::id::SubnetId;
use crate::tags::{self, Tags};
use std::fmt;
use time::Duration;

/// What the user wants for one instance.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Policy {
    pub protected: Setting<bool>,
    pub replace: Setting<Replace>,
    pub protect: Setting<Protect>,
    pub data: Setting<Data>,
    /// MiB/s.
    pub initialization_rate: Setting<Option<i32>>,
    pub instance_types: Setting<Types>,
    pub subnets: Setting<Vec<SubnetId>>,
    pub on_demand: Setting<OnDemand>,
    /// How long an On-Demand Instance stands in; None for ever.
    pub return_to_spot: Setting<Option<Duration>>,
    pub rebalance: Setting<Rebalance>,
    pub breaker: Setting<Option<Breaker>>,
    pub return_minutes: Setting<u16>,
    pub no_return: Setting<NoReturn>,
    pub pool_rest: Setting<Duration>,
    pub root: Setting<Root>,
    /// The DNS name that follows the instance's addresses.
    pub dns: Setting<Option<DnsName>>,
    pub private_ip: Setting<PrivateIp>,
    pub targets: Setting<Targets>,
    /// When scheduled backups are taken; None for never.
    pub backup: Setting<Option<Schedule>>,
    pub backup_root: Setting<BackupRoot>,
    /// Which of them are kept; None for all.
    pub retain: Setting<Option<Retention>>,
}

/// A tag, or a value, that was not followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyWarning {
    pub key: String,
    pub what: String,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            protected: Setting::built_in(false),
            replace: Setting::built_in(Replace::Auto),
            protect: Setting::built_in(Protect::AtWarning),
            data: Setting::built_in(Data::Auto),
            initialization_rate: Setting::built_in(None),
            instance_types: Setting::built_in(Types::Named(Vec::new())),
            subnets: Setting::built_in(Vec::new()),
            on_demand: Setting::built_in(OnDemand::Fallback),
            return_to_spot: Setting::built_in(None),
            rebalance: Setting::built_in(Rebalance::Snapshot),
            breaker: Setting::built_in(Some(breaker::DEFAULT)),
            return_minutes: Setting::built_in(60),
            no_return: Setting::built_in(NoReturn::Alarm),
            pool_rest: Setting::built_in(Duration::minutes(3)),
            root: Setting::built_in(Root::Fresh),
            dns: Setting::built_in(None),
            private_ip: Setting::built_in(PrivateIp::New),
            targets: Setting::built_in(Targets::Auto),
            backup: Setting::built_in(None),
            backup_root: Setting::built_in(BackupRoot::Live),
            retain: Setting::built_in(Some(Retention::default())),
        }
    }
}

impl Policy {
    /// Reads the stack's defaults, then the instance's tags over them. The opt-in itself is only
    /// ever taken from the instance: a stack-wide default must not protect by surprise.
    #[must_use]
    pub fn of(defaults: &Tags, instance: &Tags) -> (Self, Vec<PolicyWarning>) {
        Self::layered(defaults, &Tags::new(), instance)
    }

    /// The same for a member of an Auto Scaling group: the group's own tags lie between.
    #[must_use]
    pub fn layered(defaults: &Tags, group: &Tags, instance: &Tags) -> (Self, Vec<PolicyWarning>) {
        let mut policy = Self::default();
        let mut warnings = policy.apply(defaults, Source::StackParameter);
        warnings.extend(policy.apply(group, Source::GroupTag));
        policy.protected = Setting::built_in(false);
        warnings.extend(policy.apply(instance, Source::InstanceTag));
        (policy, warnings)
    }

    /// Why an instance is not protected that has a tag like ours. One that is off is meant to be.
    #[must_use]
    pub fn misspelt(instance: &Tags) -> Option<String> {
        let like = |key: &&String| {
            let key = key.trim().to_lowercase().replace(['_', ' '], "-");
            key == tags::OPT_IN
        };
        let Some(value) = instance.get(tags::OPT_IN) else {
            let key = instance.keys().find(like)?;
            return Some(format!("its tag {key:?} has to be {:?}", tags::OPT_IN));
        };
        let is_clear = value == "on" || value.trim().eq_ignore_ascii_case("off");
        let why = format!("its tag {} is {value:?} and has to be \"on\"", tags::OPT_IN);
        (!is_clear).then_some(why)
    }

    fn apply(&mut self, layer: &Tags, source: Source) -> Vec<PolicyWarning> {
        let ours = |key: &str| key == tags::OPT_IN || key.starts_with(tags::PREFIX);
        let entries = layer
            .iter()
            .filter(|(key, _)| ours(key) && !tags::is_own(key));
        entries
            .filter_map(|(key, value)| self.set(key, value, source).err())
            .collect()
    }

    fn set(&mut self, key: &str, value: &str, source: Source) -> Result<(), PolicyWarning> {
        let warning = |what| PolicyWarning {
            key: key.chars().take(60).collect(),
            what,
        };
        let known = KEYS
            .iter()
            .find(|it| it.name == key)
            .ok_or_else(|| warning(unknown(key)))?;
        (known.set)(self, value.trim(), source).map_err(|Unfit(why)| {
            let shown: String = value.chars().take(60).collect();
            let why = why.map(|it| format!(": {it}")).unwrap_or_default();
            warning(format!(
                "{shown:?} is not one of {}{why}; kept {}",
                known.values, known.kept
            ))
        })
    }
}

/// `key=value;key=value`, the stack parameter; the prefix may be left out.
#[must_use]
pub fn parse_defaults(text: &str) -> Tags {
    let pairs = text.split(';').filter_map(|pair| pair.split_once('='));
    pairs
        .map(|(key, value)| (full_key(key.trim()), value.trim().to_owned()))
        .collect()
}

fn full_key(key: &str) -> String {
    if key.starts_with(tags::PREFIX) {
        key.to_owned()
    } else {
        format!("{}{key}", tags::PREFIX)
    }
}

/// Which of the instance's tags are the user's policy: what the prepared rescue remembers.
#[must_use]
pub fn policy_tags(instance: &Tags) -> Tags {
    let known = |key: &str| KEYS.iter().any(|it| it.name == key);
    instance
        .iter()
        .filter(|(key, _)| known(key))
        .map(|(k, v)| (k.clone(), v.clone()))
        .collect()
}

fn unknown(key: &str) -> String {
    let nearest = KEYS
        .iter()
        .map(|it| it.name)
        .min_by_key(|name| distance(key, name));
    match nearest.filter(|name| distance(key, name) <= 3) {
        Some(name) => format!("unknown key ignored; did you mean {name}?"),
        None => "unknown key ignored".to_owned(),
    }
}

/// Levenshtein distance, for short keys.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().take(80).enumerate() {
        let mut diagonal = std::mem::replace(&mut row[0], i + 1);
        for (j, to) in b.iter().enumerate() {
            let substituted = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = substituted.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

impl fmt::Display for PolicyWarning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { key, what } = self;
        write!(f, "tag {key}: {what}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(pairs: &[(&str, &str)]) -> Tags {
        pairs
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect()
    }

    #[test]
    fn later_layers_win_and_every_value_remembers_its_source() {
        let defaults = parse_defaults("on-demand=never; instance-types = m6i.large m5.large");
        let (policy, warnings) = Policy::of(
            &defaults,
            &tags(&[("spot-rescue", "on"), ("spot-rescue:on-demand", "fallback")]),
        );
        assert_eq!(warnings, []);
        assert_eq!(policy.on_demand.value, OnDemand::Fallback);
        assert_eq!(policy.on_demand.source, Source::InstanceTag);
        let named = ["m6i.large", "m5.large"].map(str::to_owned).to_vec();
        assert_eq!(policy.instance_types.value, Types::Named(named));
        assert_eq!(policy.instance_types.source, Source::StackParameter);
        assert_eq!(policy.data.source, Source::BuiltIn);
    }

    #[test]
    fn a_bad_value_keeps_the_value_that_keeps_data() {
        let (policy, warnings) = Policy::of(
            &Tags::new(),
            &tags(&[("spot-rescue", "on"), ("spot-rescue:data", "nnone")]),
        );
        assert_eq!(policy.data.value, Data::Auto);
        assert_eq!(
            warnings[0].to_string(),
            "tag spot-rescue:data: \"nnone\" is not one of auto | move | clone | restore | none; \
             kept the value before it"
        );
    }

    #[test]
    fn a_misspelt_key_is_answered_with_the_nearest_one() {
        let (_, warnings) = Policy::of(&Tags::new(), &tags(&[("spot-rescue:instance-type", "x")]));
        assert_eq!(
            warnings[0].what,
            "unknown key ignored; did you mean spot-rescue:instance-types?"
        );
    }

    #[test]
    fn the_opt_in_never_comes_from_the_stack_and_our_own_tags_are_no_policy() {
        let defaults = tags(&[("spot-rescue", "on")]);
        let own = tags(&[("spot-rescue:rescue", "x"), ("spot-rescue:target-1", "y")]);
        let (policy, warnings) = Policy::of(&defaults, &own);
        assert!(!policy.protected.value);
        assert_eq!(warnings, []);
    }
}
