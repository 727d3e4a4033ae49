"""Parts of another account, and how a policy names them."""

import uuid
from typing import Any

import pytest

from local.tests import fleets
from local.tests.harness import REGION, TYPE, ZONE_B, Local, code_of
from local.tests.roles import DENIED, EC2, Login, allow

OWNER = "210987654321"
NAMED = ("subnet", "security-group", "placement-group")
ANYTHING_ELSE = ("image", "instance", "network-interface", "volume", "spot-instances-request")


@pytest.fixture
def place(aws: Local) -> dict[str, str]:
    """A subnet and a security group, both another account's."""
    vpc = aws.ec2.create_vpc(CidrBlock="10.9.0.0/16")["Vpc"]["VpcId"]
    made = aws.ec2.create_subnet(VpcId=vpc, CidrBlock="10.9.0.0/24", AvailabilityZone=ZONE_B)
    subnet = made["Subnet"]["SubnetId"]
    group = aws.ec2.create_security_group(GroupName="shared", Description="shared", VpcId=vpc)
    for it in (subnet, group["GroupId"]):
        aws.post("share", resource_id=it, owner=OWNER)
    return {"SubnetId": subnet, "SecurityGroupId": group["GroupId"]}


def rules(account: str) -> list[dict[str, Any]]:
    """A launch with parts of that account; everything else is allowed."""
    action = ["ec2:RunInstances", "ec2:CreateFleet"]
    parts = [f"arn:aws:ec2:{REGION}:{account}:{it}/*" for it in NAMED]
    others = [
        f"arn:aws:ec2:{REGION}:*:{it}/*" for it in (*ANYTHING_ELSE, "launch-template", "fleet")
    ]
    return [{**allow(action), "Resource": [*parts, *others]}, allow("ec2:Describe*")]


# TRAP 48
@pytest.mark.parametrize("named", ["123456789012", OWNER, "*"])
def test_a_shared_part_has_its_owners_account(
    aws: Local, login: Login, place: dict[str, str], named: str
) -> None:
    """The ARN of a subnet that is shared: arn:aws:ec2:<region>:<owner>:subnet/<id>."""
    client = login(*rules(named))
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    wanted |= {"SubnetId": place["SubnetId"], "SecurityGroupIds": [place["SecurityGroupId"]]}
    if named == "123456789012":
        assert code_of(client.run_instances, **wanted) == DENIED
    else:
        assert client.run_instances(**wanted)["Instances"]
    asked = {it["arn"] for it in aws.journal()[-1]["needs"]}
    owned = EC2.replace("123456789012", OWNER)
    assert f"{owned}:subnet/{place['SubnetId']}" in asked
    assert f"{owned}:security-group/{place['SecurityGroupId']}" in asked
    assert f"{EC2}:network-interface/new" in asked


# TRAP 48
def test_a_fleet_is_asked_the_same(aws: Local, login: Login, place: dict[str, str]) -> None:
    """And the template's security groups, which no override names."""
    prepared = fleets.template(aws, SecurityGroupIds=[place["SecurityGroupId"]])
    overrides = [{"SubnetId": place["SubnetId"]}]
    run = lambda account: {"aws": caller(login(*rules(account))), "name": prepared}
    assert code_of(fleets.fleet, **run("123456789012"), overrides=overrides) == DENIED
    fleets.launched(fleets.fleet(**run("*"), overrides=overrides))


def caller(client: Any) -> Any:
    return type("Caller", (), {"ec2": client})


def test_a_placement_group_is_a_part(aws: Local, login: Login) -> None:
    """`placement-group*` among the resource types of RunInstances."""
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    shared = f"pg-{uuid.uuid4().hex[:17]}"
    aws.post("share", resource_id=shared, owner=OWNER)
    own = login(*rules("123456789012"))
    own.run_instances(**wanted, Placement={"GroupName": "near"})
    assert f"{EC2}:placement-group/near" in {it["arn"] for it in aws.journal()[-1]["needs"]}
    assert code_of(own.run_instances, **wanted, Placement={"GroupId": shared}) == DENIED
    login(*rules("*")).run_instances(**wanted, Placement={"GroupId": shared})


def test_the_owner_is_shown(aws: Local, place: dict[str, str]) -> None:
    """OwnerId: "The ID of the Amazon Web Services account that owns the subnet"; an interface in it is
    the account's that made it."""
    (subnet,) = aws.ec2.describe_subnets(SubnetIds=[place["SubnetId"]])["Subnets"]
    groups = aws.ec2.describe_security_groups(GroupIds=[place["SecurityGroupId"]])
    assert (subnet["OwnerId"], groups["SecurityGroups"][0]["OwnerId"]) == (OWNER, OWNER)
    it = aws.launch(SubnetId=place["SubnetId"], SecurityGroupIds=[place["SecurityGroupId"]])
    assert aws.instance(it)["NetworkInterfaces"][0]["OwnerId"] == "123456789012"


def test_nonsense_is_not_shared(aws: Local) -> None:
    """400 with a sentence."""
    assert "subnet" in aws.refused("share", resource_id="vol-0123456789abcdef0", owner=OWNER)
    assert "account" in aws.refused("share", resource_id="subnet-0123456789abcdef0", owner="me")
