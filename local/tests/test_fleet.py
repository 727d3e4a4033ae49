"""CreateFleet of type `instant`."""

from functools import partial

from local.tests.fleets import fleet, launched, subnet, template
from local.tests.harness import ROOT_DEVICE, TYPE, ZONE_A, ZONE_B, Local, code_of, tagged

OTHER_TYPE = "m5.xlarge"
NO_CAPACITY = "InsufficientInstanceCapacity"


def test_the_template_is_followed(aws: Local) -> None:
    """Tags of template and request, and those AWS writes itself."""
    group = aws.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    device = {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 3, "VolumeType": "gp3"}}
    name = template(
        aws,
        SecurityGroupIds=[group],
        BlockDeviceMappings=[device],
        TagSpecifications=tagged("instance", of="template", both="template"),
    )
    answer = fleet(aws, name, TagSpecifications=tagged("instance", both="request"))
    found = aws.reach(launched(answer), "running")
    tags = {it["Key"]: it["Value"] for it in found["Tags"]}
    assert (tags["of"], tags["both"]) == ("template", "request")
    assert tags["aws:ec2:fleet-id"] == answer["FleetId"]
    assert tags["aws:ec2launchtemplate:version"] == "1"
    assert found["InstanceLifecycle"] == "spot"
    assert [it["GroupId"] for it in found["SecurityGroups"]] == [group]
    assert {it["DeviceName"] for it in found["BlockDeviceMappings"]} == {ROOT_DEVICE, "/dev/sdf"}


def test_on_demand_when_asked(aws: Local) -> None:
    """DefaultTargetCapacityType: "on-demand" or "spot"."""
    found = aws.instance(launched(fleet(aws, template(aws), market="on-demand")))
    assert "InstanceLifecycle" not in found


# TRAP 8
def test_no_capacity_is_an_error_in_a_200(aws: Local) -> None:
    """Errors: Information about the instances that could not be launched by the fleet."""
    pool = {"availability_zone": "*", "instance_type": TYPE, "market": "spot"}
    aws.post("capacity", **pool, code=NO_CAPACITY)
    name = template(aws)
    answer = fleet(aws, name)
    assert [it["ErrorCode"] for it in answer["Errors"]] == [NO_CAPACITY]
    assert answer["Instances"] == []
    assert launched(fleet(aws, name, market="on-demand"))


# TRAP 8
def test_the_first_pool_with_capacity_is_taken(aws: Local) -> None:
    """Overrides: each type and subnet is a pool of its own."""
    pool = {"availability_zone": ZONE_A, "instance_type": "*", "market": "*"}
    aws.post("capacity", **pool, code=NO_CAPACITY)
    places = [(TYPE, ZONE_A), (OTHER_TYPE, ZONE_A), (OTHER_TYPE, ZONE_B)]
    overrides = [{"InstanceType": it, "SubnetId": subnet(aws, zone)} for it, zone in places]
    answer = fleet(aws, template(aws), overrides=overrides)
    found = aws.instance(answer["Instances"][0]["InstanceIds"][0])
    place = (found["InstanceType"], found["Placement"]["AvailabilityZone"])
    assert place == (OTHER_TYPE, ZONE_B)


# TRAP 44
def test_at_most_three_pools_are_tried(aws: Local) -> None:
    """UnfulfillableCapacity, also where there would have been capacity."""
    place = subnet(aws, ZONE_A)
    types = ["m5.large", "m5.xlarge", "m5.2xlarge", "m5.4xlarge", "m5.8xlarge"]
    for it in types[:3]:
        pool = {"availability_zone": ZONE_A, "instance_type": it, "market": "*"}
        aws.post("capacity", **pool, code=NO_CAPACITY)
    overrides = [{"InstanceType": it, "SubnetId": place} for it in types]
    answer = fleet(aws, template(aws), overrides=overrides)
    codes = [it["ErrorCode"] for it in answer["Errors"]]
    assert codes == [NO_CAPACITY] * 3 + ["UnfulfillableCapacity"] * 2
    named = [it["LaunchTemplateAndOverrides"]["Overrides"] for it in answer["Errors"]]
    assert [it["InstanceType"] for it in named] == types
    assert answer["Instances"] == []
    assert fleet(aws, template(aws), overrides=overrides[1:])["Instances"]


def test_types_by_attributes(aws: Local) -> None:
    """InstanceRequirements: as many vCPUs, no less memory, of the image's architecture; burstable
    performance is excluded by default."""
    requirements = {
        "VCpuCount": {"Min": 2, "Max": 2},
        "MemoryMiB": {"Min": 8192},
        "InstanceGenerations": ["current"],
        "AcceleratorCount": {"Max": 0},
    }
    place = subnet(aws, ZONE_A)
    wanted = {"InstanceRequirements": requirements, "SubnetId": place}
    found = aws.instance(launched(fleet(aws, template(aws), overrides=[wanted])))
    (info,) = aws.ec2.describe_instance_types(InstanceTypes=[found["InstanceType"]])[
        "InstanceTypes"
    ]
    assert info["VCpuInfo"]["DefaultVCpus"] == 2
    assert info["MemoryInfo"]["SizeInMiB"] >= 8192
    assert "x86_64" in info["ProcessorInfo"]["SupportedArchitectures"]
    assert not info["BurstablePerformanceSupported"]
    both = [{**wanted, "InstanceType": TYPE}]
    assert (
        code_of(partial(fleet, aws, template(aws)), overrides=both) == "InvalidParameterCombination"
    )


