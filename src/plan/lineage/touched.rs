//! Whether a rescue may have changed what the owner shows.

use crate::event::InstanceState;
use crate::record::Record;
use crate::situation::{Instance, Situation};
use crate::tags;

pub fn shows_everything(owner: &Instance) -> bool {
    matches!(owner.state, InstanceState::Pending | InstanceState::Running)
}

/// A rescue has begun: the owner or the record has a tombstone, or an earlier pass of this invocation has set it.
pub fn touched(record: &Record, owner: &Instance, situation: &Situation) -> bool {
    let (recorded, inputs) = (record.interruption.as_ref(), &situation.inputs);
    owner.tags.contains_key(tags::INTERRUPTED_AT)
        || recorded.is_some_and(|it| it.instance == owner.id)
        || (inputs.pass > 0 && inputs.notices.iter().any(|it| it.instance == owner.id))
}
