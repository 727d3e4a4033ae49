"""Templates and fleets as tests want them."""

import uuid
from typing import Any

from local.tests.harness import TYPE, Local


def template(aws: Local, **data: Any) -> str:
    name = f"fleet-{uuid.uuid4().hex}"
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, **data}
    aws.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=wanted)
    return name


def fleet(
    aws: Local,
    name: str,
    market: str = "spot",
    overrides: list[dict[str, Any]] | None = None,
    **more: Any,
) -> dict[str, Any]:
    specification = {"LaunchTemplateName": name, "Version": "$Latest"}
    config = {"LaunchTemplateSpecification": specification, "Overrides": overrides or []}
    capacity = {"TotalTargetCapacity": 1, "DefaultTargetCapacityType": market}
    return aws.ec2.create_fleet(
        Type="instant",
        LaunchTemplateConfigs=[config],
        TargetCapacitySpecification=capacity,
        **more,
    )


def launched(answer: dict[str, Any]) -> str:
    assert not answer["Errors"], answer["Errors"]
    return answer["Instances"][0]["InstanceIds"][0]


def subnet(aws: Local, zone: str) -> str:
    filters = [
        {"Name": "availability-zone", "Values": [zone]},
        {"Name": "default-for-az", "Values": ["true"]},
    ]
    return aws.ec2.describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"]
