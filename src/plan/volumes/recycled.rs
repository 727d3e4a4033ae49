//! A volume that is gone may be in the Recycle Bin: the volume itself, with its last write.
//!
//! Nothing is concluded from one answer: what was deleted a moment ago may not be listed yet, and the rescue then waits a
//! minute before it restores a snapshot, which is older.

use crate::plan::draft::Plan;
use crate::plan::lineage::Lineage;
use crate::plan::volumes::fate::Fate;
use crate::record::RecordedVolume;
use crate::situation::Fact;
use crate::step::{Action, Step};
use time::Duration;

/// A bin that cannot be read for so long is done without.
const UNREAD: Duration = Duration::minutes(3);

/// None: the bin does not have it, or is not asked.
pub fn back(lineage: &Lineage, recorded: &RecordedVolume, plan: &mut Plan) -> Option<Fate> {
    let volume = &recorded.volume;
    let step = format!("take back {volume}");
    if lineage.inputs.refused.contains(&step) {
        plan.note(format!(
            "the Recycle Bin does not give {volume} back: a snapshot is used"
        ));
        return None;
    }
    match &lineage.facts.recycled {
        Fact::Known(bin) if bin.contains(volume) => {
            let action = Action::RestoreFromBin {
                volume: volume.clone(),
            };
            plan.step(Step::new(step, action));
            plan.note(format!("{volume} is taken back from the Recycle Bin"));
            plan.wait(5, format!("{volume} to be back from the Recycle Bin"));
            Some(Fate::Coming)
        }
        Fact::Known(_) => {
            let seen = format!("the Recycle Bin without {volume}");
            let what = format!("{volume} to be in the Recycle Bin, if it is");
            let is_sure = plan.confirmed(lineage, seen, what);
            (!is_sure).then_some(Fate::Coming)
        }
        Fact::Unavailable { .. } => {
            let seen = format!("the Recycle Bin, unread, of {volume}");
            let what = "the Recycle Bin to be readable";
            let is_sure = plan.confirmed_for(UNREAD, lineage, seen, what);
            (!is_sure).then_some(Fate::Coming)
        }
        Fact::NotRead => None,
    }
}
