//! What the SDK side puts on the wire, and what it makes of what comes back: the real SDK, with a
//! connector in place of the network.
//!
//! Answers have the form of the examples in AWS's API references. A local AWS cannot stand in for
//! these: it forgives what EC2 does not, and never answers with an empty page.

mod autoscaling;
mod bounded;
mod by_ids;
mod changes;
mod ends;
mod errors;
mod fleet;
mod inbox;
mod keys;
mod launches;
mod names;
mod owners;
mod reads;
mod rehearsal;
mod replay;
mod roots;
mod run;
mod secret;
mod targets;
mod template;
mod versions;
