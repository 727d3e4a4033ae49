//! `spot-rescue cost`: what a policy would cost in a month, once it has been in force for as long as it reaches back.

use crate::args::CostArgs;
use crate::print;
use spot_rescue::backup::cost::{Volumes, forecast};
use spot_rescue::backup::{Retention, Schedule};
use spot_rescue::clock::{Clock, WallClock};

pub fn tell(asked: &CostArgs) -> Result<(), String> {
    let told =
        |key: &str, value: &str, why: String| format!("{key} {value:?} is not understood: {why}");
    let retention = Retention::parse(&asked.policy);
    let retention = retention.map_err(|it| told("retain", &asked.policy, it))?;
    let schedule = Schedule::parse(&asked.schedule);
    let schedule = schedule.map_err(|it| told("backup", &asked.schedule, it))?;
    let volumes = Volumes::new(asked.size, asked.change_rate)?;
    let forecast = forecast(&schedule, &retention, volumes, WallClock.now());
    print::line(&format!(
        "{} sets stay, the oldest {} days old",
        forecast.sets, forecast.days
    ));
    print::line(&format!(
        "{:.1} GB: {:.1} GB in the oldest, {:.1} GB changed between one and the next",
        forecast.stored(),
        forecast.first,
        forecast.changed
    ));
    print::line(&format!(
        "{:.2} USD a month, at us-east-1's price for the standard tier",
        forecast.monthly()
    ));
    Ok(())
}