def test_on_demand_in_order_of_priority(aws: Local) -> None:
    """Priority: the lower the number, the higher the priority."""
    place = subnet(aws, ZONE_A)
    overrides = [
        {"InstanceType": OTHER_TYPE, "SubnetId": place, "Priority": 1},
        {"InstanceType": TYPE, "SubnetId": place, "Priority": 0},
    ]
    answer = fleet(aws, template(aws), market="on-demand", overrides=overrides)
    assert aws.instance(launched(answer))["InstanceType"] == TYPE


def test_a_pool_named_twice_fails_the_request(aws: Local) -> None:
    """The fleet configuration contains duplicate instance pools."""
    pool = {"InstanceType": TYPE, "SubnetId": subnet(aws, ZONE_A)}
    code = code_of(partial(fleet, aws, template(aws)), overrides=[pool, pool])
    assert code == "InvalidFleetConfig"


# TRAP 8
def test_a_fleet_without_a_type_lives_on(aws: Local) -> None:
    """Type: The default is maintain: it relaunches."""
    config = {"LaunchTemplateSpecification": {"LaunchTemplateName": template(aws), "Version": "1"}}
    capacity = {"TotalTargetCapacity": 1}
    asked = {"LaunchTemplateConfigs": [config], "TargetCapacitySpecification": capacity}
    made = aws.ec2.create_fleet(**asked)["FleetId"]
    (found,) = aws.ec2.describe_fleets(FleetIds=[made])["Fleets"]
    assert found["Type"] == "maintain"
    assert code_of(aws.ec2.create_fleet, Type="request", **asked) == "UnsupportedOperation"


# TRAP 9
def test_market_options_of_the_template_are_refused(aws: Local) -> None:
    """A fleet has Spot options of its own."""
    answer = fleet(aws, template(aws, InstanceMarketOptions={"MarketType": "spot"}))
    assert [it["ErrorCode"] for it in answer["Errors"]] == ["InvalidFleetConfiguration"]


# TRAP 10
def test_groups_stand_beside_interfaces_or_inside(aws: Local) -> None:
    """ "If you specify a network interface, you must specify any security groups as part of the
    network interface." """
    group = aws.ec2.describe_security_groups()["SecurityGroups"][0]["GroupId"]
    interface = {"DeviceIndex": 0, "AssociatePublicIpAddress": True}
    both = template(aws, NetworkInterfaces=[interface], SecurityGroupIds=[group])
    answer = fleet(aws, both)
    assert [it["ErrorCode"] for it in answer["Errors"]] == ["InvalidParameterCombination"]
    inside = template(aws, NetworkInterfaces=[{**interface, "Groups": [group]}])
    overrides = [{"InstanceType": TYPE, "SubnetId": subnet(aws, ZONE_B)}]
    found = aws.instance(launched(fleet(aws, inside, overrides=overrides)))
    assert found["Placement"]["AvailabilityZone"] == ZONE_B
    assert found["NetworkInterfaces"][0]["Association"]["IpOwnerId"] == "amazon"


# TRAP 11
def test_reserved_tags_in_the_template_fail_the_launch(aws: Local) -> None:
    """ "Tag keys starting with 'aws:' are reserved for internal use." """
    name = template(aws, TagSpecifications=tagged("instance", **{"aws:x": "1"}))
    answer = fleet(aws, name)
    assert [it["ErrorCode"] for it in answer["Errors"]] == ["InvalidParameterValue"]


# TRAP 9
def test_the_old_zone_and_an_empty_key_name_fail_elsewhere(aws: Local) -> None:
    """Placement and KeyName of the template count, whatever subnet the override names."""
    place = template(aws, Placement={"AvailabilityZone": ZONE_A})
    overrides = [{"InstanceType": TYPE, "SubnetId": subnet(aws, ZONE_B)}]
    elsewhere = fleet(aws, place, overrides=overrides)
    assert [it["ErrorCode"] for it in elsewhere["Errors"]] == ["InvalidParameterValue"]
    nameless = fleet(aws, template(aws, KeyName=""))
    assert [it["ErrorCode"] for it in nameless["Errors"]] == ["InvalidKeyPair.NotFound"]


def test_an_unknown_template_fails_the_call(aws: Local) -> None:
    """InvalidLaunchTemplateName.NotFoundException."""
    specification = {"LaunchTemplateName": "no-such", "Version": "1"}
    code = code_of(
        aws.ec2.create_fleet,
        Type="instant",
        LaunchTemplateConfigs=[{"LaunchTemplateSpecification": specification}],
        TargetCapacitySpecification={"TotalTargetCapacity": 1},
    )
    assert code == "InvalidLaunchTemplateName.NotFoundException"


def test_run_instances_fails_without_capacity(aws: Local) -> None:
    """InsufficientInstanceCapacity: There is not enough capacity to fulfill your request."""
    pool = {"availability_zone": ZONE_A, "instance_type": TYPE, "market": "on-demand"}
    aws.post("capacity", **pool, code=NO_CAPACITY)
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    assert code_of(aws.ec2.run_instances, **wanted) == NO_CAPACITY
    aws.launch(running=False)
