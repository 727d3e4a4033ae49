"""Images and what they bring along.

AWS: an image has a block device mapping of its own, and an instance gets it
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RegisterImage.html). moto's RegisterImage reads
name and description only, and its ready-made images have a 15-GiB magnetic root that survives.
"""

from typing import Any

from moto.ec2.models.amis import Ami
from moto.ec2.responses import EC2Response

from local.aws import tags
from local.aws.patch import Answer, answers, replaces

ROOT_GIB = 8
MOTO_INIT = Ami.__init__


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


@answers(EC2Response)
def register_image(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "image")
    image = backend.register_image(call._get_param("Name"), call._get_param("Description") or "")
    image.root_device_name = call._get_param("RootDeviceName") or image.root_device_name
    image.architecture = call._get_param("Architecture") or "i386"
    image.virtualization_type = call._get_param("VirtualizationType") or "paravirtual"
    image.given_mappings = call._get_param("BlockDeviceMappings") or []
    tags.write(backend, image.id, wanted)
    return {"ImageId": image.id}
