//! A launch template version that one launch needs, and the note that comes before it.
//!
//! The note names the version it comes after: an invocation that looks before the note is readable writes the same
//! version with the same token.

use crate::plan::lineage::Lineage;
use crate::record::Plain;
use crate::situation::Template;
use crate::step::{Action, Step};
use crate::tags;

/// The note, and the version with its fingerprint. None if AWS has refused one of the two.
pub fn noted(
    lineage: &Lineage,
    template: &Template,
    (version, fingerprint): (Step, String),
    (note, key): (&str, &str),
) -> Option<[Step; 2]> {
    let (after, _) = template.versions()?;
    let refused = &lineage.inputs.refused;
    if refused.contains(note) || refused.contains(&version.id) {
        return None;
    }
    let at = lineage.now;
    let action = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: [
            (key.to_owned(), Plain { after, at }.text()),
            // The next preparation writes its own version after this one.
            (tags::FINGERPRINT.to_owned(), fingerprint),
        ]
        .into(),
    };
    Some([Step::new(note, action), version.after(note)])
}
