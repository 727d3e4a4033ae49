//! Tags that this invocation has written on instances: EC2 may show them a moment later.

use crate::situation::Instance;
use crate::tags::{self, Tags};
use std::collections::BTreeMap;
use std::sync::{Mutex, PoisonError};

/// By instance: the value of each written tag, or None for one that was removed.
#[derive(Default)]
pub struct Written(Mutex<BTreeMap<String, BTreeMap<String, Option<String>>>>);

impl Written {
    pub fn set(&self, resources: &[String], tags: &Tags) {
        let changes = tags.iter();
        let changes = changes.map(|(key, value)| (key.clone(), Some(value.clone())));
        self.note(resources, &changes.collect());
    }

    pub fn removed(&self, resources: &[String], keys: &[String]) {
        self.note(
            resources,
            &keys.iter().map(|key| (key.clone(), None)).collect(),
        );
    }

    fn note(&self, resources: &[String], changes: &BTreeMap<String, Option<String>>) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for it in resources.iter().filter(|it| it.starts_with("i-")) {
            all.entry(it.clone()).or_default().extend(changes.clone());
        }
    }

    /// Adds them to what EC2 shows.
    pub fn show(&self, instances: &mut [Instance]) {
        let all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        for it in instances {
            for (key, to) in all.get(it.id.as_str()).into_iter().flatten() {
                match to {
                    Some(value) => drop(it.tags.insert(key.clone(), value.clone())),
                    None => drop(it.tags.remove(key)),
                }
                // What is written is sealed for this very instance.
                it.sealed |= key == tags::REPLACES && to.is_some();
                it.placed &= !(key == tags::RESCUE && to.is_some());
            }
        }
    }
}
