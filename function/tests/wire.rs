//! What the adapter sends, and what it makes of the answers: the real SDK, with a connector in place of the network.
//!
//! Answers have the form of the examples in AWS's API references. A local AWS cannot stand in for
//! these: it forgives what EC2 does not, and never answers with an empty page.

#[path = "wire/autoscaling.rs"]
mod autoscaling;
#[path = "wire/bounded.rs"]
mod bounded;
#[path = "wire/by_ids.rs"]
mod by_ids;
#[path = "wire/changes.rs"]
mod changes;
#[path = "wire/ends.rs"]
mod ends;
#[path = "wire/environment.rs"]
mod environment;
#[path = "wire/errors.rs"]
mod errors;
#[path = "wire/fleet.rs"]
mod fleet;
#[path = "wire/inbox.rs"]
mod inbox;
#[path = "wire/launches.rs"]
mod launches;
#[path = "wire/names.rs"]
mod names;
#[path = "wire/owners.rs"]
mod owners;
#[path = "wire/process.rs"]
mod process;
#[path = "wire/reads.rs"]
mod reads;
#[path = "wire/rehearsal.rs"]
mod rehearsal;
#[path = "wire/replay.rs"]
mod replay;
#[path = "wire/roots.rs"]
mod roots;
#[path = "wire/run.rs"]
mod run;
#[path = "wire/secret.rs"]
mod secret;
#[path = "wire/targets.rs"]
mod targets;
#[path = "wire/template.rs"]
mod template;
#[path = "wire/trust.rs"]
mod trust;
#[path = "wire/versions.rs"]
mod versions;
