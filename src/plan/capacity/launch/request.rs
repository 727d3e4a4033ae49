//! The launch request: its token, its tags, and what is written down when AWS refuses it.

use crate::id::{ImageId, InstanceId, InterfaceId};
use crate::plan::capacity::lanes::Lane;
use crate::plan::capacity::launch::plain;
use crate::plan::capacity::template;
use crate::plan::draft::{Plan, Stop};
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::network::primary;
use crate::situation::{Instance, Template};
use crate::step::{Action, Launch, LaunchTemplate, Refusal, Step, token};
use crate::tags::{self, Tags};

const STEP: &str = "launch";

/// Replaces the image or interface of the prepared rescue. A request with another value has another token.
#[derive(Default)]
pub struct Instead {
    pub image: Option<ImageId>,
    pub interface: Option<InterfaceId>,
}

/// The launch as a step. If the prepared rescue has got a new version since the token was first sent, AWS answers that
/// the token was used for another request: then the version before is named, and after that the token is given up.
pub fn step(
    lineage: &Lineage,
    base: &InstanceId,
    lane: Lane,
    instead: Instead,
    attempt: u32,
    plan: &Plan,
) -> Result<Step, Stop> {
    let id = id(lineage, instead.interface.as_ref());
    let token = launch_token(base, attempt, &instead);
    let (template, id) = version(lineage, plan, id, &token)?;
    let refusal = Refusal {
        template: lineage.template_id(),
        counted: (tags::ATTEMPTS, lineage.record.attempts.after(base).text()),
        attempt: attempt + 1,
        at: plain::at(lineage),
        only_capacity: instead.interface.is_some(),
        pools: lane.pools(),
        known: lineage.record.failed_pools.clone(),
    };
    let launch = Launch {
        template,
        market: lane.market,
        instance_types: lane.types,
        subnet: lane.subnet,
        token,
        interface: instead.interface,
        image: instead.image,
        tags: launch_tags(lineage, base),
        attempt,
    };
    Ok(Step::new(id, Action::Launch(launch)).or_else(refusal))
}

/// The launch that a warning would send, with a new token each time: AWS remembers answers by token, perhaps those of
/// dry runs as well.
pub fn rehearsed(lineage: &Lineage, owner: &Instance, lane: Lane) -> Option<Launch> {
    let (template, version) = lineage.prepared()?;
    let (way, now) = (lane.name(), lineage.now.to_string());
    let parts = ["rehearsal", owner.id.as_str(), &way, &now];
    Some(Launch {
        template: LaunchTemplate::Version(template, version),
        market: lane.market,
        token: token(&parts),
        instance_types: lane.types,
        subnet: lane.subnet,
        interface: None,
        image: None,
        tags: launch_tags(lineage, &owner.id),
        attempt: 0,
    })
}

fn id(lineage: &Lineage, interface: Option<&InterfaceId>) -> String {
    interface.map_or_else(
        || STEP.to_owned(),
        |it| primary::on_interface_id(lineage, it),
    )
}

/// Names the launch template by id and version, or by name if the same plan creates it.
fn version(
    lineage: &Lineage,
    plan: &Plan,
    id: String,
    token: &str,
) -> Result<(LaunchTemplate, String), Stop> {
    if template::is_planned(plan) {
        let name = lineage.facts.template_name.clone();
        let name = name.ok_or_else(not_prepared)?;
        return Ok((LaunchTemplate::Name(name), id));
    }
    let (template, version) = lineage.prepared().ok_or_else(not_prepared)?;
    let mismatched = |id: &str| lineage.inputs.refused.contains(&mismatch(id, token));
    if !mismatched(&id) {
        return Ok((LaunchTemplate::Version(template, version), id));
    }
    let before = lineage.template().and_then(Template::versions);
    let before = before.and_then(|it| it.1).filter(|it| *it != version);
    let as_before = format!("{id} as before");
    match before {
        Some(before) if !mismatched(&as_before) => {
            Ok((LaunchTemplate::Version(template, before), as_before))
        }
        Some(_) | None => Err(Stop::TokenUsed),
    }
}

/// In this invocation AWS has answered that the token of a launch was used for another request.
#[must_use]
pub fn is_mismatched(lineage: &Lineage) -> bool {
    let mut refused = lineage.inputs.refused.iter();
    refused.any(|it| it.starts_with(MISMATCH))
}

const MISMATCH: &str = "mismatch of ";

/// What an invocation remembers of a launch after AWS has answered that its token was used for another request.
#[must_use]
pub fn mismatch(id: &str, token: &str) -> String {
    format!("{MISMATCH}{id} by {token}")
}

pub fn not_prepared() -> Stop {
    Stop::Wait(15, "a prepared rescue to launch from".to_owned())
}

pub fn launch_token(base: &InstanceId, attempt: u32, instead: &Instead) -> String {
    let Instead { image, interface } = instead;
    let attempt = attempt.to_string();
    let parts = ["launch", base.as_str(), attempt.as_str()];
    let image = image.as_ref().map(ImageId::as_str);
    let interface = interface.as_ref().map(InterfaceId::as_str);
    let parts = parts.into_iter().chain(image).chain(interface);
    token(&parts.collect::<Vec<_>>())
}

/// The user's tags come from the launch template. These are always the function's own and always the same, since
/// concurrent invocations must send the same request, and not all of them know whether there is room for more tags.
fn launch_tags(lineage: &Lineage, base: &InstanceId) -> Tags {
    let mut tags = own::own(lineage);
    tags.insert(tags::LAUNCHED.to_owned(), base.to_string());
    tags
}
