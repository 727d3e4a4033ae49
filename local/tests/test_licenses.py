"""What an instance is licensed by, and what that is asked for."""

from typing import Any

import pytest

from local.tests import fleets
from local.tests.harness import REGION, TYPE, Local, code_of
from local.tests.roles import DENIED, Login, allow

LICENSES = f"arn:aws:license-manager:{REGION}:123456789012:license-configuration"
ONE, OTHER = f"{LICENSES}:lic-{'1' * 32}", f"{LICENSES}:lic-{'2' * 32}"
LAUNCHES = ["ec2:RunInstances", "ec2:CreateFleet"]
ON_EC2 = allow(LAUNCHES, "arn:aws:ec2:*")
ON_LICENSES = allow(LAUNCHES, f"{LICENSES}:*")


def under(*arns: str) -> dict[str, Any]:
    return {"LicenseSpecifications": [{"LicenseConfigurationArn": it} for it in arns]}


def held(aws: Local, instance: str) -> list[str]:
    return [it["LicenseConfigurationArn"] for it in aws.instance(instance).get("Licenses", [])]


# TRAP 55
def test_a_launch_is_under_what_it_names(aws: Local) -> None:
    """DescribeInstances, Licenses: "The license configurations for the instance"; GetLaunchTemplateData
    has them as LicenseSpecifications."""
    instance = aws.launch(**under(ONE, OTHER))
    assert held(aws, instance) == [ONE, OTHER]
    data = aws.ec2.get_launch_template_data(InstanceId=instance)["LaunchTemplateData"]
    assert data["LicenseSpecifications"] == under(ONE, OTHER)["LicenseSpecifications"]
    plain = aws.launch()
    assert held(aws, plain) == []
    data = aws.ec2.get_launch_template_data(InstanceId=plain)["LaunchTemplateData"]
    assert not data.get("LicenseSpecifications")


# TRAP 55
def test_a_template_brings_it_along(aws: Local) -> None:
    name = fleets.template(aws, **under(ONE))
    assert held(aws, fleets.launched(fleets.fleet(aws, name))) == [ONE]
    wanted = {"LaunchTemplate": {"LaunchTemplateName": name}, "MinCount": 1, "MaxCount": 1}
    (launched,) = aws.ec2.run_instances(**wanted)["Instances"]
    assert held(aws, launched["InstanceId"]) == [ONE]


# TRAP 55
@pytest.mark.parametrize("by_template", [True, False])
def test_a_launch_needs_the_permission(aws: Local, login: Login, by_template: bool) -> None:
    """`license-configuration` among the resource types of RunInstances."""
    wanted: dict[str, Any] = {"MinCount": 1, "MaxCount": 1}
    if by_template:
        wanted["LaunchTemplate"] = {"LaunchTemplateName": fleets.template(aws, **under(ONE))}
    else:
        wanted |= {"ImageId": aws.image, "InstanceType": TYPE, **under(ONE)}
    assert code_of(login(ON_EC2).run_instances, **wanted) == DENIED
    assert ONE in {it["arn"] for it in aws.journal()[-1]["needs"]}
    assert login(ON_EC2, ON_LICENSES).run_instances(**wanted)["Instances"]


# TRAP 55
def test_so_does_a_fleet(aws: Local, login: Login) -> None:
    name = fleets.template(aws, **under(ONE))
    caller = lambda *rules: type("Caller", (), {"ec2": login(*rules)})
    assert code_of(fleets.fleet, aws=caller(ON_EC2), name=name) == DENIED
    fleets.launched(fleets.fleet(caller(ON_EC2, ON_LICENSES), name))
