"""CreateFleet of type `instant`, and of type `maintain` as far as it goes (see `fleets`).

AWS: one synchronous attempt; what could not be launched is in `Errors` of a 200, per pool
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/instant-fleet.html); the template must not bring
market options, the fleet has its own; overrides name type, subnet and image per pool; the default
type, `maintain`, would relaunch for ever
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateFleet.html). moto launches the cheapest
pool whatever happens, without the template's devices, groups and profile.

A pool named twice, which two subnets of one zone do, fails the whole request: "InvalidFleetConfig: The
fleet configuration contains duplicate instance pools"
(https://github.com/aws-samples/aws-plugin-for-slurm/issues/19).

At most three pools are tried; the others answer `UnfulfillableCapacity` untried (seen by users, once).

Not verified on AWS: the error code for market options, and that every error of a launch, not only of
capacity, is told in `Errors`.
"""

import math
from dataclasses import dataclass
from typing import Any

from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_fleet_id

from local.aws import launch, launch_tokens, refusals, selection, tags, templates
from local.aws.patch import Answer, answers, refuse, shelf

#: pools that one fleet tries
TRIES = 3
UNTRIED = "UnfulfillableCapacity"
#: what an override may say about a launch
OVERRIDES = (
    "BlockDeviceMappings",
    "IamInstanceProfile",
    "ImageId",
    "InstanceType",
    "KeyName",
    "MetadataOptions",
    "Placement",
    "SubnetId",
)


@dataclass
class Pool:
    """One place to try: a template version and an override."""

    version: Any
    overrides: dict[str, Any]

    def described(self) -> Answer:
        template = self.version.template
        specification = {"LaunchTemplateId": template.id, "Version": str(self.version.number)}
        return {"LaunchTemplateSpecification": specification, "Overrides": self.overrides}


@dataclass
class Fleet:
    id: str
    pools: list[Pool]
    instance_tags: dict[str, str]
    volume_tags: dict[str, str]
    kind: str = "instant"
    size: int = 0
    tried: int = 0


def known(backend: Any) -> dict[str, Fleet]:
    return shelf(backend, "fleets", dict)


@answers(EC2Response, refusals.check)
def create_fleet(call: Any) -> Answer:
    return launch_tokens.once(call, lambda: _create(call))


def _create(call: Any) -> Answer:
    refusals.check(call)
    backend = call.ec2_backend
    kind = call._get_param("Type") or "maintain"
    if kind not in ("instant", "maintain"):
        raise refuse("UnsupportedOperation", f"The local AWS has no fleets of type {kind}")
    fleet = Fleet(
        id=random_fleet_id(),
        pools=_pools(backend, call._get_param("LaunchTemplateConfigs") or []),
        instance_tags=tags.requested(call, "instance"),
        volume_tags=tags.requested(call, "volume"),
        kind=kind,
    )
    known(backend)[fleet.id] = fleet
    tags.write(backend, fleet.id, tags.requested(call, "fleet"))
    launched: list[Answer] = []
    errors: list[Answer] = []
    for market in _markets(call._get_param("TargetCapacitySpecification") or {}):
        fleet.size += 1
        launched += fill(backend, fleet, market, errors)
    return {"FleetId": fleet.id, "Instances": launched, "Errors": errors}


def _pools(backend: Any, configs: list[dict[str, Any]]) -> list[Pool]:
    pools = []
    for config in configs:
        version = templates.resolve(backend, config.get("LaunchTemplateSpecification") or {})
        overrides = config.get("Overrides") or [{}]
        pools += [Pool(version, it) for one in overrides for it in selection.expanded(one)]
    if not pools:
        raise refuse("MissingParameter", "A launch template is needed")
    _check_distinct(backend, pools)
    return sorted(pools, key=_rank)


def _rank(pool: Pool) -> float:
    """The lower the number, the higher the priority; without one comes last."""
    priority = pool.overrides.get("Priority")
    return math.inf if priority is None else float(priority)


def _check_distinct(backend: Any, pools: list[Pool]) -> None:
    """Two subnets of one zone are one pool, named twice."""
    named = [
        (
            backend.get_subnet(it.overrides["SubnetId"]).availability_zone,
            it.overrides["InstanceType"],
        )
        for it in pools
        if it.overrides.get("SubnetId") and it.overrides.get("InstanceType")
    ]
    if len(set(named)) < len(named):
        message = "The fleet configuration contains duplicate instance pools."
        raise refuse("InvalidFleetConfig", message)


def _markets(capacity: dict[str, Any]) -> list[str]:
    """One entry per instance wanted."""
    total = int(capacity.get("TotalTargetCapacity") or 0)
    spot = int(capacity.get("SpotTargetCapacity") or 0)
    on_demand = int(capacity.get("OnDemandTargetCapacity") or 0)
    default = capacity.get("DefaultTargetCapacityType") or "on-demand"
    return [
        *["spot"] * spot,
        *["on-demand"] * on_demand,
        *[default] * max(total - spot - on_demand, 0),
    ]


def fill(backend: Any, fleet: Fleet, market: str, errors: list[Answer]) -> list[Answer]:
    """One instance from the first pool that has it."""
    for pool in fleet.pools:
        asked = {"LaunchTemplateAndOverrides": pool.described(), "Lifecycle": market}
        try:
            instance = _try(backend, fleet, pool, market)
        except EC2ClientError as error:
            errors.append(asked | {"ErrorCode": error.code, "ErrorMessage": error.message})
            continue
        made = {"InstanceIds": [instance.id], "InstanceType": instance.instance_type}
        return [asked | made]
    return []


def _try(backend: Any, fleet: Fleet, pool: Pool, market: str) -> Any:
    """The instance, if this pool is one of those that are tried, and has it."""
    if fleet.tried == TRIES:
        raise refuse(UNTRIED, refusals.text(UNTRIED))
    fleet.tried += 1
    (instance,) = launch.start(backend, _launch(fleet, pool, market)).instances
    return instance


def _launch(fleet: Fleet, pool: Pool, market: str) -> launch.Launch:
    template = pool.version.data
    if template.get("InstanceMarketOptions"):
        message = "A launch template with InstanceMarketOptions cannot be used for a fleet"
        raise refuse("InvalidFleetConfiguration", message)
    overrides = {name: it for name, it in pool.overrides.items() if name in OVERRIDES}
    specifications = template.get("TagSpecifications") or []
    return launch.Launch(
        data=_with_subnet(templates.overlaid(template, overrides)),
        market=market,
        block_devices=[
            template.get("BlockDeviceMappings"),
            overrides.get("BlockDeviceMappings"),
        ],
        instance_tags=tags.in_specifications(specifications, "instance") | fleet.instance_tags,
        volume_tags=tags.in_specifications(specifications, "volume") | fleet.volume_tags,
        interface_tags=tags.in_specifications(specifications, "network-interface"),
        reserved_tags=templates.reserved_tags(pool.version) | {"aws:ec2:fleet-id": fleet.id},
    )


def _with_subnet(data: dict[str, Any]) -> dict[str, Any]:
    """A subnet of the override goes into the template's interface, if it has one."""
    interfaces = data.get("NetworkInterfaces") or []
    if not interfaces or not data.get("SubnetId"):
        return data
    first = {**interfaces[0], "SubnetId": data["SubnetId"]}
    rest = {name: it for name, it in data.items() if name != "SubnetId"}
    return rest | {"NetworkInterfaces": [first, *interfaces[1:]]}
