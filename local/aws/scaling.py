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
from moto.ec2.models import ec2_backends
from moto.elbv2.models import elbv2_backends

from local.aws import events, instances, launch, spot, tags, templates
from local.aws.clock import CLOCK
from local.aws.patch import shelf

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
        serves(group, instance_id)
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


def serves(group: Group, instance_id: str) -> None:
    instance = ec2().get_instance_by_id(instance_id)
    if instance_id not in group.members or instance.state != "running":
        return
    group.members[instance_id] = "InService"
    for it in target_groups_of(group):
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
    leave(group, instance_id)
    instances.end(ec2().get_instance_by_id(instance_id), instances.BY_USER)


def _warned(instance: Any) -> None:
    group = group_of(instance.id)
    if group is not None and group.rebalance:
        group.at_risk.add(instance.id)
        CLOCK.after(NOTICE_SECONDS, lambda: look(group))


def target_groups_of(group: Group) -> list[Any]:
    backend = elbv2_backends[events.ACCOUNT][events.REGION]
    return [backend.target_groups[it] for it in group.target_groups]


def leave(group: Group, instance_id: str) -> None:
    for it in target_groups_of(group):
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
