"""Like the original: where AWS left to itself would make the replacement another."""

from __future__ import annotations

from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES, as_dict, as_list

TAGS = {"backup": "daily", "cost-center": "4711"}


def parts(stage: Stage, instance: str) -> dict[str, str]:
    """Its root volume and its primary interface, by their kind."""
    shown = stage.world.instance(instance)
    root = shown["RootDeviceName"]
    (volume,) = [it["Ebs"] for it in shown["BlockDeviceMappings"] if it["DeviceName"] == root]
    nics = shown["NetworkInterfaces"]
    (nic,) = [it for it in nics if it["Attachment"]["DeviceIndex"] == 0]
    return {"root": volume["VolumeId"], "interface": nic["NetworkInterfaceId"]}


def equip(stage: Stage, instances: list[str]) -> None:
    """Private, in a subnet that gives public addresses by now; with the tags of a backup plan."""
    ec2 = stage.world.ec2
    for instance in instances:
        mine = [{"Name": "instance-id", "Values": [instance]}]
        for address in ec2.describe_addresses(Filters=mine)["Addresses"]:
            ec2.disassociate_address(AssociationId=address["AssociationId"])
            ec2.release_address(AllocationId=address["AllocationId"])
        ec2.create_tags(Resources=list(parts(stage, instance).values()), Tags=as_list(TAGS))
    subnet = stage.world.subnets[ZONES[0]]
    ec2.modify_subnet_attribute(SubnetId=subnet, MapPublicIpOnLaunch={"Value": True})


def tags_of(stage: Stage, instance: str) -> dict[str, dict[str, str]]:
    ec2 = stage.world.ec2
    ids = parts(stage, instance)
    (volume,) = ec2.describe_volumes(VolumeIds=[ids["root"]])["Volumes"]
    answer = ec2.describe_network_interfaces(NetworkInterfaceIds=[ids["interface"]])
    (nic,) = answer["NetworkInterfaces"]
    return {
        "root": checks.user_tags(as_dict(volume["Tags"])),
        "interface": checks.user_tags(as_dict(nic["TagSet"])),
    }


def as_private(evidence: Evidence) -> list[Result]:
    stage, instance = evidence.stage, evidence.after().instance
    shown: dict[str, Any] = stage.world.instance(instance)
    public = shown.get("PublicIpAddress")
    tags = tags_of(stage, instance)
    return [
        Result(public is None, f"no public address, as before: {public}"),
        checks.equal("the user's tags on the fresh root", TAGS, tags["root"]),
        checks.equal("the user's tags on the fresh interface", TAGS, tags["interface"]),
    ]


SCENARIOS = [
    Scenario(
        name="private-subnet",
        story="the subnet gives public addresses by default, the original has none; nor has the replacement",
        more=equip,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, as_private),
    ),
]
