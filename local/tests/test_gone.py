"""What is gone has no tags: a condition on them refuses the call before it is looked for."""

import uuid
from collections.abc import Callable
from typing import Any

import pytest

from local.tests.harness import Local, code_of, tag_list, until
from local.tests.roles import DENIED, Login, allow

MINE = {"mine": "yes"}
IF_MINE = {"StringEquals": {"aws:ResourceTag/mine": "yes"}}


def volume(aws: Local) -> str:
    return aws.new_volume()


def snapshot(aws: Local) -> str:
    made: str = aws.ec2.create_snapshot(VolumeId=aws.new_volume())["SnapshotId"]
    until(lambda: aws.snapshot(made)["State"] == "completed")
    return made


def interface(aws: Local) -> str:
    subnet = aws.ec2.describe_subnets()["Subnets"][0]["SubnetId"]
    made = aws.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    return str(made["NetworkInterfaceId"])


def image(aws: Local) -> str:
    ebs = {"SnapshotId": snapshot(aws)}
    made = aws.ec2.register_image(
        Name=uuid.uuid4().hex,
        Architecture="x86_64",
        RootDeviceName="/dev/xvda",
        VirtualizationType="hvm",
        BlockDeviceMappings=[{"DeviceName": "/dev/xvda", "Ebs": ebs}],
    )
    return str(made["ImageId"])


def template(aws: Local) -> str:
    made = aws.ec2.create_launch_template(
        LaunchTemplateName=uuid.uuid4().hex, LaunchTemplateData={"ImageId": aws.image}
    )
    return str(made["LaunchTemplate"]["LaunchTemplateId"])


DELETIONS = [
    (volume, "DeleteVolume", "VolumeId"),
    (snapshot, "DeleteSnapshot", "SnapshotId"),
    (interface, "DeleteNetworkInterface", "NetworkInterfaceId"),
    (image, "DeregisterImage", "ImageId"),
    (template, "DeleteLaunchTemplate", "LaunchTemplateId"),
]


@pytest.mark.parametrize(("make", "action", "named"), DELETIONS, ids=[it[1] for it in DELETIONS])
def test_the_second_deletion_is_not_allowed(
    aws: Local, login: Login, make: Callable[[Local], str], action: str, named: str
) -> None:
    """A caller that needs no tag is told that it does not exist."""
    it = make(aws)
    aws.ec2.create_tags(Resources=[it], Tags=tag_list(MINE))
    delete = call(login(allow(f"ec2:{action}", **IF_MINE)), action)
    delete(**{named: it})
    assert code_of(delete, **{named: it}) == DENIED
    assert aws.journal()[-1]["status"] == 403
    answered = call(login(allow(f"ec2:{action}")), action)
    assert code_of(answered, **{named: it}).startswith("Invalid")


def test_a_root_is_not_replaced_from_an_image_that_is_gone(aws: Local, login: Login) -> None:
    instance, gone = aws.launch(), image(aws)
    aws.ec2.create_tags(Resources=[gone], Tags=tag_list(MINE))
    aws.ec2.deregister_image(ImageId=gone)
    action = "ec2:CreateReplaceRootVolumeTask"
    client = login(
        allow(action, "arn:*:instance/*"), allow(action, "arn:*:replace-root-volume-task/*")
    )
    wanted = {"InstanceId": instance, "ImageId": gone}
    assert code_of(client.create_replace_root_volume_task, **wanted) == DENIED


@pytest.mark.parametrize("action", ["RunInstances", "CreateFleet"])
def test_nothing_is_launched_from_a_template_that_is_gone(
    aws: Local, login: Login, action: str
) -> None:
    gone = template(aws)
    aws.ec2.delete_launch_template(LaunchTemplateId=gone)
    launches = ["ec2:RunInstances", "ec2:CreateFleet"]
    ours = allow(launches, "arn:*:launch-template/*", **IF_MINE)
    others = [allow(launches, f"arn:*:{it}/*") for it in ("instance", "volume", "fleet")]
    wanted = {"LaunchTemplateId": gone, "Version": "$Latest"}
    if action == "RunInstances":
        parameters: dict[str, Any] = {"LaunchTemplate": wanted, "MinCount": 1, "MaxCount": 1}
    else:
        parameters = {
            "Type": "instant",
            "LaunchTemplateConfigs": [{"LaunchTemplateSpecification": wanted}],
            "TargetCapacitySpecification": {"TotalTargetCapacity": 1},
        }
    assert code_of(call(login(ours, *others), action), **parameters) == DENIED
    answered = call(login(allow(launches)), action)
    assert code_of(answered, **parameters).startswith("InvalidLaunchTemplate")


def call(client: Any, action: str) -> Callable[..., Any]:
    methods = client.meta.method_to_api_mapping
    return getattr(client, next(name for name, it in methods.items() if it == action))
