"""The calls of Auto Scaling: each changes a group, which then does the rest by itself (`scaling`)."""

from typing import Any

from moto.autoscaling.exceptions import ValidationError
from moto.autoscaling.responses import AutoScalingResponse

from local.aws import tags
from local.aws.clock import CLOCK
from local.aws.patch import Answer, answers
from local.aws.scaling import (
    HEARTBEAT_SECONDS,
    LAUNCHING,
    MEMBER,
    Group,
    ec2,
    group_of,
    groups,
    leave,
    look,
    named,
    serves,
    target_groups_of,
)


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
        leave(group, it)
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
        for targets in target_groups_of(group):
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
        CLOCK.after(1, lambda: serves(group, it))
    return {}


def _true(value: Any) -> bool:
    return value is True or str(value).lower() == "true"
