//! Which tags the record has room for: parts that can be read again make room for those that cannot, and for the notes
//! of a rescue.

use crate::situation::Template;
use crate::tags::limits::{self, MOST, number, places_on_record};
use crate::tags::{self, Rule, Tags};

/// The places for tags that a rescue writes: tombstone, attempts, pools, progress, and what is owed.
const RESERVED_ON_RECORD: usize = 12;

/// The record, as far as a launch template has room for it beside the notes of a rescue: parts that can be read again
/// are left out first, but no tag that is present. The second value lists the keys without room.
#[must_use]
pub fn on_record(wanted: Tags, template: Option<&Template>) -> (Tags, Vec<String>) {
    let others = template.map(|it| others(&it.tags)).unwrap_or_default();
    let there = |key: &str| template.is_some_and(|it| it.tags.contains_key(key));
    shed(
        wanted,
        MOST.saturating_sub(RESERVED_ON_RECORD + others),
        there,
    )
}

/// The same for tags that are written in a rescue, beside all present ones.
#[must_use]
pub fn onto_record(written: &Tags, template: &Template) -> Tags {
    let mut all = template.tags.clone();
    all.extend(written.clone());
    let most = MOST.saturating_sub(others(&all));
    let (kept, _) = shed(all, most, |key| template.tags.contains_key(key));
    kept.into_iter()
        .filter(|(key, _)| written.contains_key(key))
        .collect()
}

/// How many tags on the launch template are not ours.
fn others(tags: &Tags) -> usize {
    limits::count(tags.keys().filter(|it| !it.starts_with(tags::OPT_IN)))
}

fn shed(mut all: Tags, most: usize, stays: impl Fn(&str) -> bool) -> (Tags, Vec<String>) {
    all.retain(|key, _| key.starts_with(tags::OPT_IN));
    let taken = |all: &Tags| {
        all.iter()
            .map(|(key, value)| places_on_record(key, value))
            .sum::<usize>()
    };
    let mut left = Vec::new();
    while taken(&all) > most {
        let goes = all.keys().filter(|key| !stays(key));
        let goes = goes.filter_map(|key| Some((findable(key)?, number(key), key)));
        let Some(key) = goes.max().map(|(_, _, key)| key.clone()) else {
            break;
        };
        all.remove(&key);
        left.push(key);
    }
    (all, left)
}

/// How easily this part can be read again: the largest value is left out first. A tag without a value is never left
/// out.
fn findable(key: &str) -> Option<usize> {
    tags::rule(key, |it| match it {
        Rule::Shed(rank) => Some(rank),
        Rule::ShedBeyondFirst(rank) => (number(key) > 1).then_some(rank),
        Rule::Mark(_) | Rule::Repeats(_) | Rule::Passing | Rule::Guarded => None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tags(keys: impl IntoIterator<Item = String>) -> Tags {
        keys.into_iter().map(|it| (it, "v".to_owned())).collect()
    }

    #[test]
    fn what_can_be_found_again_goes_first_and_the_rest_never() {
        let of_rescue = |targets: u8| {
            let targets = (1..=targets).map(|n| format!("{}-{n}", tags::TARGETS));
            let others = [
                "history-1",
                "history-2",
                "shape",
                "secondary-1",
                "private-address-1",
                "head",
                "place",
            ];
            let others = others.map(|it| format!("{}{it}", tags::PREFIX));
            on_record(tags(targets.chain(others)), None)
        };
        let (kept, left) = of_rescue(31);
        assert_eq!(kept.len(), MOST - RESERVED_ON_RECORD);
        assert!(left.is_empty());
        let (kept, left) = of_rescue(40);
        assert_eq!(kept.len(), MOST - RESERVED_ON_RECORD);
        let first: Vec<&str> = left.iter().map(String::as_str).take(5).collect();
        let expected = [
            "history-2",
            "shape",
            "secondary-1",
            "private-address-1",
            "target-40",
        ];
        assert_eq!(first, expected.map(|it| format!("{}{it}", tags::PREFIX)));
        assert!(kept.contains_key(tags::HEAD) && kept.contains_key(tags::PLACE));
    }
}
