//! What EC2 does by itself: a persistent request launches again from its old specification, an empty
//! instance beside the replacement (TRAP 25).
//!
//! Such a relaunch cannot be adopted: it carries no opt-in, and what is not opted in is not touched. So
//! the request is cancelled, but not before its instance is being taken, and only if it terminates. What
//! still runs goes on to its end; an instance that EC2 has *stopped* would be ended by cancelling its
//! request, and so would one that its user has stopped; those are never touched (TRAP 2). The request is marked when the rescue is prepared, and
//! only what is marked may be cancelled.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CancelSpotInstanceRequests.html>

use super::{Lineage, Plan, protect, room};
use crate::event::{InstanceAction, InstanceState, Interruption};
use crate::id::InstanceId;
use crate::record::RecordedRequest;
use crate::situation::{Instance, RequestEnd, SpotRequest};
use crate::step::{Action, Step};

/// The request of an instance, as EC2 shows it.
pub fn of<'a>(lineage: &Lineage<'a>, instance: &Instance) -> Option<&'a SpotRequest> {
    let id = instance.request.as_ref()?;
    let known = lineage.situation.requests.known()?;
    known.iter().find(|it| it.id == *id)
}

/// How an instance ended, by the request it was launched for.
pub fn end<'a>(lineage: &Lineage<'a>, instance: &InstanceId) -> Option<&'a RequestEnd> {
    let all = lineage.situation.requests.known()?;
    let mut of_this = all
        .iter()
        .filter(|it| it.instance.as_ref() == Some(instance));
    of_this.find_map(|it| it.end.as_ref())
}

/// What is on record of the owner's request, or is to be.
pub fn recorded(lineage: &Lineage, owner: &Instance) -> Option<RecordedRequest> {
    let seen = of(lineage, owner).map(RecordedRequest::of);
    let record = lineage.record.request.clone();
    seen.or(record.filter(|it| owner.request.as_ref() == Some(&it.id)))
}

/// Why a replacement beside this instance would be one too many: EC2 brings it back itself.
pub fn comes_back(lineage: &Lineage, owner: &Instance) -> Option<String> {
    let request = recorded(lineage, owner)?;
    let RecordedRequest { id, behaviour, .. } = request;
    (behaviour != InstanceAction::Terminate)
        .then(|| format!("{id} is to {behaviour} it: EC2 brings it back"))
}

fn relaunches(request: &SpotRequest) -> bool {
    request.persistent && request.behaviour == InstanceAction::Terminate && request.live
}

/// Marked ahead, and said ahead.
pub fn prepare(lineage: &Lineage, owner: &Instance, plan: &mut Plan) {
    let Some(request) = of(lineage, owner).filter(|it| relaunches(it)) else {
        return;
    };
    plan.note(format!(
        "{} is persistent: it would launch an empty instance beside the replacement, so it is \
         cancelled when {} is interrupted; better make it one-time",
        request.id, owner.id
    ));
    mark(lineage, request, plan);
}

/// The name of the step, if there is still something to do.
fn mark(lineage: &Lineage, request: &SpotRequest, plan: &mut Plan) -> Option<String> {
    let id = format!("mark {}", request.id);
    let tags = protect::own(lineage);
    let missing = !protect::holds(&request.tags, &tags) && room::is_markable(&request.tags);
    if missing {
        let resources = vec![request.id.to_string()];
        plan.step(Step::new(&id, Action::Tag { resources, tags }));
    }
    missing.then_some(id)
}

/// The instance is being terminated, or was.
pub fn cancel(lineage: &Lineage, interruption: &Interruption, plan: &mut Plan) {
    let interrupted: Vec<_> = lineage.interrupted().collect();
    for (instance, own) in &interrupted {
        if own.action == InstanceAction::Terminate
            && let Some(request) = of(lineage, instance)
        {
            cancel_of(lineage, Some(instance), request, plan);
        }
    }
    // The instance is gone; the record still names its request.
    let Some(recorded) = &lineage.record.request else {
        return;
    };
    let known = lineage.situation.requests.known();
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
