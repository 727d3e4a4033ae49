"""Launch templates, and an instance described as one."""

import base64
import uuid

from local.tests.fleets import fleet, launched, template
from local.tests.harness import ROOT_DEVICE, TYPE, Local, code_of, tag_list, tagged


def test_by_name_an_unknown_one_is_an_error_by_filter_it_is_not(aws: Local) -> None:
    """LaunchTemplateNames: one that does not exist is an error; filters select."""
    describe = aws.ec2.describe_launch_templates
    code = code_of(describe, LaunchTemplateNames=["no-such"])
    assert code == "InvalidLaunchTemplateName.NotFoundException"
    filters = [{"Name": "launch-template-name", "Values": ["no-such"]}]
    assert describe(Filters=filters)["LaunchTemplates"] == []


def test_tags_are_those_of_now(aws: Local) -> None:
    """Tags can be changed at any time; DescribeLaunchTemplates shows them."""
    mark = uuid.uuid4().hex
    created = aws.ec2.create_launch_template(
        LaunchTemplateName=f"tags-{mark}",
        LaunchTemplateData={"ImageId": aws.image},
        TagSpecifications=tagged("launch-template", first=mark),
    )["LaunchTemplate"]
    template_id = created["LaunchTemplateId"]
    aws.ec2.create_tags(Resources=[template_id], Tags=tag_list({"mark": mark}))
    aws.ec2.delete_tags(Resources=[template_id], Tags=[{"Key": "first"}])
    filters = [{"Name": "tag:mark", "Values": [mark]}]
    (found,) = aws.ec2.describe_launch_templates(Filters=filters)["LaunchTemplates"]
    assert found["LaunchTemplateId"] == template_id
    assert found["Tags"] == tag_list({"mark": mark})


def test_names_are_unique(aws: Local) -> None:
    """InvalidLaunchTemplateName.AlreadyExistsException."""
    wanted = {"LaunchTemplateName": template(aws), "LaunchTemplateData": {"ImageId": aws.image}}
    code = code_of(aws.ec2.create_launch_template, **wanted)
    assert code == "InvalidLaunchTemplateName.AlreadyExistsException"


def test_all_pages(aws: Local) -> None:
    """NextToken: "The token to use to retrieve the next page of results." """
    names = {template(aws) for _ in range(20)}
    pages = aws.ec2.get_paginator("describe_launch_templates").paginate()
    found = [it["LaunchTemplateName"] for page in pages for it in page["LaunchTemplates"]]
    assert names <= set(found) and len(found) == len(set(found))


def test_latest_is_resolved_at_launch(aws: Local) -> None:
    """$Latest: the latest version when the fleet launches."""
    name = template(aws)
    aws.ec2.create_launch_template_version(
        LaunchTemplateName=name,
        LaunchTemplateData={"ImageId": aws.image, "InstanceType": "m5.xlarge"},
    )
    assert aws.instance(launched(fleet(aws, name)))["InstanceType"] == "m5.xlarge"


def test_a_deleted_template_is_gone(aws: Local) -> None:
    """InvalidLaunchTemplateId.NotFound for the second time."""
    name = template(aws)
    deleted = aws.ec2.delete_launch_template(LaunchTemplateName=name)["LaunchTemplate"]
    again = code_of(aws.ec2.delete_launch_template, LaunchTemplateId=deleted["LaunchTemplateId"])
    assert again == "InvalidLaunchTemplateId.NotFound"


# TRAP 9
def test_an_instance_as_it_is(aws: Local) -> None:
    """The example output has the old interface, its addresses and the zone."""
    text = base64.b64encode(b"#!/bin/sh\n").decode()
    instance = aws.launch(
        UserData="#!/bin/sh\n",
        BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1}}],
        MetadataOptions={"HttpTokens": "required"},
        TagSpecifications=tagged("instance", Name="x"),
    )
    shown = aws.instance(instance)
    data = aws.ec2.get_launch_template_data(InstanceId=instance)["LaunchTemplateData"]
    (interface,) = data["NetworkInterfaces"]
    assert interface["NetworkInterfaceId"] == shown["NetworkInterfaces"][0]["NetworkInterfaceId"]
    assert interface["PrivateIpAddresses"][0]["PrivateIpAddress"] == shown["PrivateIpAddress"]
    assert interface["Groups"] == [it["GroupId"] for it in shown["SecurityGroups"]]
    assert data["Placement"]["AvailabilityZone"] == shown["Placement"]["AvailabilityZone"]
    assert data["Placement"]["GroupName"] == data["KernelId"] == ""
    assert {it["DeviceName"]: it["Ebs"] for it in data["BlockDeviceMappings"]} == {
        ROOT_DEVICE: {"DeleteOnTermination": True},
        "/dev/sdf": {"DeleteOnTermination": True},
    }
    assert data["UserData"] == text
    assert data["MetadataOptions"]["HttpTokens"] == "required"
    assert data["InstanceMarketOptions"]["MarketType"] == "spot"
    assert data["TagSpecifications"][0]["Tags"] == tag_list({"Name": "x"})
    assert "CreditSpecification" not in data


# TRAP 9, TRAP 11
def test_it_cannot_be_fed_back_unchanged(aws: Local) -> None:
    """Launch template data from an instance keeps what only one instance can have."""
    instance = launched(fleet(aws, template(aws, InstanceType="t3.micro")))
    data = aws.ec2.get_launch_template_data(InstanceId=instance)["LaunchTemplateData"]
    assert data["CreditSpecification"] == {"CpuCredits": "unlimited"}
    keys = {it["Key"] for it in data["TagSpecifications"][0]["Tags"]}
    assert "aws:ec2:fleet-id" in keys
    wanted = {"ImageId": data["ImageId"], "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    run = aws.ec2.run_instances
    interface = {**data["NetworkInterfaces"][0], "DeleteOnTermination": True}
    interface.pop("NetworkCardIndex", None)
    code = code_of(run, **wanted, NetworkInterfaces=[interface])
    assert code == "InvalidNetworkInterface.InUse"
    address = interface["PrivateIpAddress"]
    again = code_of(run, **wanted, SubnetId=interface["SubnetId"], PrivateIpAddress=address)
    assert again == "InvalidIPAddress.InUse"
