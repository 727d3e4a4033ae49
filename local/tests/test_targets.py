"""Targets of load balancers."""

import uuid
from typing import Any

from local.tests.harness import Local, code_of, until

OTHER_PORT = 8080


def _group(aws: Local, kind: str = "instance") -> str:
    vpc = aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    name = uuid.uuid4().hex[:30]
    answer = aws.elb.create_target_group(
        Name=name, Protocol="HTTP", Port=80, VpcId=vpc, TargetType=kind
    )
    return answer["TargetGroups"][0]["TargetGroupArn"]


def _health(aws: Local, arn: str, **more: Any) -> dict[tuple[str, int], tuple[str, str | None]]:
    answer = aws.elb.describe_target_health(TargetGroupArn=arn, **more)
    return {
        (it["Target"]["Id"], it["Target"]["Port"]): (
            it["TargetHealth"]["State"],
            it["TargetHealth"].get("Reason"),
        )
        for it in answer["TargetHealthDescriptions"]
    }


# TRAP 19
def test_an_override_port_is_a_registration_of_its_own(aws: Local) -> None:
    """ "If you specified a port override when you registered a target, you must specify both the
    target ID and the port when you deregister it." """
    arn, instance = _group(aws), aws.launch()
    plain, other = {"Id": instance}, {"Id": instance, "Port": OTHER_PORT}
    aws.elb.register_targets(TargetGroupArn=arn, Targets=[plain, other])
    until(lambda: {it[0] for it in _health(aws, arn).values()} == {"healthy"})
    aws.elb.deregister_targets(TargetGroupArn=arn, Targets=[plain])
    health = _health(aws, arn)
    assert health[instance, OTHER_PORT] == ("healthy", None)
    assert health[instance, 80] == ("draining", "Target.DeregistrationInProgress")


# TRAP 21
def test_draining_ends_after_the_delay_or_with_a_registration(aws: Local) -> None:
    """ "The default value is 300 seconds"; you can register the target again."""
    arn, instance = _group(aws), aws.launch()
    wanted = {"TargetGroupArn": arn, "Targets": [{"Id": instance}]}
    aws.elb.register_targets(**wanted)
    aws.elb.deregister_targets(**wanted)
    aws.elb.register_targets(**wanted)
    assert _health(aws, arn)[instance, 80][0] in ("initial", "healthy")
    aws.elb.deregister_targets(**wanted)
    assert _health(aws, arn)[instance, 80][0] == "draining"
    until(lambda: not _health(aws, arn))


# TRAP 19, TRAP 20
def test_what_is_not_there(aws: Local) -> None:
    """ "If the specified target does not exist, the action returns successfully"; its health is
    Target.NotRegistered."""
    arn, instance = _group(aws), aws.launch(running=False)
    targets = [{"Id": instance}]
    aws.elb.deregister_targets(TargetGroupArn=arn, Targets=targets)
    health = _health(aws, arn, Targets=targets)
    assert health == {(instance, 80): ("unused", "Target.NotRegistered")}
    assert _health(aws, arn) == {}


def test_only_running_instances_are_registered(aws: Local) -> None:
    """The instance must be in the running state when you register it."""
    aws.post("settings", boot_seconds=100000)
    arn, instance = _group(aws), aws.launch(running=False)
    code = code_of(aws.elb.register_targets, TargetGroupArn=arn, Targets=[{"Id": instance}])
    assert code == "InvalidTarget"


def test_a_terminated_target_stays_unused(aws: Local) -> None:
    """Target.InvalidState: "The target is in the stopped or terminated state." """
    arn, instance = _group(aws), aws.launch()
    aws.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": instance}])
    aws.ec2.terminate_instances(InstanceIds=[instance])
    expected = {(instance, 80): ("unused", "Target.InvalidState")}
    until(lambda: _health(aws, arn) == expected)


def test_addresses_as_targets(aws: Local) -> None:
    """Target type ip: The targets are specified by IP address."""
    arn, instance = _group(aws, "ip"), aws.launch()
    address = aws.instance(instance)["PrivateIpAddress"]
    aws.elb.register_targets(TargetGroupArn=arn, Targets=[{"Id": address}])
    until(lambda: _health(aws, arn)[address, 80][0] == "healthy")
    aws.ec2.terminate_instances(InstanceIds=[instance])
    until(lambda: _health(aws, arn)[address, 80][0] == "unhealthy")
