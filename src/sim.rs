//! An in-memory EC2, Elastic Load Balancing and SQS on a virtual clock: the world the tests rescue in.
//!
//! It behaves as AWS documents it, the traps of `AWS-FACTS.md` included, behind the same [`Cloud`]
//! trait as the real one. Everything is decided by one seed: the same seed and the same calls give
//! the same world. It models behaviour, not calls: tests say what happens to the world
//! ([`World::interrupt`], [`World::advance`]), never what a call is to answer.
//!
//! Not modelled: permissions.
//!
//! [`Cloud`]: crate::cloud::Cloud

mod act;
mod address;
mod agenda;
mod attacker;
mod balancer;
mod bin;
mod builder;
mod clones;
mod cloud;
mod config;
mod contents;
mod deaths;
mod detach;
mod drive;
mod error;
mod events;
mod fault;
mod fleet;
mod fleets;
mod hands;
mod images;
pub mod inputs;
mod instances;
mod interfaces;
pub mod invariants;
mod journal;
mod lagged;
mod managed;
mod metadata;
mod model;
mod names;
mod outages;
mod outside;
mod pages;
mod pools;
mod progress;
mod queue;
mod reads;
mod refusals;
mod rehearsal;
mod requests;
mod rng;
mod roots;
mod run;
mod scaling;
mod scaling_builder;
mod shapes;
mod snapshots;
mod state;
mod summary;
mod tagging;
mod tasks;
mod templates;
mod throttle;
mod tokens;
mod volumes;

pub use attacker::{Attacker, OUTSIDER, deleted_others, nothing_stolen};
pub use builder::{DATA_DEVICES, InstanceBuilder, KEY_PAIR, Protected, ROOT_DEVICE, VPC};
pub use config::{Config, EventQuality};
pub use drive::Run;
pub use fault::{FailingCloud, Fault, Kind, On};
pub use fleets::SimFleet;
pub use journal::Entry;
pub use lagged::Lagged;
pub use model::{
    Drain, Group, GroupType, SimInstance, SimInterface, SimSnapshot, SimTemplate, SimVolume,
    Version,
};
pub use names::Zone;
pub use pools::Supply;
pub use queue::{Message, Queue};
pub use refusals::Launches;
pub use requests::SimRequest;
pub use rng::Rng;
pub use roots::SimRootTask;
pub use scaling::ScalingGroup;
pub use state::State;
pub use summary::{Attached, LineageSummary, Summary, lineage};
pub use throttle::Limit;

use crate::clock::{Clock, Timestamp};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The function's role, and the session it acts in: what EC2 names as the creator of a launch template.
pub const ROLE: &str = "arn:aws:iam::123456789012:role/spot-rescue";
pub const FUNCTION: &str = "arn:aws:sts::123456789012:assumed-role/spot-rescue/function";

/// The whole of it. Clones are handles to the same world: one goes into the handler as its cloud,
/// one as its clock, one stays with the test.
#[derive(Debug, Clone)]
pub struct World(Arc<Mutex<State>>);

impl World {
    /// An empty account. Every world begins at the same moment.
    #[must_use]
    pub fn new(seed: u64) -> Self {
        Self(Arc::new(Mutex::new(State::new(seed))))
    }

    /// Looks at everything, without lag.
    pub fn look<T>(&self, read: impl FnOnce(&State) -> T) -> T {
        read(&self.lock())
    }

    /// Changes anything, past all rules: for tests that need a world no call leads to.
    pub fn change<T>(&self, change: impl FnOnce(&mut State) -> T) -> T {
        change(&mut self.lock())
    }

    /// A test that panicked while looking has not broken the world.
    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for World {
    fn now(&self) -> Timestamp {
        self.lock().now
    }
}
