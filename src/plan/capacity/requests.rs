//! When a Spot Instance request is cancelled: a persistent request launches an empty instance beside the replacement,
//! from its old specification (TRAP 25).
//!
//! That instance cannot be adopted: it has no opt-in tag, and an instance without it is not touched. So the request is
//! cancelled, but not before its instance is interrupted, and only if the interruption behavior is `terminate`. A
//! running instance runs on to its end. Cancelling the request of a *stopped* instance would terminate the instance,
//! so that is never done (TRAP 2). The request is tagged when the rescue is prepared, and the role may cancel only a
//! tagged request.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelSpotInstanceRequests.html>

use crate::event::{InstanceAction, InstanceState, Interruption};
use crate::plan::draft::Plan;
use crate::plan::facts::spot_request;
use crate::plan::lineage::Lineage;
use crate::plan::marks::own;
use crate::plan::marks::room::volume;
use crate::situation::{Instance, SpotRequest};
use crate::step::{Action, Step};

fn relaunches(request: &SpotRequest) -> bool {
    request.persistent && request.behaviour == InstanceAction::Terminate && request.live
}

/// Tags a persistent request before it has to be cancelled, and says so.
pub fn prepare(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(request) = spot_request::of(lineage, owner).filter(|it| relaunches(it)) else {
        return;
    };
    plan.note(format!(
        "{} is persistent: it would launch an empty instance beside the replacement, so it is \
         cancelled when {} is interrupted; better make it one-time",
        request.id, owner.id
    ));
    mark(lineage, request, plan);
}

/// The id of the tagging step, or None if the request has the tags.
fn mark(lineage: &Lineage, request: &SpotRequest, plan: &mut Plan) -> Option<String> {
    let id = format!("mark {}", request.id);
    let tags = own::own(lineage);
    let missing = !own::holds(&request.tags, &tags) && volume::is_markable(&request.tags);
    if missing {
        let resources = vec![request.id.to_string()];
        plan.step(Step::new(&id, Action::Tag { resources, tags }));
    }
    missing.then_some(id)
}

/// Cancels the requests of instances that are being terminated or have ended.
pub fn cancel(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    let interrupted: Vec<_> = lineage.interrupted().collect();
    for (instance, own) in &interrupted {
        if own.action == InstanceAction::Terminate
            && let Some(request) = spot_request::of(lineage, instance)
        {
            cancel_of(lineage, Some(instance), request, plan);
        }
    }
    // EC2 no longer shows the instance; the record still names its request.
    let Some(recorded) = &lineage.record.request else {
        return;
    };
    let known = lineage.facts.requests.known();
    let request = known.and_then(|all| all.iter().find(|it| it.id == recorded.id));
    if interrupted.is_empty()
        && interruption.action == InstanceAction::Terminate
        && let Some(request) = request
    {
        cancel_of(lineage, None, request, plan);
    }
}

fn cancel_of(
    lineage: &Lineage,
    instance: Option<&Instance>,
    request: &SpotRequest,
    plan: &mut Plan,
) {
    let launched = request.instance.as_ref().filter(|_| instance.is_some());
    if let Some(beside) = launched.filter(|it| lineage.member(it).is_none()) {
        plan.note(format!(
            "{} has launched {beside} by itself: it is not opted in and is left alone; end it",
            request.id
        ));
    }
    let stopped =
        |it: &Instance| matches!(it.state, InstanceState::Stopping | InstanceState::Stopped);
    if !relaunches(request) || request.disabled || instance.is_some_and(stopped) {
        return;
    }
    let marked = mark(lineage, request, plan);
    let request = request.id.clone();
    let id = format!("cancel {request}");
    let step = Step::new(id, Action::CancelRequest { request });
    plan.step(marked.iter().fold(step, |step, id| step.after(id)));
}
