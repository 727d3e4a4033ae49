//! The description of a snapshot says what its tags say: tags can be changed, a description cannot.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshot.html>

use crate::tags::{self, Tags};

/// The words of the description, in this order.
const WORDS: [(&str, &str); 4] = [
    ("set", tags::SET),
    ("of", tags::RESCUE),
    ("until", tags::EXPIRES_AT),
    ("consistency", tags::CONSISTENCY),
];

/// `spot-rescue: set <name> of <lineage>`, and `until <time>` if it may go then.
#[must_use]
pub fn description(marks: &Tags) -> String {
    let said = WORDS.iter().filter_map(|(word, key)| {
        let value = marks.get(*key)?;
        Some(format!(" {word} {value}"))
    });
    format!("spot-rescue:{}", said.collect::<String>())
}

/// Reads the tags back. None for a text that only looks like it: its words come in pairs.
#[must_use]
pub fn described(text: &str) -> Tags {
    let words: Vec<&str> = text.split(' ').skip(1).collect();
    let pairs = words.chunks_exact(2).filter_map(|pair| {
        let (_, key) = WORDS.iter().find(|(word, _)| *word == pair[0])?;
        Some(((*key).to_owned(), pair[1].to_owned()))
    });
    pairs.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_description_says_what_the_tags_say() {
        let mut marks = Tags::from(
            [
                (tags::RESCUE, "i-0123456789abcdef0"),
                (tags::SET, "i-0123456789abcdef0-1795000000"),
            ]
            .map(|(key, value)| (key.to_owned(), value.to_owned())),
        );
        assert_eq!(described(&description(&marks)), marks);
        let expiry = "2026-11-24T10:00:00Z".to_owned();
        marks.insert(tags::EXPIRES_AT.to_owned(), expiry);
        assert_eq!(described(&description(&marks)), marks);
        for other in ["", "nightly backup", "spot-rescue:", "spot-rescue: set"] {
            assert!(described(other).is_empty(), "{other}");
        }
    }
}
