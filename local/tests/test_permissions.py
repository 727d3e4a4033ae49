"""Which principal may do what: actions, resources, tags, tagging at creation, passed roles."""

import json
import urllib.request
import uuid
from typing import Any

import pytest
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials

from local.tests.fleets import fleet, template
from local.tests.harness import REGION, ZONE_A, Local, code_of, tag_list, tagged, until
from local.tests.roles import DENIED, EC2, TRUST, Login, allow, enforce


# TRAP 36
def test_a_missing_action_comes_before_everything(aws: Local, login: Login) -> None:
    """ "UnauthorizedOperation: You are not authorized to perform this operation." """
    client = login(allow("ec2:Describe*"))
    client.describe_volumes()
    assert code_of(client.delete_volume, VolumeId="vol-0123456789abcdef0") == DENIED
    last = aws.journal()[-1]
    assert (last["action"], last["code"]) == ("ec2:DeleteVolume", DENIED)
    assert last["status"] == 403


# TRAP 36
def test_every_resource_of_a_call_counts(aws: Local, login: Login) -> None:
    """AttachVolume: resource types instance* and volume*, each must be allowed."""
    instance, volume = aws.launch(), aws.new_volume()
    wanted = {"VolumeId": volume, "InstanceId": instance, "Device": "/dev/sdf"}
    half = login(allow("ec2:AttachVolume", f"{EC2}:volume/*"))
    assert code_of(half.attach_volume, **wanted) == DENIED
    whole = login(allow("ec2:AttachVolume", f"{EC2}:*/*"))
    whole.attach_volume(**wanted)


# TRAP 36
def test_tags_of_the_resource_and_of_the_request(aws: Local, login: Login) -> None:
    """aws:ResourceTag is the existing resource's, aws:RequestTag the call's."""
    volume, other = aws.new_volume(), aws.new_volume()
    aws.ec2.create_tags(Resources=[volume], Tags=tag_list({"mine": "yes"}))
    client = login(
        allow("ec2:DeleteVolume", StringEquals={"aws:ResourceTag/mine": "yes"}),
        allow(
            "ec2:CreateTags",
            **{"ForAllValues:StringLike": {"aws:TagKeys": "own:*"}},
        ),
    )
    client.create_tags(Resources=[other], Tags=tag_list({"own:a": "1"}))
    foreign = tag_list({"own:a": "1", "b": "2"})
    assert code_of(client.create_tags, Resources=[other], Tags=foreign) == DENIED
    assert code_of(client.delete_volume, VolumeId=other) == DENIED
    client.delete_volume(VolumeId=volume)


def test_removing_all_tags_names_no_key(aws: Local, login: Login) -> None:
    """DeleteTags: "If you omit this parameter, we delete all user-defined tags"; ForAllValues: "The
    condition also returns true if there are no keys in the request"."""
    volume = aws.new_volume()
    aws.ec2.create_tags(Resources=[volume], Tags=tag_list({"own:a": "1", "b": "2"}))
    own = {"ForAllValues:StringLike": {"aws:TagKeys": "own:*"}}
    some = {"Null": {"aws:TagKeys": "false"}}
    client = login(allow("ec2:DeleteTags", **own, **some))
    assert code_of(client.delete_tags, Resources=[volume]) == DENIED
    assert code_of(client.delete_tags, Resources=[volume], Tags=[{"Key": "b"}]) == DENIED
    client.delete_tags(Resources=[volume], Tags=[{"Key": "own:a"}])
    login(allow("ec2:DeleteTags", **own)).delete_tags(Resources=[volume])


def test_the_journal_tells_what_was_needed(aws: Local, login: Login) -> None:
    """Action, ARN and condition keys, of refused calls too."""
    volume = aws.new_volume()
    aws.ec2.create_tags(Resources=[volume], Tags=tag_list({"mine": "yes"}))
    code_of(login(allow("ec2:Describe*")).delete_volume, VolumeId=volume)
    (need,) = aws.journal()[-1]["needs"]
    assert (need["action"], need["arn"]) == ("ec2:DeleteVolume", f"{EC2}:volume/{volume}")
    assert need["context"]["aws:resourcetag/mine"] == ["yes"]


