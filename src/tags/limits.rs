//! How many tags a resource takes, how long they may be, and which of ours stay behind where there is no room.
//!
//! "Maximum number of tags per resource – 50", "Maximum value length – 256 Unicode characters in UTF-8", and keys that
//! begin with `aws:` do not count: <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html>

use super::{GROUP, LAUNCHED, OPT_IN, RESCUE, Tags, is_own};

/// Tags of one resource.
pub const MOST: usize = 50;
/// Characters of a value.
pub const LONGEST: usize = 256;
/// ` @` and the code of a seal.
pub const SEAL: usize = 18;
/// AWS is filtered by the values of these, so their seals are tags of their own.
pub const INDEXES: [&str; 2] = [RESCUE, GROUP];

/// EC2's own tags are not among the fifty.
#[must_use]
pub fn is_counted(key: &str) -> bool {
    !key.starts_with("aws:")
}

/// How many of them there are.
#[must_use]
pub fn count<'a>(keys: impl Iterator<Item = &'a String>) -> usize {
    keys.filter(|it| is_counted(it)).count()
}

/// Whether the seal of this value is a tag of its own.
#[must_use]
pub fn is_sealed_beside(key: &str, value: &str) -> bool {
    INDEXES.contains(&key) || value.len() + SEAL > LONGEST
}

/// The number of tags that one of ours takes, its seal included, on anything but a launch template.
#[must_use]
pub fn places(key: &str, value: &str) -> usize {
    let beside = is_own(key) && key != LAUNCHED && is_sealed_beside(key, value);
    usize::from(is_counted(key)) + usize::from(beside)
}

/// The same on a launch template of ours, where the copied policy is sealed as well.
#[must_use]
pub fn places_on_record(key: &str, value: &str) -> usize {
    let beside = key.starts_with(OPT_IN) && is_sealed_beside(key, value);
    usize::from(is_counted(key)) + usize::from(beside)
}

/// Free places, counting those of the given tags as free, whatever they have at the moment. `unproven` are keys that
/// are there and are not believed.
#[must_use]
pub fn free(tags: &Tags, unproven: &[String], question: impl Fn(&str) -> bool) -> usize {
    let shown = tags.iter().filter(|(key, _)| !question(key));
    let taken = |(key, value): (&String, &String)| {
        let bare = unproven.contains(key);
        if bare { 1 } else { places(key, value) }
    };
    let hidden = unproven.iter().filter(|key| !question(key));
    let hidden = hidden.filter(|key| !tags.contains_key(*key)).count();
    MOST.saturating_sub(shown.map(taken).sum::<usize>() + hidden)
}

/// As many of these tags as there is room for, in their order; and the keys without room.
#[must_use]
pub fn fit(wanted: Vec<(String, String)>, mut free: usize) -> (Tags, Vec<String>) {
    let (mut fitting, mut left) = (Tags::new(), Vec::new());
    for (key, value) in wanted {
        let needed = places(&key, &value);
        if needed <= free {
            free -= needed;
            fitting.insert(key, value);
        } else {
            left.push(key);
        }
    }
    (fitting, left)
}

/// Tags with keys of higher rank first; of a list the first values first. `rank` is smaller for what counts more.
#[must_use]
pub fn by_rank(tags: Tags, rank: impl Fn(&str) -> usize) -> Vec<(String, String)> {
    let mut all: Vec<(String, String)> = tags.into_iter().collect();
    all.sort_by_cached_key(|(key, _)| (rank(key), number(key)));
    all
}

/// The number of an item in its list.
#[must_use]
pub fn number(key: &str) -> u32 {
    let number = key.rsplit_once('-').and_then(|it| it.1.parse().ok());
    number.unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tags::{DEVICE, proof_of};

    fn tags(all: &[(&str, &str)]) -> Tags {
        let all = all
            .iter()
            .map(|(key, value)| ((*key).to_owned(), (*value).to_owned()));
        all.collect()
    }

    /// Key, its value, how many tags that is.
    #[test]
    fn a_seal_beside_takes_a_place() {
        for (key, value, expected) in [
            (RESCUE, "i-0123456789abcdef0", 2),
            (DEVICE, "/dev/sdf", 1),
            (DEVICE, &"x".repeat(239), 2),
            (LAUNCHED, &"x".repeat(256), 1),
            ("Name", &"x".repeat(256), 1),
            ("aws:autoscaling:groupName", "web", 0),
        ] {
            assert_eq!(places(key, value), expected, "{key}");
        }
        assert_eq!(places_on_record("spot-rescue:subnets", &"x".repeat(239)), 2);
    }

    #[test]
    fn free_places_are_counted_as_aws_counts() {
        let all = tags(&[
            ("aws:x", "1"),
            ("Name", "a"),
            (RESCUE, "i-1"),
            (DEVICE, "b"),
        ]);
        assert_eq!(free(&all, &[], |_| false), 46);
        assert_eq!(free(&all, &[], |key| key == RESCUE), 48);
        // The mark of a launch has no seal yet.
        assert_eq!(free(&all, &[RESCUE.to_owned()], |_| false), 47);
        assert_eq!(free(&all, &[proof_of(DEVICE)], |_| false), 45);
    }

    #[test]
    fn tags_of_lower_rank_are_left_out() {
        let list = tags(&[("l-10", "d"), ("l-2", "c"), ("a", "z"), (RESCUE, "i-1")]);
        let rank = |key: &str| usize::from(key != RESCUE);
        let ranked = by_rank(list, rank);
        let keys: Vec<&str> = ranked.iter().map(|it| it.0.as_str()).collect();
        assert_eq!(keys, [RESCUE, "a", "l-2", "l-10"]);
        let (fitting, left) = fit(ranked, 3);
        assert!(fitting.contains_key(RESCUE) && fitting.contains_key("a"));
        assert_eq!(left, ["l-2", "l-10"]);
    }
}
