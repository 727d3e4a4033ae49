"""Interruptions.

AWS: two minutes before a Spot Instance is stopped or terminated comes a warning; its ARN has the
zone where others have the Region; hibernation begins at once, with no two minutes; and the warning is
sent on a best-effort basis: the instance may go without one, or stay although it was warned
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/spot-instance-termination-notices.html). What EC2
has stopped or hibernated, only EC2 starts again
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/interruption-behavior.html). moto never interrupts.

Not verified on AWS: that a warning may come to nothing is read out of "best effort", and what the
instance's request then says is unknown; here it stays as it was.
"""

from collections.abc import Callable
from datetime import timedelta
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models import ec2_backends

from local.aws import events, instances, launch, requests
from local.aws.clock import CLOCK
from local.aws.requests import SpotRequest
from local.aws.settings import SETTINGS, BadInput

#: seconds from the warning to the end
NOTICE = {"terminate": 120, "stop": 120, "hibernate": 0}
#: hear of every warning
LISTENERS: list[Callable[[Any], None]] = []
DETAIL_TYPE = "EC2 Spot Instance Interruption Warning"
BLOCK = "EC2 Capacity Reservation Instance Interruption Warning"


def interrupt(
    ids: list[str],
    action: str,
    warn: bool,
    carry_out: bool = True,
    block_seconds: int | None = None,
) -> None:
    """EC2 interrupts them, all in the same moment; or only warns. At the end of a Capacity Block later, and it says when."""
    if action not in NOTICE:
        raise BadInput(f"action is one of {sorted(NOTICE)}, not {action!r}")
    victims = [_spot_instance(it) for it in ids]
    for victim in victims:
        if warn and block_seconds is not None:
            _warn_of_block(victim, block_seconds)
        elif warn:
            _warn(victim, action)
        if carry_out:
            _reopen(requests.interrupted(victim, action))
            notice = NOTICE[action] if block_seconds is None else block_seconds
            CLOCK.after(notice, lambda it=victim: _take(it, action))


def _reopen(request: SpotRequest | None) -> None:
    """TRAP 25: EC2 launches again by itself, from the old specification, which knows no tags."""
    if request is not None:
        CLOCK.after(SETTINGS.relaunch_seconds, lambda: _launch_again(request))


def _launch_again(request: SpotRequest) -> None:
    if request.state != "open":
        return
    old = request.instance
    again = launch.Launch(data=old.launched_as, market="spot", block_devices=[])
    (instance,) = launch.start(old.ec2_backend, again).instances
    requests.fulfilled(request, instance)


def _spot_instance(instance_id: str) -> Any:
    instance = find(instance_id)
    if instance.lifecycle != "spot":
        raise BadInput(f"{instance_id} is not a Spot Instance: EC2 does not interrupt it")
    if instance.state not in ("pending", "running"):
        raise BadInput(f"{instance_id} is {instance.state}: there is nothing to interrupt")
    return instance


def find(instance_id: str) -> Any:
    backend = ec2_backends[events.ACCOUNT][events.REGION]
    instance = backend.get_instance_by_id(instance_id)
    if instance is None:
        raise BadInput(f"there is no instance {instance_id!r}")
    return instance


def _warn(instance: Any, action: str) -> None:
    arn = f"arn:aws:ec2:{instance.placement.zone}:instance/{instance.id}"
    detail = {"instance-id": instance.id, "instance-action": action}
    events.emit(DETAIL_TYPE, [arn], detail, instance.ec2_backend)
    for listener in LISTENERS:
        listener(instance)


def _warn_of_block(instance: Any, seconds: int) -> None:
    """https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/capacity-blocks-monitor.html"""
    backend = instance.ec2_backend
    arn = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:instance/{instance.id}"
    ends = utcnow() + timedelta(seconds=seconds)
    detail = {
        "instance-id": instance.id,
        "instance-action": "terminate",
        "instance-termination-time": f"{ends:%Y-%m-%dT%H:%M:%SZ}",
        "availability-zone-id": "use2-az1",
        "instance-lifecycle": "capacity-block",
    }
    events.emit(BLOCK, [arn], detail, backend)


def _take(instance: Any, action: str) -> None:
    if action == "terminate":
        instances.end(instance, instances.SPOT_TERMINATION)
    else:
        instances.pause(instance, instances.SPOT_SHUTDOWN)


def bring_back(instance_id: str) -> None:
    """EC2 has capacity again."""
    instance = find(instance_id)
    if instance.state != "stopped":
        raise BadInput(f"{instance_id} is {instance.state}, not stopped")
    instances.boot(instance)
