"""Which permissions a call needs: its action on every resource it touches.

AWS: the resource types of each action are in the Service Authorization Reference
(https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonec2.html). Tagging at
creation is CreateTags on the new resource, with `ec2:CreateAction`; a fleet launches with RunInstances;
an instance profile needs iam:PassRole; GetLaunchTemplateData describes in the caller's name. Snapshots
and images have no account in their ARNs. What is gone has no tags, so a condition on them does not hold
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html):
the call is refused with 403, and the answer does not say that nothing is found. Of a launch template only its id
tells the ARN; by a name that nothing has, nothing is asked about.

Actions that are not listed here are asked for on "*".
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from local.aws import bin, sharing, templates

WITHOUT_ACCOUNT = ("image", "snapshot")
NEW = "new"
KINDS = {
    "ami": "image",
    "eipalloc": "elastic-ip",
    "eni": "network-interface",
    "fleet": "fleet",
    "i": "instance",
    "lt": "launch-template",
    "sir": "spot-instances-request",
    "replacevol": "replace-root-volume-task",
    "snap": "snapshot",
    "vol": "volume",
}
DESCRIBED_FOR_TEMPLATES = (
    "DescribeInstanceAttribute",
    "DescribeInstanceCreditSpecifications",
    "DescribeSpotInstanceRequests",
    "DescribeVolumes",
)


@dataclass
class Need:
    action: str
    arn: str = "*"
    context: dict[str, list[str]] = field(default_factory=dict)


class Request:
    """A call to EC2, as the resources it touches."""

    def __init__(self, call: Any) -> None:
        self.call = call
        self.backend = call.ec2_backend
        self.name = call._get_action()

    def get(self, name: str) -> Any:
        return self.call._get_param(name)

    def arn(self, kind: str, resource_id: str) -> str:
        owner = sharing.owner(self.backend, resource_id)
        account = "" if kind in WITHOUT_ACCOUNT else owner
        return f"arn:aws:ec2:{self.backend.region_name}:{account}:{kind}/{resource_id}"

    def on(
        self,
        resource_id: str | None,
        tags: dict[str, str] | None = None,
        action: str | None = None,
    ) -> Iterator[Need]:
        """The action on a resource that exists."""
        if not resource_id:
            return
        kind = KINDS.get(resource_id.rsplit("-", 1)[0], "unknown")
        held = self.backend.tags.get(resource_id) or bin.tags(self.backend, resource_id)
        context = _tags("resource", held) | _given(tags)
        yield Need(f"ec2:{action or self.name}", self.arn(kind, resource_id), context)

    def making(self, kind: str, tags: dict[str, str], action: str | None = None) -> Iterator[Need]:
        """The action on a resource to be, and its tags."""
        arn = self.arn(kind, NEW)
        yield Need(f"ec2:{action or self.name}", arn, _given(tags))
        if tags:
            created_by = {"ec2:createaction": [action or self.name]}
            yield Need("ec2:CreateTags", arn, _given(tags) | created_by)

    def requested(self, kind: str) -> dict[str, str]:
        return in_specifications(self.get("TagSpecifications"), kind)


def in_specifications(specifications: list[dict[str, Any]] | None, kind: str) -> dict[str, str]:
    return {
        tag["Key"]: tag.get("Value") or ""
        for it in specifications or []
        if it.get("ResourceType") == kind
        for tag in it.get("Tags") or []
    }


def _tags(of: str, tags: dict[str, str]) -> dict[str, list[str]]:
    names = (f"aws:{of}tag", f"ec2:{of}tag") if of == "resource" else (f"aws:{of}tag",)
    return {f"{name}/{key}": [value] for name in names for key, value in tags.items()}


def _given(tags: dict[str, str] | None) -> dict[str, list[str]]:
    return _tags("request", tags) | {"aws:tagkeys": list(tags)} if tags else {}


def _tagged(request: Request) -> Iterator[Need]:
    tags = {it["Key"]: it.get("Value") or "" for it in request.get("Tags") or []}
    for resource in request.get("Resources") or []:
        yield from request.on(resource, tags)


def _untagged(request: Request) -> Iterator[Need]:
    """Only keys count here. Without any, all tags go: a condition on the keys then sees none."""
    keys = [it["Key"] for it in request.get("Tags") or []]
    for resource in request.get("Resources") or []:
        for need in request.on(resource):
            need.context |= {"aws:tagkeys": keys} if keys else {}
            yield need


def _modified(request: Request) -> Iterator[Need]:
    yield from request.on(request.get("InstanceId"))
    instance = request.backend.get_instance_by_id(request.get("InstanceId"))
    for mapping in request.get("BlockDeviceMappings") or []:
        device = instance and instance.block_device_mapping.get(mapping["DeviceName"])
        yield from request.on(device and device.volume_id)


def _snapshot_set(request: Request) -> Iterator[Need]:
    instance_id = (request.get("InstanceSpecification") or {}).get("InstanceId")
    yield from request.on(instance_id)
    instance = request.backend.get_instance_by_id(instance_id)
    for device in instance.block_device_mapping.values() if instance else []:
        yield from request.on(device.volume_id)
    yield from request.making("snapshot", request.requested("snapshot"))


def _named(*parameters: str) -> Callable[[Request], Iterator[Need]]:
    def touched(request: Request) -> Iterator[Need]:
        for parameter in parameters:
            value = request.get(parameter)
            for resource in value if isinstance(value, list) else [value]:
                yield from request.on(resource)

    return touched


def _made(kind: str, *parameters: str) -> Callable[[Request], Iterator[Need]]:
    def touched(request: Request) -> Iterator[Need]:
        yield from _named(*parameters)(request)
        yield from request.making(kind, request.requested(kind))

    return touched


def template_id(request: Request, wanted: dict[str, Any]) -> str:
    return str(wanted.get("LaunchTemplateId") or templates.find(request.backend, wanted).id)


def _template(request: Request) -> Iterator[Need]:
    yield from request.on(template_id(request, request.call._get_params()))


def _template_data(request: Request) -> Iterator[Need]:
    yield from request.on(request.get("InstanceId"))
    for action in DESCRIBED_FOR_TEMPLATES:
        yield Need(f"ec2:{action}")


def _root_task(request: Request) -> Iterator[Need]:
    """Which volume is meant is not documented: here the one that is named, or the one that is made."""
    kind = "replace-root-volume-task"
    yield from request.on(request.get("InstanceId"))
    yield from request.making(kind, request.requested(kind))
    yield from request.on(request.get("VolumeId"))
    yield from request.on(request.get("ImageId"))
    image = request.backend.amis.get(request.get("ImageId") or "")
    if image is not None:
        yield from request.on(image.ebs_snapshot.id)
        yield from request.making("volume", {})


def _image(request: Request) -> Iterator[Need]:
    for mapping in request.get("BlockDeviceMappings") or []:
        yield from request.on((mapping.get("Ebs") or {}).get("SnapshotId"))
    yield from request.making("image", request.requested("image"))


TOUCHED: dict[str, Callable[[Request], Iterator[Need]]] = {
    "AssignPrivateIpAddresses": _named("NetworkInterfaceId"),
    "AssociateAddress": _named("AllocationId", "NetworkInterfaceId", "InstanceId"),
    "AttachNetworkInterface": _named("NetworkInterfaceId", "InstanceId"),
    "CancelSpotInstanceRequests": _named("SpotInstanceRequestIds"),
    "AttachVolume": _named("VolumeId", "InstanceId"),
    "CreateLaunchTemplate": _made("launch-template"),
    "CreateLaunchTemplateVersion": _template,
    "CreateReplaceRootVolumeTask": _root_task,
    "CreateSnapshot": _made("snapshot", "VolumeId"),
    "CreateSnapshots": _snapshot_set,
    "CreateTags": _tagged,
    "CopyVolumes": _made("volume", "SourceVolumeId"),
    "CreateVolume": _made("volume", "SnapshotId"),
    "DeleteLaunchTemplate": _template,
    "DeleteLaunchTemplateVersions": _template,
    "DeleteSnapshot": _named("SnapshotId"),
    "DeleteTags": _untagged,
    "DeleteNetworkInterface": _named("NetworkInterfaceId"),
    "DeleteVolume": _named("VolumeId"),
    "DeregisterImage": _named("ImageId"),
    "DetachVolume": _named("VolumeId", "InstanceId"),
    "RestoreVolumeFromRecycleBin": _named("VolumeId"),
    "GetInstanceUefiData": _named("InstanceId"),
    "GetLaunchTemplateData": _template_data,
    "ModifyInstanceAttribute": _modified,
    "ModifyLaunchTemplate": _template,
    "ModifyNetworkInterfaceAttribute": _named("NetworkInterfaceId"),
    "RegisterImage": _image,
    "TerminateInstances": _named("InstanceIds"),
}
