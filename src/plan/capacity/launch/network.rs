//! Where a private address is to be kept, the prepared rescue says nothing of the network, and the launch on the
//! interface says all of it: whether a request's interface 0 takes the place of the template's, or stands beside it,
//! AWS does not say (TRAP 58). No fleet can say it. So before one is asked for, the address being given up, a version
//! is made of the prepared one that says what the original had; without it a launch would get the default security
//! group of its VPC.
//!
//! As with options that are left out, the note says which version it comes after, and precedes it.
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateLaunchTemplateVersion.html> (`SourceVersion`)

use crate::plan::capacity::template;
use crate::plan::draft::{Plan, Stop};
use crate::plan::facts::asked;
use crate::plan::lineage::Lineage;
use crate::record::{LeftOpen, Plain};
use crate::situation::Template;
use crate::step::{Action, Step};
use crate::tags;

const NOTE: &str = "note that the network is said";

/// Writes it, if the launch is to have an interface of its own and nothing says which: the launch waits for it.
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
    let (after, _) = template.versions()?;
    let (step, fingerprint) = template::networked(lineage, open, template)?;
    let refused = &lineage.situation.refused;
    if refused.contains(NOTE) || refused.contains(&step.id) {
        return None;
    }
    let at = lineage.situation.now;
    let note = Action::Tag {
        resources: vec![template.id.to_string()],
        tags: [
            (tags::NETWORKED.to_owned(), Plain { after, at }.text()),
            // While all is well, another one is written over it.
            (tags::FINGERPRINT.to_owned(), fingerprint),
        ]
        .into(),
    };
    Some([Step::new(NOTE, note), step.after(NOTE)])
}