# TRAP 36
def test_tagging_at_creation_is_create_tags(aws: Local, login: Login) -> None:
    """Users must have permission to use the ec2:CreateTags action; ARNs of snapshots have no
    account."""
    instance = aws.launch()
    create = [
        allow("ec2:CreateSnapshots", f"{EC2}:instance/*"),
        allow("ec2:CreateSnapshots", f"{EC2}:volume/*"),
        allow("ec2:CreateSnapshots", f"arn:aws:ec2:{REGION}::snapshot/*"),
    ]
    tag = allow("ec2:CreateTags", StringEquals={"ec2:CreateAction": "CreateSnapshots"})
    wanted = {
        "InstanceSpecification": {"InstanceId": instance},
        "TagSpecifications": tagged("snapshot", a="b"),
    }
    assert code_of(login(*create).create_snapshots, **wanted) == DENIED
    assert code_of(login(*create[:2], tag).create_snapshots, **wanted) == DENIED
    login(*create, tag).create_snapshots(**wanted)


# TRAP 36
def test_a_fleet_launches_with_the_callers_permissions(aws: Local, login: Login) -> None:
    """RunInstances on what it launches, and iam:PassRole on the role of the profile."""
    iam, name = aws.client("iam"), f"profile-{uuid.uuid4().hex[:8]}"
    iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))
    iam.create_instance_profile(InstanceProfileName=name)
    iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
    prepared = template(aws, IamInstanceProfile={"Name": name})
    fleets, run = allow("ec2:CreateFleet"), allow("ec2:RunInstances")
    passing = allow("iam:PassRole", StringEquals={"iam:PassedToService": "ec2.amazonaws.com"})
    unmarked = allow("ec2:RunInstances", f"{EC2}:instance/*")
    for statements in ([fleets], [fleets, run], [run, passing], [fleets, unmarked, passing]):
        caller = _as(aws, login(*statements))
        assert code_of(fleet, aws=caller, name=prepared) == DENIED
    assert fleet(_as(aws, login(fleets, run, passing)), prepared)["Instances"]


def _as(aws: Local, client: Any) -> Any:
    return type("Caller", (), {"ec2": client, "image": aws.image})


def test_a_denial_wins(aws: Local, login: Login) -> None:
    """An explicit deny in any policy overrides any allows."""
    deny = allow("ec2:DeleteVolume") | {"Effect": "Deny"}
    client = login(allow("ec2:*"), deny)
    created = client.create_volume(AvailabilityZone=ZONE_A, Size=1)["VolumeId"]
    assert code_of(client.delete_volume, VolumeId=created) == DENIED


def test_other_services_say_it_their_way(aws: Local, login: Login) -> None:
    """ELB and SQS: "AccessDenied"; a queue is a resource."""
    elb = login(allow("elasticloadbalancing:Describe*"), service="elbv2")
    arn = f"arn:aws:elasticloadbalancing:{REGION}:123456789012:targetgroup/x/0123456789abcdef"
    wanted = {"TargetGroupArn": arn, "Targets": [{"Id": "i-0123456789abcdef0"}]}
    assert code_of(elb.register_targets, **wanted) == "AccessDenied"
    url = aws.endpoint + "/123456789012/other"
    own = allow("sqs:SendMessage", f"arn:aws:sqs:{REGION}:123456789012:own")
    sqs = login(own, service="sqs")
    assert code_of(sqs.send_message, QueueUrl=url, MessageBody="x") == "AccessDenied"


