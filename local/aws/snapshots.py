"""The life of a snapshot.

AWS: the snapshot is created immediately, but its status is `pending` until the blocks are
uploaded, which can take hours; the result is an event, of another detail-type for CreateSnapshots,
where if any one snapshot for the multi-volume snapshot set fails, all of the other snapshots display
an error status (https://docs.aws.amazon.com/ebs/latest/userguide/ebs-create-snapshot.html,
https://docs.aws.amazon.com/ebs/latest/userguide/ebs-cloud-watch-events.html). Five may be pending
per volume, and one may be started every 15 seconds or so. moto completes each at once, without limit
and without an event.
"""

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.models.elastic_block_store import Snapshot
from moto.ec2.utils import random_snapshot_id

from local.aws import events, tags
from local.aws.clock import CLOCK
from local.aws.filters import View
from local.aws.patch import refuse, shelf
from local.aws.settings import SETTINGS

PENDING_PER_VOLUME = 5
SECONDS_BETWEEN = 15
FOREIGN_OWNER = "210987654321"


def check_limits(backend: Any, volume: Any) -> None:
    started = shelf(backend, "snapshot_started", dict).get(volume.id)
    if started is not None and CLOCK.now() - started < SECONDS_BETWEEN:
        message = "The maximum per volume CreateSnapshot request rate has been exceeded."
        raise refuse("SnapshotCreationPerVolumeRateExceeded", message)
    same = [it for it in backend.snapshots.values() if it.volume.id == volume.id]
    if sum(it.status == "pending" for it in same) >= PENDING_PER_VOLUME:
        message = f"Maximum allowed in-progress snapshots for volume {volume.id} exceeded."
        raise refuse("ConcurrentSnapshotLimitExceeded", message)


def begin(volume: Any, description: str, wanted: dict[str, str], start_time: Any) -> Any:
    """A pending snapshot, its limits already checked."""
    backend = volume.ec2_backend
    snapshot = Snapshot(
        backend,
        random_snapshot_id(),
        volume=volume,
        description=description,
        encrypted=bool(volume.encrypted),
        kms_key_id=volume.kms_key_id if volume.encrypted else None,
    )
    snapshot.status = "pending"
    snapshot.start_time = start_time
    snapshot.began = CLOCK.now()
    snapshot.takes = SETTINGS.snapshot_seconds
    backend.snapshots[snapshot.id] = snapshot
    shelf(backend, "snapshot_started", dict)[volume.id] = CLOCK.now()
    tags.write(backend, snapshot.id, wanted)
    return snapshot


def finish_later(snapshots: list[Any], *, is_set: bool) -> None:
    CLOCK.after(SETTINGS.snapshot_seconds, lambda: _finish(snapshots, is_set))


def _finish(snapshots: list[Any], is_set: bool) -> None:
    succeeded = SETTINGS.snapshot_result == "succeeded"
    for snapshot in snapshots:
        snapshot.status = "completed" if succeeded else "error"
        snapshot.completed = utcnow()
    emit = _emit_set if is_set else _emit_one
    emit(snapshots, "succeeded" if succeeded else "failed")


def _emit_one(snapshots: list[Any], result: str) -> None:
    (snapshot,) = snapshots
    name = arn(snapshot, "snapshot", snapshot.id)
    detail = {
        **_outcome("createSnapshot", result, snapshot),
        "snapshot_id": name,
        "source": arn(snapshot, "volume", snapshot.volume.id),
    }
    events.emit("EBS Snapshot Notification", [name], detail, snapshot.ec2_backend)


def _emit_set(snapshots: list[Any], result: str) -> None:
    status = "completed" if result == "succeeded" else "error"
    members = [
        {
            "snapshot_id": arn(it, "snapshot", it.id),
            "source": arn(it, "volume", it.volume.id),
            "status": status,
        }
        for it in snapshots
    ]
    detail = {**_outcome("createSnapshots", result, snapshots[0]), "snapshots": members}
    events.emit(
        "EBS Multi-Volume Snapshots Completion Status",
        [it["snapshot_id"] for it in members],
        detail,
        snapshots[0].ec2_backend,
    )


def _outcome(event: str, result: str, snapshot: Any) -> dict[str, str]:
    return {
        "event": event,
        "result": result,
        "cause": "",
        "request-id": "",
        "startTime": events.iso(snapshot.start_time),
        "endTime": events.iso(),
    }


def arn(snapshot: Any, kind: str, resource_id: str) -> str:
    """As EBS writes it into events: the Region where others have the account."""
    return f"arn:aws:ec2::{snapshot.ec2_backend.region_name}:{kind}/{resource_id}"


def view(snapshot: Any) -> View:
    return {
        "SnapshotId": snapshot.id,
        "VolumeId": snapshot.volume.id,
        "VolumeSize": snapshot.volume.size,
        "State": snapshot.status,
        "Progress": _progress(snapshot),
        "StartTime": snapshot.start_time,
        "CompletionTime": getattr(snapshot, "completed", None),
        "Description": snapshot.description or "",
        "Encrypted": bool(snapshot.encrypted),
        "KmsKeyId": snapshot.kms_key_id,
        "OwnerId": snapshot.owner_id,
        "StorageTier": snapshot.storage_tier,
        "Tags": tags.shown(snapshot.ec2_backend, snapshot.id),
    }


def _progress(snapshot: Any) -> str:
    if snapshot.status == "completed":
        return "100%"
    took = CLOCK.now() - getattr(snapshot, "began", 0.0)
    return f"{min(int(100 * took / max(getattr(snapshot, 'takes', 0), 1)), 99)}%"
