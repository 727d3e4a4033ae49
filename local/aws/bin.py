"""The Recycle Bin: a deleted volume with the tag of its rule stays for days and comes back with its id and its tags
(https://docs.aws.amazon.com/ebs/latest/userguide/recycle-bin.html). moto knows none.

Whether what EC2 deletes with its instance gets there is not documented; here it does, after a while.
"""

from typing import Any

from moto.ec2.responses import EC2Response

from local.aws.clock import CLOCK
from local.aws.filters import page
from local.aws.patch import Answer, answers, refuse, shelf
from local.aws.settings import SETTINGS

#: of the rule in template.yaml
KEY, VALUE = "spot-rescue:recycle", "on"
#: until a deleted volume is listed
LISTED_SECONDS = 7
DAY_SECONDS = 24 * 3600


def put(volume: Any) -> None:
    """Called when it is deleted, while it has its tags."""
    backend = volume.ec2_backend
    if not SETTINGS.recycle_days or backend.tags.get(volume.id, {}).get(KEY) != VALUE:
        return
    kept = {"volume": volume, "tags": dict(backend.tags[volume.id]), "since": CLOCK.now()}
    bin_of(backend)[volume.id] = kept


def tags(backend: Any, volume_id: str) -> dict[str, str]:
    """Which it keeps there."""
    return bin_of(backend).get(volume_id, {}).get("tags", {})


def bin_of(backend: Any) -> dict[str, Any]:
    return shelf(backend, "bin", dict)


def listed(backend: Any) -> dict[str, Any]:
    now, ends = CLOCK.now(), SETTINGS.recycle_days * DAY_SECONDS
    ages = {key: now - it["since"] for key, it in bin_of(backend).items()}
    return {key: bin_of(backend)[key] for key, age in ages.items() if LISTED_SECONDS <= age < ends}


@answers(EC2Response)
def list_volumes_in_recycle_bin(call: Any) -> Answer:
    there = listed(call.ec2_backend)
    ids = call._get_param("VolumeIds") or list(there)
    for it in ids:
        if it not in there:
            raise refuse("InvalidVolume.NotFound", f"The volume '{it}' is not in the Recycle Bin.")
    views = [
        {
            "VolumeId": it,
            "VolumeType": there[it]["volume"].volume_type,
            "Size": there[it]["volume"].size,
            "AvailabilityZone": there[it]["volume"].zone.name,
        }
        for it in ids
    ]
    return page(call, "Volumes", views, at_most=500)


@answers(EC2Response)
def restore_volume_from_recycle_bin(call: Any) -> Answer:
    backend, wanted = call.ec2_backend, call._get_param("VolumeId")
    if wanted not in listed(backend):
        raise refuse("InvalidVolume.NotFound", f"The volume '{wanted}' is not in the Recycle Bin.")
    kept = bin_of(backend).pop(wanted)
    backend.volumes[wanted] = kept["volume"]
    for key, value in kept["tags"].items():
        backend.tags[wanted][key] = value
    return {"Return": True}
