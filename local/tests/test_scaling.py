"""Auto Scaling groups do by themselves what AWS says, and refuse what it refuses."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.tests.harness import REGION, Local, until

GROUP = "web"


@pytest.fixture
def group(aws: Local) -> Any:
    ec2, scaling = aws.ec2, aws.client("autoscaling")
    vpc = ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    subnet = ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24", AvailabilityZone=f"{REGION}a")
    image = ec2.describe_images(Owners=["amazon"])["Images"][0]["ImageId"]
    template = ec2.create_launch_template(
        LaunchTemplateName=f"members-{vpc}",
        LaunchTemplateData={"ImageId": image, "InstanceType": "m5.large"},
    )["LaunchTemplate"]["LaunchTemplateId"]
    scaling.create_auto_scaling_group(
        AutoScalingGroupName=GROUP,
        LaunchTemplate={"LaunchTemplateId": template},
        MinSize=1,
        MaxSize=1,
        VPCZoneIdentifier=subnet["Subnet"]["SubnetId"],
        Tags=[{"Key": "spot-rescue", "Value": "on", "PropagateAtLaunch": True}],
    )
    until(lambda: members(scaling, "InService"))
    return scaling


def members(scaling: Any, state: str) -> list[str]:
    (group,) = scaling.describe_auto_scaling_groups()["AutoScalingGroups"]
    return [it["InstanceId"] for it in group["Instances"] if it["LifecycleState"] == state]


def refused(call: Any, **arguments: Any) -> str:
    with pytest.raises(ClientError) as error:
        call(**arguments)
    assert error.value.response["Error"]["Code"] == "ValidationError"
    return str(error.value.response["Error"]["Message"])


def test_a_detached_member_is_replaced_and_loses_the_groups_tag(aws: Local, group: Any) -> None:
    """ "If you don't decrement the desired capacity, ... launches new instances to replace" """
    (member,) = members(group, "InService")
    detach = {"AutoScalingGroupName": GROUP, "InstanceIds": [member]}
    too_small = refused(group.detach_instances, ShouldDecrementDesiredCapacity=True, **detach)
    assert "minimum" in too_small
    group.detach_instances(ShouldDecrementDesiredCapacity=False, **detach)
    until(lambda: members(group, "InService") not in ([], [member]))
    again = refused(group.detach_instances, ShouldDecrementDesiredCapacity=False, **detach)
    assert "is not part of Auto Scaling group" in again
    reservations = aws.ec2.describe_instances(InstanceIds=[member])["Reservations"]
    tags = {it["Key"] for it in reservations[0]["Instances"][0]["Tags"]}
    assert "spot-rescue" in tags and "aws:autoscaling:groupName" not in tags


def test_attaching_goes_as_far_as_the_maximum_size(aws: Local, group: Any) -> None:
    """ "the desired capacity of the group increases by the number of instances being attached" """
    (member,) = members(group, "InService")
    already = refused(group.attach_instances, AutoScalingGroupName=GROUP, InstanceIds=[member])
    assert "is already part of AutoScalingGroup" in already
    group.detach_instances(
        AutoScalingGroupName=GROUP, InstanceIds=[member], ShouldDecrementDesiredCapacity=False
    )
    until(lambda: members(group, "InService") not in ([], [member]))
    attach = {"AutoScalingGroupName": GROUP, "InstanceIds": [member]}
    assert "maximum" in refused(group.attach_instances, **attach)
    group.update_auto_scaling_group(AutoScalingGroupName=GROUP, MaxSize=2)
    group.attach_instances(**attach)
    (found,) = group.describe_auto_scaling_groups()["AutoScalingGroups"]
    assert found["DesiredCapacity"] == 2


def test_a_launch_hook_holds_until_it_is_completed_once(aws: Local, group: Any) -> None:
    """TRAP 24: afterwards it is "No active Lifecycle Action found"."""
    group.put_lifecycle_hook(
        AutoScalingGroupName=GROUP,
        LifecycleHookName="spot-rescue",
        LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
    )
    (member,) = members(group, "InService")
    group.detach_instances(
        AutoScalingGroupName=GROUP, InstanceIds=[member], ShouldDecrementDesiredCapacity=False
    )
    until(lambda: members(group, "Pending:Wait"))
    (waiting,) = members(group, "Pending:Wait")
    complete = {
        "AutoScalingGroupName": GROUP,
        "LifecycleHookName": "spot-rescue",
        "InstanceId": waiting,
        "LifecycleActionResult": "CONTINUE",
    }
    group.complete_lifecycle_action(**complete)
    until(lambda: members(group, "InService") == [waiting])
    late = refused(group.complete_lifecycle_action, **complete)
    assert "No active Lifecycle Action found" in late
