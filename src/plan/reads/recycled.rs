//! When the Recycle Bin is asked: while a lineage is rescued whose instance has ended and took volumes with it, by the
//! user's flag, if the stack has a rule for them.

use crate::plan::reads::first::{First, Prepared};
use crate::policy::Root;
use crate::record::RecordedVolume;
use crate::tags;

pub fn may_have_any(first: &First) -> bool {
    tags::recycles(first.defaults) && first.rescues.iter().any(|it| may_lack(first, it))
}

/// The root counts where it is to be kept.
fn may_lack(first: &First, rescue: &Prepared) -> bool {
    let record = &rescue.record;
    let keeps = rescue.policy.root.value == Root::Keep;
    let went = |it: &RecordedVolume| it.delete_on_termination && (keeps || !it.root);
    let lives = first
        .living()
        .any(|it| Some(&it.id) == record.head.as_ref());
    record.interruption.is_some() && !lives && record.volumes.iter().any(went)
}
