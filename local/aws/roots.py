"""CreateReplaceRootVolumeTask: a running instance gets another root volume, and reboots.

AWS: the volume must be in the instance's zone, `available` and unattached, and encrypted if the present
root is; an image must have the instance's product code, billing, architecture and virtualization type;
metal instances are not supported, except Macs. The task is `pending` while the volume is made,
`in-progress` while it takes the place of the present one, then `succeeded`; `failed` leaves the present
one where it is, `failed-detached` leaves none. The replaced volume stays unless asked otherwise
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateReplaceRootVolumeTask.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/replace-root.html). moto has none of it.

Not verified on AWS: the errors' codes, and whether a root of another instance is taken.
"""

from typing import Any

from moto.core.utils import utcnow
from moto.ec2.responses import EC2Response
from moto.moto_api._internal import mock_random

from local.aws import attachments, images, tags, tokens, volumes
from local.aws.clock import CLOCK
from local.aws.filters import View, matching, page
from local.aws.patch import Answer, answers, refuse, shelf
from local.aws.settings import SETTINGS

MOST_PER_PAGE = 50
FIELDS = {"instance-id": lambda it: it["InstanceId"]}
OVER = ("succeeded", "failed", "failed-detached")
#: what must be the same in image and instance
ALIKE = ("Architecture", "PlatformDetails", "ProductCodes")


def view(backend: Any, task: View) -> View:
    held = tags.shown(backend, task["ReplaceRootVolumeTaskId"])
    return {name: it for name, it in task.items() if not name.startswith("_")} | {"Tags": held}


@answers(EC2Response)
def create_replace_root_volume_task(call: Any) -> Answer:
    return tokens.once(call, lambda: _create(call))


def _create(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "replace-root-volume-task")
    instance = backend.get_instance(call._get_param("InstanceId"))
    root = _present_root(backend, instance)
    image_id, volume_id = call._get_param("ImageId"), call._get_param("VolumeId")
    if not image_id and not volume_id:
        message = "The local AWS replaces roots by a volume or from an image only"
        raise refuse("UnsupportedOperation", message)
    result = "succeeded" if image_id else SETTINGS.root_by_volume
    if result == "refused":
        raise refuse("UnsupportedOperation", "The local AWS was told to refuse that")
    volume = _of_image(backend, instance, image_id) if image_id else _free(backend, root, volume_id)
    task = {
        "ReplaceRootVolumeTaskId": f"replacevol-0{mock_random.get_random_hex(16)}",
        "InstanceId": instance.id,
        "TaskState": "pending",
        "StartTime": utcnow().isoformat(),
        "CompleteTime": None,
        "ImageId": image_id,
        "DeleteReplacedRootVolume": call._get_param("DeleteReplacedRootVolume") is True,
    }
    shelf(backend, "root_tasks", dict)[task["ReplaceRootVolumeTaskId"]] = task
    tags.write(backend, task["ReplaceRootVolumeTaskId"], wanted)
    half = SETTINGS.root_seconds / 2
    CLOCK.after(half, lambda: _swap(task, instance, root, volume, result))
    CLOCK.after(2 * half, lambda: _end(task, instance, root, result))
    return {"ReplaceRootVolumeTask": view(backend, task)}


def _present_root(backend: Any, instance: Any) -> Any:
    if instance.state != "running":
        message = f"The instance '{instance.id}' is not in the 'running' state."
        raise refuse("IncorrectInstanceState", message)
    if ".metal" in instance.instance_type and not instance.instance_type.startswith("mac"):
        raise refuse("UnsupportedOperation", f"Not for {instance.instance_type}")
    underway = shelf(backend, "root_tasks", dict).values()
    if any(it["InstanceId"] == instance.id and it["TaskState"] not in OVER for it in underway):
        raise refuse("IncorrectState", f"The root of {instance.id} is being replaced")
    device = instance.block_device_mapping.get(instance.root_device_name)
    if device is None:
        raise refuse("InvalidParameterValue", f"{instance.id} has no root volume")
    return volumes.find(backend, device.volume_id)


def _free(backend: Any, root: Any, volume_id: str) -> Any:
    volume = volumes.find(backend, volume_id)
    if volumes.state(volume) != "available":
        raise refuse("InvalidParameterValue", f"{volume.id} is not 'available'")
    if volume.zone.name != root.zone.name:
        raise refuse("InvalidParameterValue", f"{volume.id} is in another Availability Zone")
    if root.encrypted and not volume.encrypted:
        raise refuse("InvalidParameterValue", f"{root.id} is encrypted, {volume.id} is not")
    return volume


def _of_image(backend: Any, instance: Any, image_id: str) -> Any:
    (image,) = backend.describe_images(ami_ids=[image_id])
    shown, has = images.view(image), instance.boots_like
    different = [name for name in ALIKE if shown[name] != has[name]]
    if different or shown["VirtualizationType"] != "hvm":
        message = f"{image_id} differs from {instance.id} in {different or 'virtualization'}"
        raise refuse("InvalidParameterValue", message)
    (mapping,) = [
        it for it in image.block_device_mappings if it["DeviceName"] == image.root_device_name
    ]
    return volumes.make(backend, instance.placement.zone, mapping["Ebs"])


def _swap(task: View, instance: Any, root: Any, volume: Any, result: str) -> None:
    if instance.state != "running" or result == "failed":
        return
    task["TaskState"] = "in-progress"
    delete = instance.block_device_mapping[instance.root_device_name].delete_on_termination
    attachments.take(root, instance)
    if result == "succeeded":
        name = instance.root_device_name
        attachment = attachments.put(volume, instance, name, delete_on_termination=delete)
        attachment.status = "attaching"
        # The root comes first, as EC2 lists it.
        mapping = instance.block_device_mapping
        rest = {key: mapping.pop(key) for key in list(mapping) if key != name}
        mapping.update(rest)


def _end(task: View, instance: Any, root: Any, result: str) -> None:
    alive = instance.state == "running"
    task["TaskState"] = result if alive else "failed"
    task["CompleteTime"] = utcnow().isoformat()
    device = instance.block_device_mapping.get(instance.root_device_name)
    if alive and result == "succeeded" and device is not None:
        volumes.find(instance.ec2_backend, device.volume_id).attachment.status = "attached"
        instance.image_id = task["ImageId"] or instance.image_id
        if task["DeleteReplacedRootVolume"]:
            volumes.forget(root)


@answers(EC2Response)
def describe_replace_root_volume_tasks(call: Any) -> Answer:
    backend = call.ec2_backend
    ids = call._get_param("ReplaceRootVolumeTaskIds") or []
    all_tasks = shelf(backend, "root_tasks", dict).values()
    views = [view(backend, it) for it in all_tasks]
    wanted = [it for it in views if not ids or it["ReplaceRootVolumeTaskId"] in ids]
    found = matching(call, wanted, FIELDS)
    return page(call, "ReplaceRootVolumeTasks", found, at_most=MOST_PER_PAGE)
