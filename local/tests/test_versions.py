"""Versions of launch templates: by number, as the default, and deleted."""

from typing import Any

from local.tests.fleets import template
from local.tests.harness import Local, code_of

MISSING = "InvalidLaunchTemplateId.VersionNotFound"


def made(aws: Local, *types: str) -> str:
    """The id of a template with a version of each type."""
    name = template(aws, InstanceType=types[0])
    for it in types[1:]:
        aws.ec2.create_launch_template_version(
            LaunchTemplateName=name, LaunchTemplateData={"ImageId": aws.image, "InstanceType": it}
        )
    return str(shown(aws, LaunchTemplateNames=[name])["LaunchTemplateId"])


def shown(aws: Local, **by: Any) -> dict[str, Any]:
    (found,) = aws.ec2.describe_launch_templates(**by)["LaunchTemplates"]
    return dict(found)


def launch(aws: Local, template_id: str, version: str) -> dict[str, Any]:
    answer = aws.ec2.create_fleet(
        Type="instant",
        LaunchTemplateConfigs=[
            {
                "LaunchTemplateSpecification": {
                    "LaunchTemplateId": template_id,
                    "Version": version,
                }
            }
        ],
        TargetCapacitySpecification={
            "TotalTargetCapacity": 1,
            "DefaultTargetCapacityType": "spot",
        },
    )
    return aws.instance(answer["Instances"][0]["InstanceIds"][0])


def run(aws: Local, template_id: str, version: str) -> dict[str, Any]:
    wanted = {"LaunchTemplateId": template_id, "Version": version}
    answer = aws.ec2.run_instances(LaunchTemplate=wanted, MinCount=1, MaxCount=1)
    return aws.instance(answer["Instances"][0]["InstanceId"])


def test_a_launch_by_number_is_of_that_version(aws: Local) -> None:
    """LaunchTemplateSpecification: "The launch template version number, $Latest, or $Default"."""
    template_id = made(aws, "m5.large", "m5.xlarge", "m5.2xlarge")
    for by in (launch, run):
        assert by(aws, template_id, "2")["InstanceType"] == "m5.xlarge"
        assert by(aws, template_id, "$Latest")["InstanceType"] == "m5.2xlarge"


def test_a_template_tells_latest_and_default(aws: Local) -> None:
    """ModifyLaunchTemplate: SetDefaultVersion, "The version number of the launch template to set"."""
    template_id = made(aws, "m5.large", "m5.xlarge")
    aws.ec2.modify_launch_template(LaunchTemplateId=template_id, DefaultVersion="2")
    it = shown(aws, LaunchTemplateIds=[template_id])
    assert (it["LatestVersionNumber"], it["DefaultVersionNumber"]) == (2, 2)
    code = code_of(aws.ec2.modify_launch_template, LaunchTemplateId=template_id, DefaultVersion="3")
    assert code == MISSING


def test_deleted_versions_are_gone_and_the_default_stays(aws: Local) -> None:
    """ "You can't delete the default version of a launch template": told in the answer."""
    template_id = made(aws, "m5.large", "m5.xlarge", "m5.2xlarge")
    answer = aws.ec2.delete_launch_template_versions(
        LaunchTemplateId=template_id, Versions=["1", "2", "9"]
    )
    deleted = answer["SuccessfullyDeletedLaunchTemplateVersions"]
    left = answer["UnsuccessfullyDeletedLaunchTemplateVersions"]
    assert [it["VersionNumber"] for it in deleted] == [2]
    codes = {it["VersionNumber"]: it["ResponseError"]["Code"] for it in left}
    assert codes == {1: "unexpectedError", 9: "launchTemplateVersionDoesNotExist"}
    specification = {"LaunchTemplateId": template_id, "Version": "2"}
    refused = code_of(aws.ec2.run_instances, LaunchTemplate=specification, MinCount=1, MaxCount=1)
    assert refused == MISSING
    versions = aws.ec2.describe_launch_template_versions(LaunchTemplateId=template_id)
    assert [it["VersionNumber"] for it in versions["LaunchTemplateVersions"]] == [1, 3]


def test_numbers_are_not_given_again(aws: Local) -> None:
    """Versions are numbered in the order in which they are created."""
    template_id = made(aws, "m5.large", "m5.xlarge")
    aws.ec2.delete_launch_template_versions(LaunchTemplateId=template_id, Versions=["2"])
    answer = aws.ec2.create_launch_template_version(
        LaunchTemplateId=template_id,
        LaunchTemplateData={"ImageId": aws.image, "InstanceType": "m5.large"},
    )
    assert answer["LaunchTemplateVersion"]["VersionNumber"] == 3
    assert shown(aws, LaunchTemplateIds=[template_id])["LatestVersionNumber"] == 3
