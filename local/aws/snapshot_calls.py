"""The calls about snapshots.

AWS: one CreateSnapshots call is one point in time across an instance's volumes; naming the root
volume among the excluded data volumes fails; CopyTagsFromSource=volume copies each volume's tags
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateSnapshots.html). DescribeSnapshots
without an owner lists public and shared ones too
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeSnapshots.html). moto ignores
ExcludeDataVolumeIds, CopyTagsFromSource and OwnerIds.
"""

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.elastic_block_store import Snapshot, Volume
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_snapshot_id, random_volume_id

from local.aws import images, snapshots, tags, volumes
from local.aws.filters import matching, page
from local.aws.patch import Answer, answers, refuse, shelf

FIELDS = {
    "description": lambda it: it["Description"],
    "encrypted": lambda it: it["Encrypted"],
    "owner-id": lambda it: it["OwnerId"],
    "progress": lambda it: it["Progress"],
    "snapshot-id": lambda it: it["SnapshotId"],
    "status": lambda it: it["State"],
    "storage-tier": lambda it: it["StorageTier"],
    "volume-id": lambda it: it["VolumeId"],
    "volume-size": lambda it: it["VolumeSize"],
}
#: tags that another account could put on a public snapshot
FOREIGN_TAGS = {"spot-rescue": "on", "spot-rescue:rescue": "i-0badbadbadbadbad0"}


@answers(EC2Response)
def create_snapshot(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "snapshot")
    volume = volumes.find(backend, call._get_param("VolumeId"))
    snapshots.check_limits(backend, volume)
    snapshot = snapshots.begin(volume, call._get_param("Description") or "", wanted, utcnow())
    snapshots.finish_later([snapshot], is_set=False)
    return snapshots.view(snapshot)


@answers(EC2Response)
def create_snapshots(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "snapshot")
    found = members(backend, call._get_param("InstanceSpecification") or {})
    copied = call._get_param("CopyTagsFromSource") == "volume"
    all_tags = [_copied(it, wanted) if copied else wanted for it in found]
    for each in all_tags:
        tags.check(each)
    for volume in found:
        snapshots.check_limits(backend, volume)
    start, description = utcnow(), call._get_param("Description") or ""
    pairs = zip(found, all_tags, strict=True)
    taken = [snapshots.begin(volume, description, each, start) for volume, each in pairs]
    snapshots.finish_later(taken, is_set=True)
    return {"Snapshots": [snapshots.view(it) for it in taken]}


def _copied(volume: Any, wanted: dict[str, str]) -> dict[str, str]:
    """The volume's tags, without reserved ones, under the request's."""
    own = {it["Key"]: it["Value"] for it in tags.shown(volume.ec2_backend, volume.id)}
    return {key: it for key, it in own.items() if not key.startswith(tags.RESERVED)} | wanted


def members(backend: Any, wanted: dict[str, Any]) -> list[Any]:
    instance = backend.get_instance(wanted.get("InstanceId"))
    if instance.state in ("shutting-down", "terminated"):
        message = f"The instance '{instance.id}' is in the '{instance.state}' state."
        raise refuse("IncorrectInstanceState", message)
    devices = instance.block_device_mapping
    root = devices.get(instance.root_device_name)
    excluded = set(wanted.get("ExcludeDataVolumeIds") or [])
    if root is not None and root.volume_id in excluded:
        message = f"The volume '{root.volume_id}' is the root volume; use ExcludeBootVolume"
        raise refuse("InvalidParameterValue", message)
    unknown = excluded - {it.volume_id for it in devices.values()}
    if unknown:
        raise refuse("InvalidParameterValue", f"Not attached to the instance: {sorted(unknown)}")
    if wanted.get("ExcludeBootVolume") and root is not None:
        excluded.add(root.volume_id)
    ids = [it.volume_id for it in devices.values() if it.volume_id not in excluded]
    if not ids:
        raise refuse("InvalidParameterValue", "The instance has no volume to take a snapshot of.")
    return [volumes.find(backend, it) for it in ids]


@answers(EC2Response)
def describe_snapshots(call: Any) -> Answer:
    backend = call.ec2_backend
    _plant_foreign(backend)
    ids = call._get_param("SnapshotIds") or list(backend.snapshots)
    found = [_find(backend, it) for it in ids]
    owners = call._get_param("OwnerIds") or []
    mine = {backend.account_id if it == "self" else it for it in owners}
    views = [snapshots.view(it) for it in found if not mine or it.owner_id in mine]
    return page(call, "Snapshots", matching(call, views, FIELDS), at_most=1000)


def _find(backend: Any, snapshot_id: str) -> Any:
    if snapshot_id not in backend.snapshots:
        message = f"The snapshot '{snapshot_id}' does not exist."
        raise refuse("InvalidSnapshot.NotFound", message)
    return backend.snapshots[snapshot_id]


@answers(EC2Response)
def delete_snapshot(call: Any) -> Answer:
    backend = call.ec2_backend
    snapshot = _find(backend, call._get_param("SnapshotId"))
    image = images.standing_on(backend, snapshot)
    if image is not None:
        message = f"The snapshot {snapshot.id} is currently in use by {image.id}"
        raise refuse("InvalidSnapshot.InUse", message)
    del backend.snapshots[snapshot.id]
    backend.tags.pop(snapshot.id, None)
    return {}


def _plant_foreign(backend: Any) -> None:
    """One public snapshot of another account, made to be mistaken for ours.

    AWS would not show a stranger's tags; here they show, so that a look-up that leaves out the
    owner is noticed.
    """
    planted = shelf(backend, "foreign", list)
    if planted:
        return
    zone = backend.get_zone_by_name(f"{backend.region_name}a")
    volume = Volume(backend, random_volume_id(), size=8, zone=zone)
    owner = snapshots.FOREIGN_OWNER
    foreign = Snapshot(backend, random_snapshot_id(), volume, "public", owner_id=owner)
    backend.snapshots[foreign.id] = foreign
    tags.write(backend, foreign.id, FOREIGN_TAGS)
    planted.append(foreign.id)