def test_a_batch_is_allowed_with_what_it_is_a_batch_of(aws: Local, login: Login) -> None:
    """DeleteMessageBatch: sqs:DeleteMessage."""
    name = f"queue-{uuid.uuid4().hex[:8]}"
    url = aws.sqs.create_queue(QueueName=name)["QueueUrl"]
    entries = [{"Id": "1", "MessageBody": "x"}]
    sqs = login(allow("sqs:SendMessage"), service="sqs")
    assert sqs.send_message_batch(QueueUrl=url, Entries=entries)["Successful"]
    entries = [{"Id": "1", "ReceiptHandle": "x"}]
    assert code_of(sqs.delete_message_batch, QueueUrl=url, Entries=entries) == "AccessDenied"


@pytest.mark.parametrize("space", ["%20", "+"])
def test_a_signature_covers_the_body_as_sent(aws: Local, login: Login, space: str) -> None:
    """The canonical request ends with the hash of the payload, however it is encoded."""
    keys = login(allow("ec2:*"))._request_signer._credentials
    body = f"Action=CreateTags&Version=2016-11-15&ResourceId.1={_volume(aws)}"
    body += f"&Tag.1.Key=k&Tag.1.Value=a{space}b"
    headers = {"Content-Type": "application/x-www-form-urlencoded; charset=utf-8"}
    request = AWSRequest("POST", f"{aws.endpoint}/", data=body, headers=headers)
    credentials = Credentials(keys.access_key, keys.secret_key, keys.token)
    SigV4Auth(credentials, "ec2", REGION).add_auth(request)
    sent = urllib.request.Request(request.url, body.encode(), dict(request.headers.items()))
    assert urllib.request.urlopen(sent).status == 200


def _volume(aws: Local) -> str:
    """Made before calls have to be signed: enforcement is on already, so by an administrator."""
    enforce(aws, "inf")
    volume = aws.new_volume()
    enforce(aws, "0")
    return volume


def test_a_key_that_may_not_be_used_shows_only_later(aws: Local, login: Login) -> None:
    """ "the action can appear to complete, but eventually fails"; an instance dies of Client.InternalError."""
    key = aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    wanted = {"Size": 1, "Encrypted": True, "KmsKeyId": key}
    without = login(allow("ec2:*"), allow("iam:*"))
    made = without.create_volume(AvailabilityZone=ZONE_A, **wanted)["VolumeId"]
    until(lambda: state_of(without, made) == "error")
    ebs = {"VolumeSize": 1, "Encrypted": True, "KmsKeyId": key}
    answer = without.run_instances(
        ImageId=aws.image,
        MinCount=1,
        MaxCount=1,
        BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": ebs}],
    )
    instance = answer["Instances"][0]["InstanceId"]
    reason = lambda: without.describe_instances(InstanceIds=[instance])["Reservations"][0][
        "Instances"
    ][0].get("StateReason", {})
    until(lambda: reason().get("Code") == "Client.InternalError")
    via = {"StringEquals": {"kms:ViaService": f"ec2.{REGION}.amazonaws.com"}}
    allowed = login(allow("ec2:*"), allow("kms:*", key, **via))
    made = allowed.create_volume(AvailabilityZone=ZONE_A, **wanted)["VolumeId"]
    until(lambda: state_of(allowed, made) == "available")


def state_of(client: Any, volume: str) -> str:
    return client.describe_volumes(VolumeIds=[volume])["Volumes"][0]["State"]


def test_a_template_tells_its_creator(aws: Local, login: Login) -> None:
    """CreatedBy: "The principal that created the launch template"."""
    client = login(allow("ec2:*"))
    template_id = client.create_launch_template(
        LaunchTemplateName=f"made-{uuid.uuid4().hex}", LaunchTemplateData={"ImageId": aws.image}
    )["LaunchTemplate"]["LaunchTemplateId"]
    (found,) = client.describe_launch_templates(LaunchTemplateIds=[template_id])["LaunchTemplates"]
    kind, role, session = found["CreatedBy"].rsplit(":", 1)[1].split("/")
    assert (kind, session) == ("assumed-role", "test") and role.startswith("role-")
