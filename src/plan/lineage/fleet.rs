//! The fleet that has launched the owner, on record if it keeps its size.

use crate::record::Record;
use crate::situation::{Fact, Fleet, Instance, Situation};

/// What is on record of it while the owner lives, and shows its tags.
pub fn live(record: &mut Record, owner: &Instance, situation: &Situation) {
    let Some(id) = owner.fleet().filter(|_| owner.group().is_none()) else {
        // An instance that has ended loses its tags.
        if owner.is_alive() {
            record.fleet = None;
        }
        return;
    };
    if let Some(maintains) = told(&situation.fleets, id) {
        record.fleet = maintains.then(|| id.to_owned());
    }
}

/// None of one that was not asked for, as well.
pub fn told(fleets: &Fact<Vec<Fleet>>, id: &str) -> Option<bool> {
    let found = fleets.known()?.iter().find(|it| it.id == id);
    found.map(|it| it.maintains)
}
