//! A function that records its outcomes.

use serde_json::Value;
use spot_rescue::handler::Handler;
use spot_rescue::seal::Seal;
use spot_rescue::sim::{FailingCloud, ROLE, World};
use spot_rescue::tags::Tags;
use std::cell::RefCell;

thread_local! {
    static LINES: RefCell<Vec<String>> = const { RefCell::new(Vec::new()) };
}

pub type Told = Handler<FailingCloud<World>, World>;

/// Records the outcomes of this test from now on.
pub fn watched(cloud: FailingCloud<World>) -> Told {
    LINES.with_borrow_mut(Vec::clear);
    Handler {
        clock: cloud.inner.clone(),
        cloud,
        defaults: Tags::new(),
        seal: Seal::of(Some(ROLE)),
        print: |line| LINES.with_borrow_mut(|it| it.push(line.to_owned())),
    }
}

/// The outcomes, in order.
pub fn told() -> Vec<Value> {
    let lines = LINES.with_borrow(Clone::clone);
    let lines = lines.iter().filter_map(|it| serde_json::from_str(it).ok());
    lines
        .filter(|it: &Value| it.get("outcome").is_some())
        .collect()
}

/// What was noted, look by look.
pub fn notes() -> Vec<String> {
    let lines = LINES.with_borrow(Clone::clone);
    let lines = lines.iter().filter_map(|it| serde_json::from_str(it).ok());
    let notes = lines.filter_map(|it: Value| it.get("notes")?.as_array().cloned());
    let text = |it: Value| it.as_str().unwrap_or_default().to_owned();
    notes.flatten().map(text).collect()
}
