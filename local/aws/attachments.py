"""Attaching and detaching.

AWS: volume and instance in the same zone, the volume `available`, the instance running or stopped,
the device name free; a volume attached later survives the instance unless told otherwise
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachVolume.html). A root volume cannot be
detached from a running instance
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DetachVolume.html). moto checks none of
it and moves the volume from one instance to the other.

A Multi-Attach volume (io1 and io2) may have up to sixteen instances of its zone at a time; at the end of the
last of them, its DeleteOnTermination counts; to detach one, its instance must be named
(https://docs.aws.amazon.com/ebs/latest/userguide/ebs-volumes-multi.html). moto knows one attachment: that is
the first one here.
"""

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.block_device import BlockDeviceType
from moto.ec2.models.elastic_block_store import VolumeAttachment
from moto.ec2.responses import EC2Response

from local.aws import volumes
from local.aws.clock import CLOCK
from local.aws.patch import Answer, answers, refuse

ATTACH_SECONDS = 2
DETACH_SECONDS = 2
MOST_INSTANCES = 16


def put(volume: Any, instance: Any, device: str, *, delete_on_termination: bool) -> Any:
    """Past all rules."""
    attachment = VolumeAttachment(volume, instance, device, "attached")
    _keep(volume, [*volumes.attachments(volume), attachment])
    instance.block_device_mapping[device] = BlockDeviceType(
        volume_id=volume.id,
        status="attached",
        size=volume.size,
        attach_time=utcnow(),
        delete_on_termination=delete_on_termination,
    )
    return attachment


def of(volume: Any, instance: Any) -> Any:
    """Its attachment to this instance, or none."""
    held = (it for it in volumes.attachments(volume) if it.instance is instance)
    return next(held, None)


def take(volume: Any, instance: Any) -> None:
    """Past all rules; after the last one the volume is `available` again."""
    attachment = of(volume, instance)
    if attachment is None:
        return
    mapping = attachment.instance.block_device_mapping
    held = mapping.get(attachment.device)
    if held is not None and held.volume_id == volume.id:
        del mapping[attachment.device]
    _keep(volume, [it for it in volumes.attachments(volume) if it is not attachment])


def _keep(volume: Any, attachments: list[Any]) -> None:
    volume.attachment, volume.local_shared = next(iter(attachments), None), attachments[1:]


@answers(EC2Response)
def attach_volume(call: Any) -> Answer:
    backend = call.ec2_backend
    volume = volumes.find(backend, call._get_param("VolumeId"))
    instance = backend.get_instance(call._get_param("InstanceId"))
    device = call._get_param("Device")
    _check(volume, instance, device)
    attachment = put(volume, instance, device, delete_on_termination=False)
    attachment.status = "attaching"
    instance.block_device_mapping[device].status = "attaching"
    CLOCK.after(ATTACH_SECONDS, lambda: _attached(attachment))
    return volumes.attachment_view(attachment)


def _attached(attachment: Any) -> None:
    if attachment.status == "attaching":
        attachment.status = "attached"
        device = attachment.instance.block_device_mapping.get(attachment.device)
        if device is not None:
            device.status = "attached"


def _check(volume: Any, instance: Any, device: str) -> None:
    holders = volumes.attachments(volume)
    shared = volumes.is_shared(volume) and of(volume, instance) is None
    if holders and not shared:
        raise refuse("VolumeInUse", f"{volume.id} is already attached to an instance")
    if len(holders) >= MOST_INSTANCES:
        raise refuse("AttachmentLimitExceeded", f"{volume.id} is attached to {MOST_INSTANCES}")
    if not holders and volumes.state(volume) != "available":
        raise refuse("IncorrectState", f"Volume '{volume.id}' is not 'available'.")
    if volume.zone.name != instance.placement.zone:
        message = f"The volume '{volume.id}' is not in the same availability zone as instance"
        raise refuse("InvalidVolume.ZoneMismatch", f"{message} '{instance.id}'")
    if instance.state not in ("running", "stopped"):
        raise refuse("IncorrectState", f"Instance '{instance.id}' is not 'running'.")
    if device in instance.block_device_mapping:
        message = f"Invalid value '{device}' for unixDevice: {device} is already in use"
        raise refuse("InvalidParameterValue", message)


@answers(EC2Response)
def detach_volume(call: Any) -> Answer:
    volume = volumes.find(call.ec2_backend, call._get_param("VolumeId"))
    holders = volumes.attachments(volume)
    if not holders:
        raise refuse("IncorrectState", f"Volume '{volume.id}' is in the 'available' state.")
    wanted = call._get_param("InstanceId")
    if not wanted and len(holders) > 1:
        message = f"{volume.id} is attached to several instances: name one"
        raise refuse("InvalidParameterCombination", message)
    named = [it for it in holders if wanted in (None, it.instance.id)]
    if not named:
        message = f"The volume '{volume.id}' is not attached to instance '{wanted}'"
        raise refuse("InvalidAttachment.NotFound", message)
    attachment = named[0]
    instance = attachment.instance
    if attachment.device == instance.root_device_name and instance.state != "stopped":
        message = f"Unable to detach root volume '{volume.id}' from instance '{instance.id}'"
        raise refuse("OperationNotPermitted", message)
    attachment.status = "detaching"
    CLOCK.after(DETACH_SECONDS, lambda: take(volume, instance))
    return volumes.attachment_view(attachment)
