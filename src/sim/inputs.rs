//! What must hold for any input: shared by the fuzz targets and by `tests/fuzz_smoke.rs`, which runs
//! them on stable with the corpus and what a small generator makes of it.
#![allow(clippy::missing_panics_doc, reason = "what does not hold is a panic")]

use super::{ROLE, World};
use crate::event::{self, Trigger, own};
use crate::handler::{Handler, HandlerError};
use crate::policy::{Policy, parse_defaults};
use crate::seal::Seal;
use crate::step::Action;
use crate::tags::{OPT_IN, Tags};
use serde_json::{Value, json};
use std::time::Duration;

/// An event is read or refused, never more; what we write ourselves we can read, to the second.
pub fn event(text: &str) {
    if let Ok(Trigger::Wake(wake)) = event::parse(text) {
        let written = own::wake(&wake);
        let Ok(Trigger::Wake(read)) = event::parse(&written) else {
            panic!("{written} is not a wake");
        };
        assert_eq!(own::wake(&read), written);
    }
}

/// Whatever the tags say, no instance is protected without the opt-in, and warnings stay short.
pub fn policy(text: &str) {
    let defaults = parse_defaults(text);
    let pairs = text.lines().filter_map(|line| line.split_once('='));
    let instance: Tags = pairs
        .map(|(key, value)| (key.to_owned(), value.to_owned()))
        .collect();
    let (policy, warnings) = Policy::of(&defaults, &instance);
    let opted_in = instance.get(OPT_IN).is_some_and(|it| it.trim() == "on");
    assert_eq!(policy.protected.value, opted_in);
    assert!(warnings.iter().all(|it| it.to_string().len() < 2000));
    let (again, _) = Policy::of(&defaults, &instance);
    assert_eq!(again, policy);
}

/// In an empty account a payload leads to a wake at most, and every message to an answer.
pub fn envelope(text: &str) {
    let wrapped = json!({ "Records": [{ "messageId": "m", "body": text }] });
    let payload = serde_json::from_str(text).unwrap_or_default();
    for payload in [payload, wrapped] {
        let world = World::new(1);
        let ids = message_ids(&payload);
        if let Ok(answer) = answered(&world, payload) {
            let failures = answer["batchItemFailures"].as_array().into_iter().flatten();
            let mut named = failures.filter_map(|it| it["itemIdentifier"].as_str());
            assert!(named.all(|it| it.is_empty() || ids.iter().any(|id| id == it)));
        }
        let only_wakes = world.look(|it| {
            let mut acts = it.journal.iter().map(|it| &it.action);
            acts.all(|it| matches!(it, Action::Wake { .. }))
        });
        assert!(only_wakes, "something was changed");
    }
}

fn message_ids(payload: &Value) -> Vec<String> {
    let records = payload["Records"].as_array().into_iter().flatten();
    let ids = records.filter_map(|it| it["messageId"].as_str());
    ids.map(str::to_owned).collect()
}

fn answered(world: &World, payload: Value) -> Result<Value, HandlerError> {
    let handler = Handler {
        cloud: world.clone(),
        clock: world.clone(),
        defaults: Tags::new(),
        seal: Seal::of(Some(ROLE)),
        print: |_| {},
    };
    let mut runtime = tokio::runtime::Builder::new_current_thread();
    let runtime = runtime
        .enable_time()
        .build()
        .expect("a runtime can be made");
    runtime.block_on(handler.handle(payload, Duration::from_secs(30)))
}
