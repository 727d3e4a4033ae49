//! What several reads have shown.

use std::collections::BTreeSet;

/// Both lists, each thing once.
pub fn merge<T, K: Ord>(first: Vec<T>, second: Vec<T>, key: impl Fn(&T) -> K) -> Vec<T> {
    let mut seen = BTreeSet::new();
    first
        .into_iter()
        .chain(second)
        .filter(|it| seen.insert(key(it)))
        .collect()
}
