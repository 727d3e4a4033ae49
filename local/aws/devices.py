"""Which volumes an instance gets at launch.

AWS: the image's block device mapping, overridden entry by entry by the launch template's and the
request's; `NoDevice` leaves one out; DeleteOnTermination is true unless said otherwise, for the volumes
an instance is launched with
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/block-device-mapping-concepts.html). moto takes the
request's mapping alone, without it one 8-GiB `/dev/sda1`, and drops IOPS and throughput.
"""

from typing import Any

from local.aws import attachments, tags, volumes
from local.aws.patch import refuse

SMALLEST_ROOT = 8

Mapping = dict[str, dict[str, Any]]


def merged(*layers: list[dict[str, Any]] | None) -> Mapping:
    """Device name -> Ebs; a later layer overrides an earlier one, setting by setting."""
    devices: Mapping = {}
    for entry in (it for layer in layers for it in layer or []):
        name = entry["DeviceName"]
        if "NoDevice" in entry and entry["NoDevice"] is not None:
            devices.pop(name, None)
        elif entry.get("VirtualName"):
            continue
        else:
            given = {key: it for key, it in (entry.get("Ebs") or {}).items() if it is not None}
            devices[name] = devices.get(name, {}) | given
    return devices


def check(backend: Any, devices: Mapping, root: str) -> None:
    if root not in devices:
        message = f"The root device {root} of the image must not be left out"
        raise refuse("InvalidBlockDeviceMapping", message)
    for name, ebs in devices.items():
        snapshot = backend.snapshots.get(ebs.get("SnapshotId") or "")
        if snapshot is not None and snapshot.status != "completed":
            message = f"Snapshot '{snapshot.id}' for {name} is not 'completed'."
            raise refuse("InvalidBlockDeviceMapping", message)


def create(instance: Any, devices: Mapping, volume_tags: dict[str, str]) -> None:
    backend = instance.ec2_backend
    for name, ebs in devices.items():
        size = {} if ebs.get("SnapshotId") or ebs.get("VolumeSize") else {"Size": SMALLEST_ROOT}
        volume = volumes.make(backend, instance.placement.zone, ebs | size)
        dot = ebs.get("DeleteOnTermination", True)
        attachments.put(volume, instance, name, delete_on_termination=bool(dot))
        tags.write(backend, volume.id, volume_tags)
