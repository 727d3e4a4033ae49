//! The fleet that has launched the owner. It is recorded if it replaces its members (type `maintain`).

use crate::record::Record;
use crate::situation::{Fact, Fleet, Instance, Situation};

/// Corrects the recorded fleet while the owner shows its tags.
pub fn live(record: &mut Record, owner: &Instance, situation: &Situation) {
    let Some(id) = owner.fleet().filter(|_| owner.group().is_none()) else {
        // A terminated instance shows no tags, so the record stays.
        if owner.is_alive() {
            record.fleet = None;
        }
        return;
    };
    if let Some(maintains) = told(&situation.facts.fleets, id) {
        record.fleet = maintains.then(|| id.to_owned());
    }
}

/// Whether the fleet replaces its members. None if it has not been read.
pub fn told(fleets: &Fact<Vec<Fleet>>, id: &str) -> Option<bool> {
    let found = fleets.known()?.iter().find(|it| it.id == id);
    found.map(|it| it.maintains)
}
