"""Auto Scaling groups.

AWS: a group launches until it has as many as it should. Without Capacity Rebalancing it replaces an
interrupted member only once that has ended and its health check has failed; with it, at the notice, and it
ends the member at risk once the new one is in service
(https://docs.aws.amazon.com/autoscaling/ec2/userguide/ec2-auto-scaling-capacity-rebalancing.html). A launch
hook holds a new member in `Pending:Wait`; its default result, ABANDON, ends it
(https://docs.aws.amazon.com/autoscaling/ec2/userguide/lifecycle-hooks.html). Detaching takes the group's tag
away; without a decrement the group launches at once; attaching raises the desired capacity, within the
maximum (https://docs.aws.amazon.com/autoscaling/ec2/userguide/detach-instance-asg.html,
https://docs.aws.amazon.com/autoscaling/ec2/userguide/attach-instance-asg.html). moto launches in the instant
of the call, past every rule of this package, knows no CompleteLifecycleAction, and sends no event.

Simplified: one zone after the other, one health check, scale-in only of members at risk. Messages of
ValidationError are AWS's as far as they are known; those about sizes are guessed.
"""

from dataclasses import dataclass, field
from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.models import autoscaling_backends
from moto.autoscaling.responses import AutoScalingResponse
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

from local.aws import events, instances, launch, spot, tags, templates
from local.aws.clock import CLOCK
from local.aws.patch import Answer, answers, shelf

MEMBER = "aws:autoscaling:groupName"
LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
HEALTH_CHECK_SECONDS = 30
NOTICE_SECONDS = 2
HEARTBEAT_SECONDS = 3600
COUNTED = ("Pending", "Pending:Wait", "Pending:Proceed", "InService")


@dataclass
class Group:
    """A group, by the names AWS gives its properties."""

    name: str
    template: dict[str, Any]
    least: int
    most: int
    desired: int
    subnets: list[str]
    target_groups: list[str]
    rebalance: bool
    tags: list[dict[str, Any]]
    hooks: list[str] = field(default_factory=list)
    members: dict[str, str] = field(default_factory=dict)
    waiting: dict[str, set[str]] = field(default_factory=dict)
    at_risk: set[str] = field(default_factory=set)

    @property
    def arn(self) -> str:
        owner = f"arn:aws:autoscaling:{events.REGION}:{events.ACCOUNT}"
        return f"{owner}:autoScalingGroup:00000000-0000:autoScalingGroupName/{self.name}"

    def counted(self) -> list[str]:
        return [
            it for it, state in self.members.items() if state in COUNTED and it not in self.at_risk
        ]

    def drop(self, instance_id: str) -> None:
        self.members.pop(instance_id, None)
        self.waiting.pop(instance_id, None)
        self.at_risk.discard(instance_id)


def groups() -> dict[str, Group]:
    return shelf(autoscaling_backends[events.ACCOUNT][events.REGION], "groups", dict)


def ec2() -> Any:
    return ec2_backends[events.ACCOUNT][events.REGION]


def group_of(instance_id: str) -> Group | None:
    return next((it for it in groups().values() if instance_id in it.members), None)


def named(call: Any) -> Group:
    group = groups().get(call._get_param("AutoScalingGroupName"))
    if group is None:
        raise ValidationError("AutoScalingGroup name not found")
    return group


def tags_of(call: Any) -> tuple[str, dict[str, str]] | None:
    """ARN and tags of the group a call names, for the check of permissions."""
    group = groups().get(call._get_param("AutoScalingGroupName"))
    return group and (group.arn, {it["Key"]: it.get("Value", "") for it in group.tags})


# --- what a group does by itself ----------------------------------------------------------------


def look(group: Group) -> None:
    """Compares its members with its desired capacity."""
    while len(group.counted()) < group.desired:
        _launch(group)


def _launch(group: Group) -> None:
    backend = ec2()
    version = templates.resolve(backend, group.template)
    specifications = version.data.get("TagSpecifications") or []
    propagated = {it["Key"]: it["Value"] for it in group.tags if it.get("PropagateAtLaunch")}
    subnet = group.subnets[len(group.members) % len(group.subnets)]
    reservation = launch.start(
        backend,
        launch.Launch(
            data={**version.data, "SubnetId": subnet},
            market="spot",
            block_devices=[version.data.get("BlockDeviceMappings")],
            instance_tags=tags.in_specifications(specifications, "instance") | propagated,
            reserved_tags=templates.reserved_tags(version) | {MEMBER: group.name},
        ),
    )
    for it in reservation.instances:
        group.members[it.id] = "Pending"


