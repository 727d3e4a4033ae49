"""Images: what they bring along, and what is registered by hand.

AWS: an image has a block device mapping of its own, and an instance gets it. An image registered from a
snapshot is what the request says, and i386, paravirtual, without ENA where it says nothing; its name is
unique in the account and Region; the snapshot must be `completed`
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html). While it is registered
its snapshot cannot be deleted
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteSnapshot.html). moto's RegisterImage reads
name and description only, and its ready-made images have a 15-GiB magnetic root that survives.

Not verified on AWS: the error for a snapshot that is not completed.
"""

from typing import Any

from moto.ec2.models.amis import Ami
from moto.ec2.responses import EC2Response

from local.aws import tags
from local.aws.clock import CLOCK
from local.aws.filters import View, matching
from local.aws.patch import Answer, answers, refuse, replaces

ROOT_GIB = 8
REGISTER_SECONDS = 2
MOTO_INIT = Ami.__init__
FIELDS = {
    "architecture": lambda it: it["Architecture"],
    "image-id": lambda it: it["ImageId"],
    "name": lambda it: it["Name"],
    "owner-id": lambda it: it["OwnerId"],
    "state": lambda it: it["State"],
}
#: how an instance boots, and what it is billed as: it has it from its image
BOOTS_LIKE = ("Architecture", "EnaSupport", "PlatformDetails", "ProductCodes", "SriovNetSupport")
LINUX, WINDOWS = "Linux/UNIX", "Windows"


@replaces(Ami)
def __init__(self: Any, *args: Any, **kwargs: Any) -> None:
    MOTO_INIT(self, *args, **kwargs)
    self.ebs_snapshot.volume.size = ROOT_GIB


def block_device_mappings(image: Any) -> list[dict[str, Any]]:
    given = {it["DeviceName"]: it for it in getattr(image, "given_mappings", [])}
    root = {
        "SnapshotId": image.ebs_snapshot.id,
        "VolumeSize": ROOT_GIB,
        "VolumeType": "gp2",
        "DeleteOnTermination": True,
        "Encrypted": False,
    }
    asked = given.pop(image.root_device_name, {}).get("Ebs") or {}
    root_entry = {"DeviceName": image.root_device_name, "Ebs": root | asked}
    return [root_entry, *given.values()]


Ami.block_device_mappings = property(block_device_mappings)


def view(image: Any) -> View:
    windows = image.platform == "windows"
    said = getattr(image, "said", {"EnaSupport": True, "SriovNetSupport": "simple"})
    return {
        "ImageId": image.id,
        "Name": image.name,
        "Description": image.description,
        "State": "pending" if getattr(image, "being_registered", False) else image.state,
        "OwnerId": image.owner_id,
        "ImageOwnerAlias": image.owner_alias,
        "Public": image.is_public,
        "CreationDate": image.creation_date,
        "Architecture": image.architecture or "x86_64",
        "VirtualizationType": image.virtualization_type or "hvm",
        "BootMode": image.boot_mode,
        "Platform": "windows" if windows else None,
        "PlatformDetails": WINDOWS if windows else LINUX,
        "ProductCodes": [
            {"ProductCodeId": it, "ProductCodeType": "marketplace"} for it in image.product_codes
        ],
        "RootDeviceName": image.root_device_name,
        "RootDeviceType": "ebs",
        "BlockDeviceMappings": image.block_device_mappings,
        "Tags": tags.shown(image.ec2_backend, image.id),
        **said,
    }


def boots_like(image: Any) -> View:
    """Settings that an instance shows and has from its image."""
    shown = view(image)
    mode = "uefi" if (shown["BootMode"] or "").startswith("uefi") else "legacy-bios"
    same = {name: shown.get(name) for name in BOOTS_LIKE}
    platform = {"Platform": shown["Platform"]} if shown["Platform"] else {}
    return same | platform | {"CurrentInstanceBootMode": mode, "BootMode": shown["BootMode"]}


@answers(EC2Response)
def describe_images(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = call._get_param("ImageIds") or []
    owners = {backend.account_id if it == "self" else it for it in call._get_param("Owners") or []}
    found = backend.describe_images(ami_ids=wanted) if wanted else list(backend.amis.values())
    views = [view(it) for it in found if not owners or {it.owner_id, it.owner_alias} & owners]
    return {"Images": matching(call, views, FIELDS)}


@answers(EC2Response)
def register_image(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "image")
    name = call._get_param("Name")
    mine = (it for it in backend.amis.values() if it.owner_id == backend.account_id)
    if any(it.name == name for it in mine):
        message = f"AMI name {name} is already in use by another AMI"
        raise refuse("InvalidAMIName.Duplicate", message)
    mappings = call._get_param("BlockDeviceMappings") or []
    root_device = call._get_param("RootDeviceName")
    snapshot = _root_snapshot(backend, mappings, root_device)
    image = backend.register_image(name, call._get_param("Description") or "")
    image.root_device_name = root_device or image.root_device_name
    image.architecture = call._get_param("Architecture") or "i386"
    image.virtualization_type = call._get_param("VirtualizationType") or "paravirtual"
    image.boot_mode = call._get_param("BootMode")
    image.said = {
        "EnaSupport": bool(call._get_param("EnaSupport")),
        "SriovNetSupport": call._get_param("SriovNetSupport"),
        "TpmSupport": call._get_param("TpmSupport"),
        "ImdsSupport": call._get_param("ImdsSupport"),
    }
    image.given_mappings = mappings
    if snapshot is not None:
        backend.snapshots.pop(image.ebs_snapshot.id)
        image.ebs_snapshot = snapshot
    image.being_registered = True
    CLOCK.after(REGISTER_SECONDS, lambda: setattr(image, "being_registered", False))
    tags.write(backend, image.id, wanted)
    return {"ImageId": image.id}


def _root_snapshot(backend: Any, mappings: list[dict[str, Any]], root: str | None) -> Any:
    ebs = next((it.get("Ebs") or {} for it in mappings if it["DeviceName"] == root), {})
    snapshot_id = ebs.get("SnapshotId")
    if snapshot_id is None:
        return None
    if snapshot_id not in backend.snapshots:
        message = f"The snapshot '{snapshot_id}' does not exist."
        raise refuse("InvalidSnapshot.NotFound", message)
    snapshot = backend.snapshots[snapshot_id]
    if snapshot.status != "completed":
        raise refuse("IncorrectState", f"Snapshot '{snapshot_id}' is not 'completed'.")
    return snapshot


def standing_on(backend: Any, snapshot: Any) -> Any:
    """The image with that snapshot as its root, if one is registered."""
    return next((it for it in backend.amis.values() if it.ebs_snapshot is snapshot), None)


@answers(EC2Response)
def deregister_image(call: Any) -> Answer:
    backend, image_id = call.ec2_backend, call._get_param("ImageId")
    backend.deregister_image(image_id)
    backend.tags.pop(image_id, None)
    return {"Return": True}


@answers(EC2Response)
def get_instance_uefi_data(call: Any) -> Answer:
    """AWS: "If InstanceUefiData is non-existent", it is null: no variable has been changed here."""
    instance = call.ec2_backend.get_instance(call._get_param("InstanceId"))
    return {"InstanceId": instance.id, "UefiData": None}
