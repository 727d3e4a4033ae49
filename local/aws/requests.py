"""Spot Instance requests.

AWS: every Spot Instance has one; a persistent one is open again as soon as its instance is interrupted,
and EC2 launches from it once more, from the old specification
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-request-status.html). Cancelling does not end a
running instance, but one that is stopped
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interruption-behavior.html). Only RequestSpotInstances
can make a persistent request that terminates: RunInstances refuses the combination
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_SpotMarketOptions.html). moto knows requests only
from RequestSpotInstances, and what becomes of them from nowhere.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from moto.ec2.responses import EC2Response

from local.aws import instances, tags
from local.aws.filters import matching, page
from local.aws.patch import Answer, answers, refuse, shelf
from local.aws.settings import BadInput

FIELDS = {
    "instance-id": lambda it: it["InstanceId"],
    "spot-instance-request-id": lambda it: it["SpotInstanceRequestId"],
    "state": lambda it: it["State"],
    "type": lambda it: it["Type"],
}


@dataclass
class SpotRequest:
    id: str
    instance: Any
    persistent: bool
    behaviour: str
    state: str = "active"


def _all(backend: Any) -> dict[str, SpotRequest]:
    return shelf(backend, "spot_requests", dict)


def made(instance: Any, options: dict[str, Any]) -> None:
    """For an instance that has just been launched."""
    persistent = options.get("SpotInstanceType") == "persistent"
    behaviour = options.get("InstanceInterruptionBehavior") or "terminate"
    request = SpotRequest(instance.spot_request_id, instance, persistent, behaviour)
    _all(instance.ec2_backend)[request.id] = request
    instance.persistent = persistent


def make_persistent(instance: Any) -> None:
    """As if it had been launched by RequestSpotInstances."""
    request = of(instance)
    if request is None or request.behaviour != "terminate":
        raise BadInput(f"{instance.id} has no request that terminates")
    request.persistent = True
    instance.persistent = True


def of(instance: Any) -> SpotRequest | None:
    return _all(instance.ec2_backend).get(getattr(instance, "spot_request_id", None) or "")


def interrupted(instance: Any, action: str) -> SpotRequest | None:
    """TRAP 26: the request says it at the notice, two minutes before the instance does. The request, if
    EC2 is going to launch from it again.
    """
    request = of(instance)
    if request is None or action != "terminate":
        return None
    request.state = "open" if request.persistent else "closed"
    return request if request.persistent else None


def fulfilled(request: SpotRequest, instance: Any) -> None:
    """Once more, by another instance."""
    _all(instance.ec2_backend).pop(instance.spot_request_id, None)
    instance.spot_request_id = request.id
    instance.persistent = True
    request.instance, request.state = instance, "active"


@answers(EC2Response)
def describe_spot_instance_requests(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = call._get_param("SpotInstanceRequestIds") or []
    known = _all(backend)
    for it in wanted:
        if it not in known:
            message = f"The spot instance request ID '{it}' does not exist"
            raise refuse("InvalidSpotInstanceRequestID.NotFound", message)
    shown = [_view(it) for it in known.values() if not wanted or it.id in wanted]
    found = matching(call, shown, FIELDS)
    return page(call, "SpotInstanceRequests", found, at_most=1000)


def _view(request: SpotRequest) -> dict[str, Any]:
    return {
        "SpotInstanceRequestId": request.id,
        "InstanceId": request.instance.id,
        "State": request.state,
        "Type": "persistent" if request.persistent else "one-time",
        "InstanceInterruptionBehavior": request.behaviour,
        "Status": {"Code": _status(request.instance)},
        "Tags": tags.shown(request.instance.ec2_backend, request.id),
    }


def _status(instance: Any) -> str:
    """How its instance ended; of stops, and of deaths while booting, less is shown."""
    if instance.state not in instances.ENDED:
        return "fulfilled"
    reasons = {
        instances.BY_USER[0]: "instance-terminated-by-user",
        instances.SPOT_TERMINATION[0]: "instance-terminated-no-capacity",
    }
    return reasons.get(instance.state_reason.code, "fulfilled")


@answers(EC2Response)
def cancel_spot_instance_requests(call: Any) -> Answer:
    known = _all(call.ec2_backend)
    cancelled = []
    for it in call._get_param("SpotInstanceRequestIds") or []:
        if it not in known:
            message = f"The spot instance request ID '{it}' does not exist"
            raise refuse("InvalidSpotInstanceRequestID.NotFound", message)
        request = known[it]
        request.state = "cancelled"
        if request.instance.state in ("stopping", "stopped"):
            instances.end(request.instance, instances.BY_USER)
        cancelled.append({"SpotInstanceRequestId": it, "State": "cancelled"})
    return {"CancelledSpotInstanceRequests": cancelled}
