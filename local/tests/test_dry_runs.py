"""Dry runs of what a rescue sends: the permissions, what is named, and no change."""

from functools import partial
from typing import Any

from local.tests.fleets import fleet, launched, template
from local.tests.harness import TYPE, ZONE_A, Local, code_of

LEAVE = "DryRunOperation"


def _fleet(aws: Local, made: str, **more: Any) -> str:
    return code_of(partial(fleet, aws, made), DryRun=True, **more)


def _run(aws: Local, **more: Any) -> str:
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    return code_of(aws.ec2.run_instances, DryRun=True, **wanted | more)


def _instances(aws: Local) -> set[str]:
    found = aws.ec2.describe_instances()["Reservations"]
    return {it["InstanceId"] for one in found for it in one["Instances"]}


def test_a_launch_is_looked_at_and_not_done(aws: Local) -> None:
    """Neither a token nor capacity has to do with it."""
    made, before = template(aws), _instances(aws)
    aws.post("capacity", availability_zone="*", instance_type="*", market="*", code="NoneLeft")
    for _ in range(2):
        assert _fleet(aws, made, ClientToken="one") == LEAVE
        assert _run(aws, ClientToken="one") == LEAVE
    assert _run(aws, KeyName="gone") == "InvalidKeyPair.NotFound"
    assert _run(aws, ImageId="ami-0badbadbadbadbad0") == "InvalidAMIID.NotFound"
    aws.post("refusal", action="*", code="UnauthorizedOperation")
    assert _fleet(aws, made) == "UnauthorizedOperation"
    assert _run(aws) == "UnauthorizedOperation"
    aws.post("refusal", action="*", code=None)
    assert _fleet(aws, made) == LEAVE
    assert _instances(aws) == before


def test_what_a_dry_run_names_is_launched_afterwards_by_the_same_token(aws: Local) -> None:
    """AWS remembers answers with their tokens; this was none."""
    made, token = template(aws), "two"
    assert _fleet(aws, made, ClientToken=token) == LEAVE
    assert launched(fleet(aws, made, ClientToken=token))


def test_volumes_snapshots_and_addresses_are_looked_at_and_not_made(aws: Local) -> None:
    instance = aws.launch()
    interface = aws.instance(instance)["NetworkInterfaces"][0]
    allocation = aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
    calls = [
        partial(aws.ec2.create_snapshots, InstanceSpecification={"InstanceId": instance}),
        partial(aws.ec2.create_volume, AvailabilityZone=ZONE_A, Size=1),
        partial(
            aws.ec2.associate_address,
            AllocationId=allocation,
            NetworkInterfaceId=interface["NetworkInterfaceId"],
        ),
    ]
    volumes = len(aws.ec2.describe_volumes()["Volumes"])
    assert [code_of(it, DryRun=True) for it in calls] == [LEAVE] * 3
    assert len(aws.ec2.describe_volumes()["Volumes"]) == volumes
    assert aws.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"] == []
