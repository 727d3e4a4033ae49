"""Volumes: made, described, deleted.

AWS: a new volume is `creating` and then `available`; the default type is gp2 whatever the snapshot's
volume was, and a snapshot that is not `completed` cannot be used ("IncorrectState: Snapshot
'snap-…' is not 'completed'.")
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html). moto makes volumes
available at once and from any snapshot, and forgets the snapshot's KMS key.
"""

from typing import Any

from moto.ec2.responses import EC2Response

from local.aws import bin, keys, tags, tokens
from local.aws.clock import CLOCK
from local.aws.filters import View, matching, page
from local.aws.patch import Answer, answers, refuse

CREATE_SECONDS = 2
#: gp3's throughput when none is given, in MiB/s
GP3_THROUGHPUT = 125
IOPS_PER_GIB = 3
GP2_IOPS = (100, 16_000)
#: of VolumeInitializationRate, in MiB/s
RATES = range(100, 301)
FIELDS = {
    "attachment.device": lambda it: [a["Device"] for a in it["Attachments"]],
    "attachment.instance-id": lambda it: [a["InstanceId"] for a in it["Attachments"]],
    "attachment.status": lambda it: [a["State"] for a in it["Attachments"]],
    "attachment.delete-on-termination": lambda it: [
        a["DeleteOnTermination"] for a in it["Attachments"]
    ],
    "availability-zone": lambda it: it["AvailabilityZone"],
    "encrypted": lambda it: it["Encrypted"],
    "size": lambda it: it["Size"],
    "snapshot-id": lambda it: it["SnapshotId"],
    "status": lambda it: it["State"],
    "volume-id": lambda it: it["VolumeId"],
    "volume-type": lambda it: it["VolumeType"],
}


def make(backend: Any, zone: str, ebs: dict[str, Any]) -> Any:
    """A volume as an `Ebs` block or a CreateVolume request describes it."""
    snapshot = _completed(backend, ebs.get("SnapshotId"))
    volume_type = ebs.get("VolumeType") or "gp2"
    volume = backend.create_volume(
        size=_size(ebs, snapshot),
        zone_name=zone,
        snapshot_id=ebs.get("SnapshotId"),
        encrypted=bool(ebs.get("Encrypted")) or keys.by_default(backend),
        kms_key_id=ebs.get("KmsKeyId"),
        volume_type=volume_type,
        iops=_number(ebs.get("Iops")),
        throughput=_number(ebs.get("Throughput")),
    )
    if volume_type == "gp3" and volume.throughput is None:
        volume.throughput = GP3_THROUGHPUT
    if snapshot is not None and snapshot.encrypted and volume.kms_key_id is None:
        volume.kms_key_id = snapshot.kms_key_id
    return volume


def _completed(backend: Any, snapshot_id: str | None) -> Any:
    if not snapshot_id:
        return None
    snapshot = backend.snapshots.get(snapshot_id)
    if snapshot is None:
        message = f"The snapshot '{snapshot_id}' does not exist."
        raise refuse("InvalidSnapshot.NotFound", message)
    if snapshot.status != "completed":
        raise refuse("IncorrectState", f"Snapshot '{snapshot_id}' is not 'completed'.")
    return snapshot


def _size(ebs: dict[str, Any], snapshot: Any) -> int:
    given = _number(ebs.get("VolumeSize") or ebs.get("Size"))
    if given is None and snapshot is None:
        raise refuse("MissingParameter", "The request must contain the parameter size/snapshot")
    smallest = snapshot.volume_size if snapshot is not None else 1
    if given is not None and given < smallest:
        message = f"Volume of size {given}GB is smaller than snapshot, expect size >= {smallest}GB"
        raise refuse("InvalidBlockDeviceMapping", message)
    return given or smallest


def _number(value: Any) -> int | None:
    return None if value is None else int(value)


def find(backend: Any, volume_id: str) -> Any:
    volume = backend.volumes.get(volume_id)
    if volume is None:
        message = f"The volume '{volume_id}' does not exist."
        raise refuse("InvalidVolume.NotFound", message)
    return volume


def attachments(volume: Any) -> list[Any]:
    """More than one only with Multi-Attach."""
    others = volume.__dict__.get("local_shared", [])
    return [volume.attachment, *others] if volume.attachment else []


def is_shared(volume: Any) -> bool:
    """Multi-Attach is enabled."""
    return bool(volume.__dict__.get("local_multi_attach"))


def state(volume: Any) -> str:
    if getattr(volume, "being_created", False):
        return "creating"
    if volume.__dict__.get("local_error"):
        return "error"
    return "in-use" if volume.attachment else "available"


