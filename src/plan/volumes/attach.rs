//! The step that attaches a volume.

use crate::plan::draft;
use crate::record::RecordedVolume;
use crate::situation::{Instance, Volume};
use crate::step::{Action, Step};

/// Under the device name that the user chose.
pub fn attach(volume: &Volume, instance: &Instance, recorded: &RecordedVolume) -> Step {
    let action = Action::Attach {
        volume: volume.id.clone(),
        instance: instance.id.clone(),
        device: recorded.device.clone(),
    };
    Step::new(draft::attach_id(&volume.id), action)
}
