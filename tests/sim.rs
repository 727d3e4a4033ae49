//! The simulated AWS: that it behaves as AWS documents it, and whole rescues in it.
#![cfg(feature = "sim")]
#![allow(
    clippy::wildcard_enum_match_arm,
    reason = "tests: most stories go one way"
)]

#[path = "sim/addresses.rs"]
mod addresses;
#[path = "sim/always.rs"]
mod always;
#[path = "sim/blind.rs"]
mod blind;
#[path = "sim/blocks.rs"]
mod blocks;
#[path = "sim/invariants.rs"]
mod broken;
#[path = "sim/capacity.rs"]
mod capacity;
#[path = "sim/clones.rs"]
mod clones;
#[path = "sim/copied_tags.rs"]
mod copied_tags;
#[path = "sim/deaths.rs"]
mod deaths;
#[path = "sim/economy.rs"]
mod economy;
#[path = "sim/fault_scenes.rs"]
mod fault_scenes;
#[path = "sim/faults.rs"]
mod faults;
#[path = "sim/fleets.rs"]
mod fleets;
#[path = "sim/foreseen.rs"]
mod foreseen;
#[path = "sim/full_batches.rs"]
mod full_batches;
#[path = "sim/full_tags.rs"]
mod full_tags;
#[path = "sim/group_policy.rs"]
mod group_policy;
#[path = "sim/groups.rs"]
mod groups;
#[path = "sim/image_gone.rs"]
mod image_gone;
#[path = "sim/keys.rs"]
mod keys;
#[path = "sim/large_accounts.rs"]
mod large_accounts;
#[path = "sim/late.rs"]
mod late;
#[path = "sim/launch_answers.rs"]
mod launch_answers;
#[path = "sim/launches.rs"]
mod launches;
#[path = "sim/likeness.rs"]
mod likeness;
#[path = "sim/limits.rs"]
mod limits;
#[path = "sim/managed.rs"]
mod managed;
#[path = "sim/many_groups.rs"]
mod many_groups;
#[path = "sim/misspelt.rs"]
mod misspelt;
#[path = "sim/naive.rs"]
mod naive;
#[path = "sim/names.rs"]
mod names;
#[path = "sim/on_time.rs"]
mod on_time;
#[path = "sim/opted_out.rs"]
mod opted_out;
#[path = "sim/origin.rs"]
mod origin;
#[path = "sim/origin_again.rs"]
mod origin_again;
#[path = "sim/origin_copies.rs"]
mod origin_copies;
#[path = "sim/origin_marks.rs"]
mod origin_marks;
#[path = "sim/origin_messages.rs"]
mod origin_messages;
#[path = "sim/origin_names.rs"]
mod origin_names;
#[path = "sim/origin_record.rs"]
mod origin_record;
#[path = "sim/others.rs"]
mod others;
#[path = "sim/outages.rs"]
mod outages;
#[path = "sim/outlived.rs"]
mod outlived;
#[path = "sim/outsiders.rs"]
mod outsiders;
#[path = "sim/owed.rs"]
mod owed;
#[path = "sim/pauses.rs"]
mod pauses;
#[path = "sim/plain.rs"]
mod plain;
#[path = "sim/ports.rs"]
mod ports;
#[path = "sim/private_ip.rs"]
mod private_ip;
#[path = "sim/refusals.rs"]
mod refusals;
#[path = "sim/rehearsals.rs"]
mod rehearsals;
#[path = "sim/returns.rs"]
mod returns;
#[path = "sim/roots.rs"]
mod roots;
#[path = "sim/routers.rs"]
mod routers;
#[path = "sim/scaling.rs"]
mod scaling;
#[path = "sim/secret.rs"]
mod secret;
#[path = "sim/shared.rs"]
mod shared;
#[path = "sim/stamped.rs"]
mod stamped;
#[path = "sim/standstill.rs"]
mod standstill;
#[path = "sim/stories.rs"]
mod stories;
#[path = "sim/support.rs"]
mod support;
#[path = "sim/targets.rs"]
mod targets;
#[path = "sim/template_gone.rs"]
mod template_gone;
#[path = "sim/threats.rs"]
mod threats;
#[path = "sim/told.rs"]
mod told;
#[path = "sim/traps.rs"]
mod traps;
#[path = "sim/traps_api.rs"]
mod traps_api;
#[path = "sim/traps_ebs.rs"]
mod traps_ebs;
#[path = "sim/traps_snapshots.rs"]
mod traps_snapshots;
#[path = "sim/unreliable.rs"]
mod unreliable;