def _entered(instance: Any, state: str) -> None:
    group = group_of(instance.id)
    if group is None:
        return
    if state == "running" and group.members[instance.id] == "Pending":
        _runs(group, instance.id)
    elif state in ("shutting-down", "stopping"):
        CLOCK.after(HEALTH_CHECK_SECONDS, lambda: _unhealthy(group, instance.id))


def _runs(group: Group, instance_id: str) -> None:
    if not group.hooks:
        _serves(group, instance_id)
        return
    group.members[instance_id] = "Pending:Wait"
    group.waiting[instance_id] = set(group.hooks)
    for hook in group.hooks:
        detail = {
            "LifecycleActionToken": "87654321-4321-4321-4321-210987654321",
            "AutoScalingGroupName": group.name,
            "LifecycleHookName": hook,
            "EC2InstanceId": instance_id,
            "LifecycleTransition": LAUNCHING,
            "Origin": "EC2",
            "Destination": "AutoScalingGroup",
        }
        _emit("EC2 Instance-launch Lifecycle Action", group, detail)
    CLOCK.after(HEARTBEAT_SECONDS, lambda: _abandon(group, instance_id))


def _serves(group: Group, instance_id: str) -> None:
    instance = ec2().get_instance_by_id(instance_id)
    if instance_id not in group.members or instance.state != "running":
        return
    group.members[instance_id] = "InService"
    for it in _target_groups(group):
        it.register([{"Id": instance_id}])
    detail = {
        "StatusCode": "InProgress",
        "AutoScalingGroupName": group.name,
        "ActivityId": "87654321-4321-4321-4321-210987654321",
        "Details": {
            "Availability Zone": instance.placement.zone,
            "Subnet ID": instance.subnet_id,
        },
        "EC2InstanceId": instance_id,
        "Cause": "an instance was started in response to a difference between desired and actual",
        "Origin": "EC2",
        "Destination": "AutoScalingGroup",
    }
    _emit("EC2 Instance Launch Successful", group, detail)
    for outgoing in list(group.at_risk)[:1]:
        _end(group, outgoing)


def _abandon(group: Group, instance_id: str) -> None:
    if instance_id in group.waiting:
        _end(group, instance_id)
        look(group)


def _unhealthy(group: Group, instance_id: str) -> None:
    if instance_id in group.members:
        _end(group, instance_id)
        look(group)


def _end(group: Group, instance_id: str) -> None:
    group.drop(instance_id)
    _leave(group, instance_id)
    instances.end(ec2().get_instance_by_id(instance_id), instances.BY_USER)


def _warned(instance: Any) -> None:
    group = group_of(instance.id)
    if group is not None and group.rebalance:
        group.at_risk.add(instance.id)
        CLOCK.after(NOTICE_SECONDS, lambda: look(group))


def _target_groups(group: Group) -> list[Any]:
    backend = elbv2_backends[events.ACCOUNT][events.REGION]
    return [backend.target_groups[it] for it in group.target_groups]


def _leave(group: Group, instance_id: str) -> None:
    for it in _target_groups(group):
        it.deregister([{"Id": instance_id}])


def _emit(detail_type: str, group: Group, detail: dict[str, Any]) -> None:
    event = {
        "source": "aws.autoscaling",
        "detail-type": detail_type,
        "resources": [group.arn],
        "detail": detail,
    }
    events.deliver(event)


instances.LISTENERS.append(_entered)
spot.LISTENERS.append(_warned)


# --- what it is asked to ------------------------------------------------------------------------


@answers(AutoScalingResponse)
def create_auto_scaling_group(call: Any) -> Answer:
    get = call._get_param
    group = Group(
        name=get("AutoScalingGroupName"),
        template=get("LaunchTemplate"),
        least=int(get("MinSize")),
        most=int(get("MaxSize")),
        desired=int(get("DesiredCapacity") or get("MinSize")),
        subnets=str(get("VPCZoneIdentifier")).split(","),
        target_groups=list(get("TargetGroupARNs") or []),
        rebalance=bool(get("CapacityRebalance")),
        tags=[dict(it) for it in get("Tags") or []],
    )
    groups()[group.name] = group
    look(group)
    return {}


@answers(AutoScalingResponse)
def update_auto_scaling_group(call: Any) -> Answer:
    group = named(call)
    for name, attribute in (
        ("MinSize", "least"),
        ("MaxSize", "most"),
        ("DesiredCapacity", "desired"),
    ):
        if call._get_param(name) is not None:
            setattr(group, attribute, int(call._get_param(name)))
    look(group)
    return {}


@answers(AutoScalingResponse)
def describe_auto_scaling_groups(call: Any) -> Answer:
    wanted = call._get_param("AutoScalingGroupNames")
    found = [it for it in groups().values() if not wanted or it.name in wanted]
    return {"AutoScalingGroups": [_view(it) for it in found]}


