"""The life of an instance.

AWS: `pending` until it has booted; `shutting-down`, which takes a while, before `terminated`; one
event for each state; what dies while booting goes from `pending` to `terminated`, with nothing between
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-instance-lifecycle.html). At the end the
volumes and interfaces marked DeleteOnTermination are deleted and the others become `available`, volumes
a little later; Elastic IP addresses are disassociated, except from an interface that stays; tags are "gradually disassociated" and the entry disappears within
about an hour (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/terminating-instances.html).

moto's instances are running, stopped and terminated in the instant of the call, send no event, and
the terminated ones keep everything for ever.
"""

import copy
from collections.abc import Callable
from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.instances import Instance, InstanceState, StateReason

from local.aws import addresses, attachments, events, interfaces, volumes
from local.aws.clock import CLOCK
from local.aws.patch import refuse, replaces
from local.aws.settings import SETTINGS

CODES = {
    "pending": 0,
    "running": 16,
    "shutting-down": 32,
    "terminated": 48,
    "stopping": 64,
    "stopped": 80,
}
BY_USER = ("Client.UserInitiatedShutdown", "User initiated shutdown")
SPOT_TERMINATION = ("Server.SpotInstanceTermination", "Spot Instance termination")
SPOT_SHUTDOWN = ("Server.SpotInstanceShutdown", "Spot Instance shutdown")
STOP_SECONDS = 5
RELEASE_SECONDS = 3
TAGS_STAY_SECONDS = 600
ENTRY_STAYS_SECONDS = 3600
ENDED = ("shutting-down", "terminated")

Reason = tuple[str, str]
#: hear of every state an instance enters
LISTENERS: list[Callable[[Any, str], None]] = []


def enter(instance: Any, state: str, reason: Reason | None = None) -> None:
    """The state and its event."""
    instance._state = InstanceState(state, CODES[state])
    if reason is not None:
        code, text = reason
        instance.state_reason = StateReason(f"{code}: {text}", code)
        instance._reason = f"{text} ({utcnow():%Y-%m-%d %H:%M:%S} GMT)"
    backend = instance.ec2_backend
    arn = f"arn:aws:ec2:{backend.region_name}:{backend.account_id}:instance/{instance.id}"
    detail = {"instance-id": instance.id, "state": state}
    events.emit("EC2 Instance State-change Notification", [arn], detail, backend)
    for listener in LISTENERS:
        listener(instance, state)


def boot(instance: Any, death: Reason | None = None) -> None:
    """From a launch or a start to `running`, or to an early death."""
    instance.launch_time = utcnow()
    instance._reason = ""
    instance.state_reason = StateReason()
    enter(instance, "pending")
    reached = _booted if death is None else lambda it: _died(it, death)
    CLOCK.after(SETTINGS.boot_seconds, lambda: reached(instance))


def _booted(instance: Any) -> None:
    if instance.state == "pending":
        for nic in instance.nics.values():
            nic.start()
        enter(instance, "running")


def _died(instance: Any, death: Reason) -> None:
    if instance.state == "pending":
        _ended(instance, death)


def end(instance: Any, reason: Reason) -> None:
    """Towards `terminated`, once."""
    if instance.state in ENDED:
        return
    enter(instance, "shutting-down", reason)
    CLOCK.after(SETTINGS.shutdown_seconds, lambda: _ended(instance))


def _ended(instance: Any, reason: Reason | None = None) -> None:
    backend = instance.ec2_backend
    staying = []
    for device in list(instance.block_device_mapping.values()):
        volume = backend.volumes.get(device.volume_id)
        if volume is None:
            continue
        last = len(volumes.attachments(volume)) == 1
        if device.delete_on_termination and last:
            attachments.take(volume, instance)
            volumes.forget(volume)
        else:
            attachments.of(volume, instance).status = "detaching"
            staying.append(volume)
    _leave_network(instance)
    backend.iam_instance_profile_associations.pop(instance.id, None)
    enter(instance, "terminated", reason)
    CLOCK.after(RELEASE_SECONDS, lambda: [attachments.take(it, instance) for it in staying])
    CLOCK.after(TAGS_STAY_SECONDS, lambda: backend.tags.pop(instance.id, None))
    CLOCK.after(ENTRY_STAYS_SECONDS, lambda: _vanish(instance))


def _leave_network(instance: Any) -> None:
    backend = instance.ec2_backend
    for nic in instance.nics.values():
        nic.stop()
        if not nic.delete_on_termination:
            interfaces.released(nic)
            continue
        for address in backend.addresses:
            if address.eni is nic:
                addresses.leave(address)
        nic.delete()


def _vanish(instance: Any) -> None:
    for reservation in instance.ec2_backend.reservations.values():
        reservation.instances = [it for it in reservation.instances if it is not instance]


def pause(instance: Any, reason: Reason) -> None:
    """Towards `stopped`; volumes and private addresses stay."""
    if instance.state not in ("pending", "running"):
        return
    enter(instance, "stopping", reason)
    CLOCK.after(STOP_SECONDS, lambda: _paused(instance))


def _paused(instance: Any) -> None:
    if instance.state == "stopping":
        for nic in instance.nics.values():
            nic.stop()
        enter(instance, "stopped")


@replaces(Instance)
def terminate(self: Any) -> InstanceState:
    before = copy.copy(self._state)
    end(self, BY_USER)
    return before


@replaces(Instance)
def stop(self: Any) -> InstanceState:
    """AWS: only a Spot Instance with a persistent request can be stopped."""
    if self.lifecycle == "spot" and not getattr(self, "persistent", False):
        message = f"You can't stop the Spot Instance '{self.id}': its request is one-time"
        raise refuse("UnsupportedOperation", message)
    before = copy.copy(self._state)
    pause(self, BY_USER)
    return before


@replaces(Instance)
def start(self: Any) -> InstanceState:
    """AWS: what EC2 has stopped, only EC2 can start again."""
    if self.state_reason.code == SPOT_SHUTDOWN[0]:
        message = f"You can't start the Spot Instance '{self.id}': EC2 has interrupted it"
        raise refuse("IncorrectSpotRequestState", message)
    if self.state != "stopped":
        message = f"The instance '{self.id}' is not in a state from which it can be started."
        raise refuse("IncorrectInstanceState", message)
    before = copy.copy(self._state)
    boot(self)
    return before
