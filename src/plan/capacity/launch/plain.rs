//! `Unsupported` may mean the type, or the options of the instance: CPU options that the type does not take, or
//! `HttpTokens=optional` where the account enforces IMDSv2 (TRAP 51). So the launch is sent once more from a launch
//! template version without CPU options and with IMDSv2 required, if there is still an instance to make that version
//! from. If it is refused again, the pool rests like any other.
//!
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-instance-metadata-options.html>
//! - <https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cpu-options-supported-instances-values.html>

use crate::clock::Timestamp;
use crate::plan::capacity::launch::version;
use crate::plan::capacity::template;
use crate::plan::draft::{Plan, Stop};
use crate::plan::lineage::Lineage;
use crate::record::{FailedPool, Plain};
use crate::situation::Template;
use crate::step::Step;
use crate::tags;
use time::Duration;

const NOTE: &str = "note that options are left out";

/// Writes the version, if a launch of this rescue was refused with such a code and the version does not exist yet.
/// The next launch waits for it.
pub fn write(lineage: &Lineage, since: Timestamp, plan: &mut Plan) -> Result<(), Stop> {
    let refused = |it: &&FailedPool| {
        let of_this = it.at.unix_timestamp() >= since.unix_timestamp();
        of_this && it.may_mean_options()
    };
    let mut failed = lineage.record.failed_pools.iter();
    let (Some(refused), Some(template)) = (failed.find(refused), lineage.template()) else {
        return Ok(());
    };
    if lineage.is_plain() {
        return Ok(());
    }
    let Some(steps) = steps(lineage, template) else {
        plan.note(format!(
            "{refused}: it cannot be sent without CPU options and with IMDSv2 required (HttpTokens): there is no \
             instance left to read its launch data from"
        ));
        return Ok(());
    };
    plan.note(format!(
        "{refused}: it is sent once more without CPU options and with IMDSv2 required (HttpTokens)"
    ));
    for step in steps {
        plan.step(step);
    }
    let what = "a version of the prepared rescue without CPU options and with IMDSv2 required";
    Err(Stop::Wait(5, what.to_owned()))
}

/// None if the version cannot be written.
fn steps(lineage: &Lineage, template: &Template) -> Option<[Step; 2]> {
    let version = template::without_options(lineage, template)?;
    version::noted(lineage, template, version, (NOTE, tags::PLAIN))
}

/// The launch was refused before the version was written, which says nothing about a launch from that version.
pub fn answers(lineage: &Lineage, failed: &FailedPool) -> bool {
    let plain = lineage.record.plain.as_ref().filter(|_| lineage.is_plain());
    let before = |it: &Plain| failed.at.unix_timestamp() <= it.at.unix_timestamp();
    failed.may_mean_options() && plain.is_some_and(before)
}

/// The time at which a refusal now is recorded: later than the version was written, even within the same second.
pub fn at(lineage: &Lineage) -> Timestamp {
    let now = lineage.now;
    let plain = lineage.record.plain.as_ref().filter(|_| lineage.is_plain());
    plain.map_or(now, |it| now.max(it.at + Duration::SECOND))
}
