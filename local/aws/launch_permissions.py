"""Which permissions a launch needs.

AWS: RunInstances is checked on everything the instance is made of, and a fleet launches in the name of
its creator: CreateFleet on the fleet and its templates, and RunInstances on the rest
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-prerequisites.html), the template once
more included (karpenter-provider-aws issue 1488 shows the refusal); an instance profile
needs iam:PassRole on its role, with `iam:PassedToService`
(https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_use_passrole.html). A template resolved
inside the call counts as if the caller had written it out.
"""

from collections.abc import Iterator
from typing import Any

from moto.iam.models import iam_backends

from local.aws import fleet, launch, licenses, requirements, templates
from local.aws.requirements import Need, Request

SERVICE = {"iam:passedtoservice": ["ec2.amazonaws.com"]}


def fleet_needs(request: Request) -> Iterator[Need]:
    tags = request.requested("instance")
    yield from request.making("fleet", request.requested("fleet"))
    for config in request.get("LaunchTemplateConfigs") or []:
        wanted = config.get("LaunchTemplateSpecification") or {}
        template = requirements.template_id(request, wanted)
        yield from request.on(template)
        yield from request.on(template, action="RunInstances")
        version = templates.resolve(request.backend, wanted)
        yield from request.making("instance", tags)
        for override in config.get("Overrides") or [{}]:
            given = {name: it for name, it in override.items() if name in fleet.OVERRIDES}
            yield from _launch(request, templates.overlaid(version.data, given), tags)
    market = request.get("TargetCapacitySpecification") or {}
    if market.get("DefaultTargetCapacityType") == "spot":
        yield from request.making("spot-instances-request", {}, "RunInstances")


def run_needs(request: Request) -> Iterator[Need]:
    data = request.call._get_params()
    wanted = request.get("LaunchTemplate")
    if wanted:
        yield from request.on(requirements.template_id(request, wanted))
        version = templates.resolve(request.backend, wanted)
        data = templates.overlaid(version.data, data)
    yield from _launch(request, data, request.requested("instance"))
    if data.get("InstanceMarketOptions"):
        yield from request.making("spot-instances-request", {}, "RunInstances")


def _launch(request: Request, data: dict[str, Any], tags: dict[str, str]) -> Iterator[Need]:
    specified = data.get("TagSpecifications")
    all_tags = requirements.in_specifications(specified, "instance") | tags
    yield from request.making("instance", all_tags, "RunInstances")
    volume_tags = requirements.in_specifications(specified, "volume")
    yield from request.making("volume", volume_tags, "RunInstances")
    interface_tags = requirements.in_specifications(specified, "network-interface")
    for interface in data.get("NetworkInterfaces") or [{}]:
        if not interface.get("NetworkInterfaceId"):
            yield from request.making("network-interface", interface_tags, "RunInstances")
    for kind, resource in _parts(request.backend, data):
        held = request.backend.tags.get(resource, {})
        context = {f"aws:resourcetag/{key}": [value] for key, value in held.items()}
        yield Need("ec2:RunInstances", request.arn(kind, resource), context)
    for arn in licenses.named(data):
        yield Need("ec2:RunInstances", arn)
    yield from _profile(request, data.get("IamInstanceProfile") or {})


def _parts(backend: Any, data: dict[str, Any]) -> Iterator[tuple[str, str]]:
    yield "image", data.get("ImageId") or ""
    yield "subnet", launch.subnet_of(backend, data).id
    if data.get("KeyName"):
        yield "key-pair", data["KeyName"]
    placement = data.get("Placement") or {}
    if placement.get("GroupId") or placement.get("GroupName"):
        yield "placement-group", placement.get("GroupId") or placement["GroupName"]
    interfaces = data.get("NetworkInterfaces") or []
    for group in data.get("SecurityGroupIds") or []:
        yield "security-group", group
    for existing in (it["NetworkInterfaceId"] for it in interfaces if it.get("NetworkInterfaceId")):
        yield "network-interface", existing
    for group in (it for nic in interfaces for it in nic.get("Groups") or []):
        yield "security-group", group
    for mapping in data.get("BlockDeviceMappings") or []:
        snapshot = (mapping.get("Ebs") or {}).get("SnapshotId")
        if snapshot:
            yield "snapshot", snapshot


def _profile(request: Request, given: dict[str, Any]) -> Iterator[Need]:
    name = given.get("Name") or (given.get("Arn") or "").rsplit("/", 1)[-1]
    profiles = iam_backends[request.backend.account_id]["aws"].instance_profiles.values()
    for profile in (it for it in profiles if name and it.name == name):
        for role in profile.roles:
            yield Need("iam:PassRole", role.arn, SERVICE)


TOUCHED = {"CreateFleet": fleet_needs, "RunInstances": run_needs}