def _view(group: Group) -> dict[str, Any]:
    zones = {ec2().get_subnet(it).availability_zone for it in group.subnets}
    sources = [{"Identifier": it, "Type": "elbv2"} for it in group.target_groups]
    return {
        "AutoScalingGroupName": group.name,
        "AutoScalingGroupARN": group.arn,
        "MinSize": group.least,
        "MaxSize": group.most,
        "DesiredCapacity": group.desired,
        "AvailabilityZones": sorted(zones),
        "VPCZoneIdentifier": ",".join(group.subnets),
        "TargetGroupARNs": group.target_groups,
        "TrafficSources": sources,
        "CapacityRebalance": group.rebalance,
        "SuspendedProcesses": [],
        "Instances": [_member(it, state) for it, state in group.members.items()],
        "Tags": [
            {**it, "ResourceId": group.name, "ResourceType": "auto-scaling-group"}
            for it in group.tags
        ],
    }


def _member(instance_id: str, state: str) -> dict[str, Any]:
    instance = ec2().get_instance_by_id(instance_id)
    return {
        "InstanceId": instance_id,
        "InstanceType": instance.instance_type,
        "AvailabilityZone": instance.placement.zone,
        "LifecycleState": state,
        "HealthStatus": "Healthy",
        "ProtectedFromScaleIn": False,
    }


@answers(AutoScalingResponse)
def detach_instances(call: Any) -> Answer:
    group = named(call)
    decrement = _true(call._get_param("ShouldDecrementDesiredCapacity"))
    ids = list(call._get_param("InstanceIds") or [])
    for it in ids:
        if it not in group.members:
            message = f"The instance {it} is not part of Auto Scaling group {group.name}."
            raise ValidationError(message)
        if group.members[it] not in ("InService", "Standby"):
            raise ValidationError(f"The instance {it} is not in InService or Standby.")
    if decrement and group.desired - len(ids) < group.least:
        raise ValidationError("The desired capacity would be below the minimum size.")
    for it in ids:
        group.drop(it)
        _leave(group, it)
        ec2().tags.get(it, {}).pop(MEMBER, None)
    group.desired -= len(ids) if decrement else 0
    CLOCK.after(1, lambda: look(group))
    return {"Activities": []}


@answers(AutoScalingResponse)
def attach_instances(call: Any) -> Answer:
    group = named(call)
    ids = list(call._get_param("InstanceIds") or [])
    zones = {ec2().get_subnet(it).availability_zone for it in group.subnets}
    for it in ids:
        other, instance = group_of(it), ec2().get_instance_by_id(it)
        if other is not None:
            raise ValidationError(f"Instance {it} is already part of AutoScalingGroup:{other.name}")
        if instance is None or instance.state != "running":
            raise ValidationError(
                f"Instance {it} is not in correct state. Instance must be running"
            )
        if instance.placement.zone not in zones:
            raise ValidationError(f"Instance {it} is not in an Availability Zone of the group")
    if group.desired + len(ids) > group.most:
        raise ValidationError("The desired capacity would be above the maximum size.")
    group.desired += len(ids)
    for it in ids:
        group.members[it] = "InService"
        tags.write(ec2(), it, {MEMBER: group.name})
        for targets in _target_groups(group):
            targets.register([{"Id": it}])
    return {}


@answers(AutoScalingResponse)
def put_lifecycle_hook(call: Any) -> Answer:
    group = named(call)
    if call._get_param("LifecycleTransition") == LAUNCHING:
        group.hooks.append(call._get_param("LifecycleHookName"))
    return {}


@answers(AutoScalingResponse)
def describe_lifecycle_hooks(call: Any) -> Answer:
    group = named(call)
    hooks = [
        {
            "LifecycleHookName": it,
            "AutoScalingGroupName": group.name,
            "LifecycleTransition": LAUNCHING,
            "HeartbeatTimeout": HEARTBEAT_SECONDS,
            "DefaultResult": "ABANDON",
        }
        for it in group.hooks
    ]
    return {"LifecycleHooks": hooks}


@answers(AutoScalingResponse)
def complete_lifecycle_action(call: Any) -> Answer:
    group, it = named(call), call._get_param("InstanceId")
    hook = call._get_param("LifecycleHookName")
    if hook not in group.waiting.get(it, set()):
        raise ValidationError(f"No active Lifecycle Action found with instance ID {it}")
    group.waiting[it].discard(hook)
    if not group.waiting[it]:
        del group.waiting[it]
        group.members[it] = "Pending:Proceed"
        CLOCK.after(1, lambda: _serves(group, it))
    return {}


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
