//! With `private-ip=keep` the launch template has no network interface, and the launch on the kept interface names it:
//! AWS does not say whether interface 0 of a request replaces the template's or is added to it (TRAP 58).
//! `CreateFleet` cannot name an interface. So once the address is given up, a launch template version is written first
//! that has the security groups of the original; without it a launch would get the default security group of its VPC.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html> (`SourceVersion`)

use crate::plan::capacity::launch::version;
use crate::plan::capacity::template;
use crate::plan::draft::{Plan, Stop};
use crate::plan::facts::asked;
use crate::plan::lineage::Lineage;
use crate::record::LeftOpen;
use crate::situation::Template;
use crate::step::Step;
use crate::tags;

const NOTE: &str = "note that the network is said";

/// Writes the version with the network, if the launch template has none and the launch names no interface. The launch
/// waits for it.
pub fn write(lineage: &Lineage, plan: &mut Plan) -> Result<(), Stop> {
    if !asked::keeps_address(lineage) && lineage.record.left_open.is_none() {
        return Ok(());
    }
    let Some(template) = lineage.template().filter(|_| !template::is_planned(plan)) else {
        let what = "the prepared rescue to be readable, which may say nothing of the network";
        return Err(Stop::Wait(5, what.to_owned()));
    };
    let open = lineage.record.left_open.as_ref();
    let Some(open) = open.filter(|_| !lineage.is_networked()) else {
        return Ok(());
    };
    let what = "a version of the prepared rescue that says the network";
    let Some(steps) = steps(lineage, open, template) else {
        plan.note(format!(
            "{what} cannot be made: nothing is launched without"
        ));
        return Err(Stop::Wait(60, what.to_owned()));
    };
    for step in steps {
        plan.step(step);
    }
    Err(Stop::Wait(5, what.to_owned()))
}

fn steps(lineage: &Lineage, open: &LeftOpen, template: &Template) -> Option<[Step; 2]> {
    let version = template::networked(lineage, open, template)?;
    version::noted(lineage, template, version, (NOTE, tags::NETWORKED))
}
