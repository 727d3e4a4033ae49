//! Whether the instance is a member of a Spot Fleet or EC2 Fleet of type `maintain`, which replaces it (TRAP 62).
//!
//! Such a fleet launches another member for each that it loses, from its own launch specification and without data, so
//! the function launches none. Members of a fleet of type `request` or `instant`, or of a deleted one, are replaced by
//! the function.
//!
//! If the type cannot be read, the rescue waits for it during the two minutes, in which no volume can move anyway. Then
//! the record counts. If only the tag is known, a Spot Fleet counts as `maintain`, which is its default, and only a
//! Spot Fleet can set its tag. An EC2 Fleet then counts as another type: most launches by EC2 Fleet are `instant`, and
//! one instance too many costs money, while one too few costs the service.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-request-type.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-fleet-request-type.html>

use crate::event::is_recent;
use crate::plan::facts::launcher::Launcher;
use crate::plan::lineage::{Lineage, fleet};
use crate::situation::{Fact, Fleet, Instance};

/// What is known of the fleet that has launched the instance.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Known {
    Maintains,
    DoesNot,
    /// The rescue waits for the type.
    NotYet,
    /// The type cannot be read, and the fleet counts as one that does not replace its members.
    Doubtful,
}

/// None if no fleet replaces the instance.
pub fn launcher(lineage: &Lineage) -> Option<Launcher> {
    let (id, is_recorded) = member_of(lineage)?;
    match known(
        &lineage.facts.fleets,
        id,
        is_recorded,
        is_waited_for(lineage),
    ) {
        Known::Maintains => Some(Launcher::Fleet(advice(lineage, id))),
        Known::NotYet => Some(Launcher::Unknown(unread(&lineage.facts.fleets, id))),
        Known::DoesNot | Known::Doubtful => None,
    }
}

/// Why there may be one replacement too many.
pub fn doubt(lineage: &Lineage) -> Option<String> {
    let (id, is_recorded) = member_of(lineage)?;
    let fleets = &lineage.facts.fleets;
    let doubtful = known(fleets, id, is_recorded, is_waited_for(lineage)) == Known::Doubtful;
    doubtful.then(|| {
        let unread = unread(fleets, id);
        format!(
            "it is replaced without waiting for {unread}: if that is maintain, end what the fleet launches"
        )
    })
}

/// The fleet of the instance to be replaced, and whether the record says that it replaces its members.
fn member_of<'a>(lineage: &'a Lineage) -> Option<(&'a str, bool)> {
    let base = lineage.base();
    let is_head = base.is_none_or(|it| Some(&it.id) == lineage.record.head.as_ref());
    let recorded = lineage.record.fleet.as_deref().filter(|_| is_head);
    let id = base.and_then(Instance::fleet).or(recorded)?;
    Some((id, recorded == Some(id)))
}

fn known(fleets: &Fact<Vec<Fleet>>, id: &str, is_recorded: bool, is_waited_for: bool) -> Known {
    if let Some(maintains) = fleet::told(fleets, id) {
        return if maintains {
            Known::Maintains
        } else {
            Known::DoesNot
        };
    }
    if is_recorded {
        return Known::Maintains;
    }
    match fleets {
        Fact::NotRead => Known::NotYet,
        Fact::Known(_) | Fact::Unavailable { .. } if is_waited_for => Known::NotYet,
        Fact::Known(_) | Fact::Unavailable { .. } if Fleet::is_spot(id) => Known::Maintains,
        Fact::Known(_) | Fact::Unavailable { .. } => Known::Doubtful,
    }
}

/// The instance is not interrupted, or its two minutes are not over.
fn is_waited_for(lineage: &Lineage) -> bool {
    let base = lineage.base().and_then(|it| lineage.interruption(it));
    let recorded = lineage.record.interruption.as_ref();
    let taken = base.as_ref().or(recorded);
    taken.is_none_or(|it| is_recent(it.at, lineage.now))
}

fn unread(fleets: &Fact<Vec<Fleet>>, id: &str) -> String {
    match fleets {
        Fact::Unavailable { operation, why } => {
            format!("the type of {id} to be readable ({operation}: {why})")
        }
        Fact::Known(_) | Fact::NotRead => format!("the type of {id} to be read"),
    }
}

fn advice(lineage: &Lineage, id: &str) -> String {
    let volumes = lineage.record.data_volumes();
    let volumes: Vec<&str> = volumes.map(|it| it.volume.as_str()).collect();
    let data = if volumes.is_empty() {
        String::new()
    } else {
        format!(
            ", which has none of its data; attach {} to that one",
            volumes.join(" ")
        )
    };
    format!(
        "{id} keeps its size and launches another member by itself{data}; launch what is to be rescued outside of \
         such a fleet"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_told_is_waited_for_and_then_guarded_against_both_ways() {
        use Known::{DoesNot, Doubtful, Maintains, NotYet};
        let read = |maintains| {
            let fleet = |id: &str| Fleet {
                id: id.to_owned(),
                maintains,
            };
            Fact::Known(vec![fleet("fleet-1"), fleet("sfr-1")])
        };
        let denied = Fact::Unavailable {
            operation: "DescribeFleets",
            why: "UnauthorizedOperation".to_owned(),
        };
        // answer, id -> (on record, waited for): (no, yes), (yes, yes), (no, no), (yes, no)
        for (fleets, id, expected) in [
            (read(true), "fleet-1", [Maintains; 4]),
            (read(true), "sfr-1", [Maintains; 4]),
            (read(false), "fleet-1", [DoesNot; 4]),
            (read(false), "sfr-1", [DoesNot; 4]),
            (
                Fact::Known(vec![]),
                "fleet-1",
                [NotYet, Maintains, Doubtful, Maintains],
            ),
            (
                Fact::NotRead,
                "fleet-1",
                [NotYet, Maintains, NotYet, Maintains],
            ),
            (
                Fact::NotRead,
                "sfr-1",
                [NotYet, Maintains, NotYet, Maintains],
            ),
            (
                denied.clone(),
                "fleet-1",
                [NotYet, Maintains, Doubtful, Maintains],
            ),
            (denied, "sfr-1", [NotYet, Maintains, Maintains, Maintains]),
        ] {
            let cases = [(false, true), (true, true), (false, false), (true, false)];
            let found = cases.map(|(recorded, waits)| known(&fleets, id, recorded, waits));
            assert_eq!(found, expected, "{fleets:?} {id}");
        }
    }
}
