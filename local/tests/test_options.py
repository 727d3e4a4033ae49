"""What a launch says of network and options, and what is refused of it."""

from typing import Any

import pytest

from local.tests import fleets
from local.tests.harness import TYPE, Local, code_of

ONE_EACH = {"CoreCount": 1, "ThreadsPerCore": 1}


# TRAP 50
@pytest.mark.parametrize("by_template", [True, False])
def test_a_type_without_a_choice_takes_no_cpu_options(aws: Local, by_template: bool) -> None:
    """ "UnsupportedOperation" for T2 and other types that take none; what the type has anyway is shown."""
    data = aws.ec2.get_launch_template_data(InstanceId=aws.launch(InstanceType="t2.micro"))
    shown = data["LaunchTemplateData"]["CpuOptions"]
    assert shown == ONE_EACH
    if by_template:
        name = fleets.template(aws, CpuOptions=shown, InstanceType="t2.micro")
        (error,) = fleets.fleet(aws, name)["Errors"]
        assert error["ErrorCode"] == "UnsupportedOperation"
    else:
        wanted = {"ImageId": aws.image, "MinCount": 1, "MaxCount": 1, "CpuOptions": shown}
        code = code_of(aws.ec2.run_instances, InstanceType="t2.micro", **wanted)
        assert code == "UnsupportedOperation"
    launched = aws.launch(InstanceType="m5.large", CpuOptions=ONE_EACH)
    data = aws.ec2.get_launch_template_data(InstanceId=launched)["LaunchTemplateData"]
    assert data["CpuOptions"] == ONE_EACH


# TRAP 50
@pytest.mark.parametrize("name", ["trn1.2xlarge", "m5.large"])
def test_what_is_not_burstable_has_no_credits(aws: Local, name: str) -> None:
    """Not every name that begins with a t is of a burstable type."""
    data = aws.ec2.get_launch_template_data(InstanceId=aws.launch(InstanceType=name))
    assert "CreditSpecification" not in data["LaunchTemplateData"]
    wanted = {"ImageId": aws.image, "MinCount": 1, "MaxCount": 1, "InstanceType": name}
    code = code_of(aws.ec2.run_instances, CreditSpecification={"CpuCredits": "standard"}, **wanted)
    assert code == "InvalidParameterCombination"


# TRAP 53
def test_a_subnet_gives_public_addresses_unless_the_launch_says_otherwise(aws: Local) -> None:
    """AssociatePublicIpAddress: "If launching into a default subnet, the default value is true"."""
    subnet = fleets.subnet(aws, f"{aws.ec2.meta.region_name}a")
    for says, public in [({}, True), (True, True), (False, False)]:
        interface: dict[str, Any] = {"DeviceIndex": 0}
        if says != {}:
            interface["AssociatePublicIpAddress"] = says
        name = fleets.template(aws, NetworkInterfaces=[interface])
        launched = fleets.launched(fleets.fleet(aws, name, overrides=[{"SubnetId": subnet}]))
        assert ("PublicIpAddress" in aws.instance(launched)) is public


# TRAP 58
def test_an_interface_is_said_once(aws: Local) -> None:
    """By the template or by the request: whether one takes the place of the other is not known."""
    subnet = fleets.subnet(aws, f"{aws.ec2.meta.region_name}a")
    nic = aws.ec2.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    existing = {"DeviceIndex": 0, "NetworkInterfaceId": nic["NetworkInterfaceId"]}
    run = aws.ec2.run_instances
    wanted: dict[str, Any] = {"MinCount": 1, "MaxCount": 1, "NetworkInterfaces": [existing]}
    for data in (
        {"NetworkInterfaces": [{"DeviceIndex": 0}]},
        {"SecurityGroupIds": ["sg-12345678"]},
    ):
        template = {"LaunchTemplateName": fleets.template(aws, **data)}
        assert code_of(run, LaunchTemplate=template, **wanted) == "InvalidParameterCombination"
    tagged = [{"ResourceType": "network-interface", "Tags": [{"Key": "a", "Value": "b"}]}]
    template = {"LaunchTemplateName": fleets.template(aws, TagSpecifications=tagged)}
    assert code_of(run, LaunchTemplate=template, **wanted) == "InvalidParameterValue"
    template = {"LaunchTemplateName": fleets.template(aws)}
    (launched,) = run(LaunchTemplate=template, **wanted)["Instances"]
    assert launched["InstanceType"] == TYPE


# TRAP 51
def test_where_imdsv2_is_enforced_it_is_said(aws: Local) -> None:
    """httpTokensEnforced: a launch with `HttpTokens=optional`, or none, is refused."""
    aws.post("settings", tokens_enforced=1)
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    for options in ({}, {"HttpTokens": "optional"}):
        code = code_of(aws.ec2.run_instances, MetadataOptions=options, **wanted)
        assert code == "UnsupportedOperation"
    assert aws.launch(MetadataOptions={"HttpTokens": "required"})


# TRAP 54
def test_interfaces_and_volumes_are_tagged_at_launch(aws: Local) -> None:
    """TagSpecifications of the template: `volume` and `network-interface`."""
    tags = [{"Key": "backup", "Value": "daily"}]
    kinds = ("volume", "network-interface")
    name = fleets.template(
        aws, TagSpecifications=[{"ResourceType": it, "Tags": tags} for it in kinds]
    )
    instance = aws.instance(fleets.launched(fleets.fleet(aws, name)))
    nic = instance["NetworkInterfaces"][0]["NetworkInterfaceId"]
    (shown,) = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])["NetworkInterfaces"]
    assert shown["TagSet"] == tags
    volumes = [it["Ebs"]["VolumeId"] for it in instance["BlockDeviceMappings"]]
    for volume in aws.ec2.describe_volumes(VolumeIds=volumes)["Volumes"]:
        assert volume["Tags"] == tags
