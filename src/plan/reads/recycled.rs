//! When the Recycle Bin is asked: while a lineage is rescued whose instance has ended and took volumes with it, by the
//! user's flag, if the stack has a rule for them.

use crate::plan::reads::first::First;
use crate::record::Record;
use crate::tags;

pub fn may_have_any(first: &First) -> bool {
    let lives = |record: &Record| {
        let head = record.head.as_ref();
        first.living().any(|it| Some(&it.id) == head)
    };
    let may_lack = |record: &&Record| {
        let mut data = record.data_volumes();
        record.interruption.is_some() && data.any(|it| it.delete_on_termination) && !lives(record)
    };
    tags::recycles(first.defaults) && first.records().any(|it| may_lack(&it))
}