def view(volume: Any) -> View:
    gives = volume.size * IOPS_PER_GIB
    gp2 = min(max(gives, GP2_IOPS[0]), GP2_IOPS[1]) if volume.volume_type == "gp2" else None
    return {
        "VolumeId": volume.id,
        "AvailabilityZone": volume.zone.name,
        "CreateTime": volume.create_time,
        "Encrypted": bool(volume.encrypted),
        "KmsKeyId": volume.kms_key_id,
        "Size": volume.size,
        "SnapshotId": volume.snapshot_id or "",
        "SourceVolumeId": getattr(volume, "source_volume_id", None),
        "VolumeInitializationRate": getattr(volume, "initialization_rate", None),
        "State": state(volume),
        "VolumeType": volume.volume_type,
        "Iops": volume.iops or gp2,
        "Throughput": volume.throughput,
        "MultiAttachEnabled": is_shared(volume),
        "Attachments": [attachment_view(it) for it in attachments(volume)],
        "Tags": tags.shown(volume.ec2_backend, volume.id),
    }


def attachment_view(attachment: Any) -> View:
    device = attachment.instance.block_device_mapping.get(attachment.device)
    return {
        "AttachTime": attachment.attach_time,
        "Device": attachment.device,
        "InstanceId": attachment.instance.id,
        "State": attachment.status,
        "VolumeId": attachment.volume.id,
        "DeleteOnTermination": bool(device and device.delete_on_termination),
    }


@answers(EC2Response)
def create_volume(call: Any) -> Answer:
    return tokens.once(call, lambda: _create(call))


def _create(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "volume")
    zone = call._get_param("AvailabilityZone")
    if backend.get_zone_by_name(zone) is None:
        message = f"Invalid availability zone: [{zone}]"
        raise refuse("InvalidParameterValue", message)
    names = ["Size", "SnapshotId", "VolumeType", "Encrypted", "KmsKeyId", "Iops", "Throughput"]
    volume = make(backend, zone, {name: call._get_param(name) for name in names})
    volume.initialization_rate = _rate(call, volume)
    volume.local_multi_attach = _multi_attach(call, volume)
    tags.write(backend, volume.id, wanted)
    volume.being_created = True
    usable = keys.are_usable([volume])
    CLOCK.after(CREATE_SECONDS, lambda: created(volume, usable))
    return view(volume)


def created(volume: Any, usable: bool) -> None:
    """A volume with a denied key ends in `error`: the call was answered long before."""
    volume.being_created, volume.local_error = False, not usable


def _multi_attach(call: Any, volume: Any) -> bool:
    """ "Multi-Attach is supported exclusively on Provisioned IOPS SSD (io1 and io2) volumes"."""
    wanted = call._get_param("MultiAttachEnabled") is True
    if wanted and volume.volume_type not in ("io1", "io2"):
        message = f"Multi-Attach is not supported for {volume.volume_type} volumes"
        raise refuse("InvalidParameterCombination", message)
    return wanted


def _rate(call: Any, volume: Any) -> int | None:
    """ "Valid range: 100 - 300 MiB/s", and only for volumes made from snapshots."""
    rate = _number(call._get_param("VolumeInitializationRate"))
    if rate is not None and (not volume.snapshot_id or rate not in RATES):
        message = f"{rate} is not a volume initialization rate of a volume from a snapshot"
        raise refuse("InvalidParameterValue", message)
    return rate


@answers(EC2Response)
def describe_volumes(call: Any) -> Answer:
    backend = call.ec2_backend
    ids = call._get_param("VolumeIds") or list(backend.volumes)
    views = [view(find(backend, it)) for it in ids]
    return page(call, "Volumes", matching(call, views, FIELDS), at_most=1000)


@answers(EC2Response)
def delete_volume(call: Any) -> Answer:
    """AWS: "The volume must be in the available state (not attached to an instance)." """
    volume = find(call.ec2_backend, call._get_param("VolumeId"))
    if state(volume) == "in-use":
        message = f"Volume {volume.id} is currently attached to {volume.attachment.instance.id}"
        raise refuse("VolumeInUse", message)
    if state(volume) not in ("available", "error"):
        raise refuse("IncorrectState", f"Volume '{volume.id}' is not 'available'.")
    forget(volume)
    return {}


def forget(volume: Any) -> None:
    """Its snapshots stay: "Deleting a volume has no effect on the snapshots made from it"."""
    volume.attachment, volume.local_shared = None, []
    bin.put(volume)
    volume.ec2_backend.volumes.pop(volume.id, None)
    volume.ec2_backend.tags.pop(volume.id, None)
