"""What an AWS service manages.

AWS: volumes and interfaces that a service has made for its own purpose say so (`Operator.Managed`), wherever they are
shown, and only that service may change them
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/amazon-ec2-managed-instances.html). moto knows no such thing.

Simplified: volumes only, and of what changes them tags, flags, attachments and snapshot sets.

Not verified on AWS: the error's code; that one managed device refuses a ModifyInstanceAttribute that names others, too.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response

from local.aws import attachments, attributes, events, reservations, snapshot_calls, tags, volumes
from local.aws.patch import refuse, shelf
from local.aws.settings import BadInput


def operators(backend: Any) -> dict[str, str]:
    """Volume -> the service that manages it."""
    return shelf(backend, "operators", dict)


def manage(volume_id: Any, principal: Any) -> None:
    backend = _backend()
    if volume_id not in backend.volumes or not isinstance(principal, str):
        raise BadInput(f"there is no volume {volume_id!r}, or {principal!r} is no service")
    operators(backend)[volume_id] = principal


def _backend() -> Any:
    return ec2_backends[events.ACCOUNT][events.REGION]


def operator(volume_id: str) -> dict[str, Any]:
    principal = operators(_backend()).get(volume_id)
    managed = {"Managed": principal is not None}
    return managed | ({"Principal": principal} if principal else {})


#: Modules with answers and methods that are wrapped: they have to be in place
WRAPPED = (attachments, attributes, reservations, snapshot_calls, tags, volumes)


def _install() -> None:
    """Wraps the calls that show or change a volume."""
    volumes.view = _showing(volumes.view, lambda it: it["VolumeId"], lambda it: it)
    reservations._device = _showing(
        reservations._device, lambda it: it["Ebs"]["VolumeId"], lambda it: it["Ebs"]
    )
    for name, named in CHANGES.items():
        setattr(EC2Response, name, _refusing(getattr(EC2Response, name), named))


def _showing(
    view: Callable[[Any], Any], named: Callable[[Any], str], place: Callable[[Any], Any]
) -> Callable[[Any], Any]:
    @wraps(view)
    def shown(of: Any) -> Any:
        found = view(of)
        place(found)["Operator"] = operator(named(found))
        return found

    return shown


def _refusing(change: Callable[[Any], Any], named: Callable[[Any], list[str]]) -> Any:
    @wraps(change)
    def changed(call: Any) -> Any:
        for it in named(call):
            if it in operators(call.ec2_backend):
                principal = operators(call.ec2_backend)[it]
                raise refuse("OperationNotPermitted", f"{it} is managed by {principal}")
        return change(call)

    return changed


def _flagged(call: Any) -> list[str]:
    mappings = call._get_param("BlockDeviceMappings") or []
    if not mappings:
        return []
    devices = call.ec2_backend.get_instance(call._get_param("InstanceId")).block_device_mapping
    held = [devices.get(it["DeviceName"]) for it in mappings]
    return [it.volume_id for it in held if it is not None]


def _taken(call: Any) -> list[str]:
    """Whether EC2 takes a snapshot of one for another caller is not documented."""
    wanted = call._get_param("InstanceSpecification") or {}
    return [it.id for it in snapshot_calls.members(call.ec2_backend, wanted)]


CHANGES: dict[str, Callable[[Any], list[str]]] = {
    "attach_volume": lambda call: [call._get_param("VolumeId")],
    "create_tags": lambda call: call._get_param("Resources") or [],
    "delete_tags": lambda call: call._get_param("Resources") or [],
    "create_snapshots": _taken,
    "modify_instance_attribute": _flagged,
}

_install()
