"""Addresses: more than one interface with one of them, and the one that other machines know."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.capacity import elsewhere, without_the_zone
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES, View


def equip(stage: Stage, instances: list[str]) -> None:
    for instance in instances:
        stage.world.networked(instance)


def same_places(evidence: Evidence) -> list[Result]:
    before, after = evidence.before, evidence.after()
    return [
        checks.equal(
            "the same second interface, flag included", before.interfaces, after.interfaces
        ),
        checks.equal("each Elastic IP where it was", places(before), places(after)),
    ]


def places(view: View) -> dict[str, tuple[int, str]]:
    """The primary private address is a new one, and is not compared."""
    return {
        address: (device, "primary" if seat == view.private_address else seat)
        for address, (device, seat) in view.seats.items()
    }


def kept_interface(evidence: Evidence) -> list[Result]:
    """It is bound to its zone; its address is not."""
    ((nic, _),) = evidence.before.interfaces.values()
    answer = evidence.stage.world.ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])
    after = evidence.after()
    return [
        checks.equal(
            "the interface is kept", "available", answer["NetworkInterfaces"][0]["Status"]
        ),
        checks.equal("each Elastic IP has a place of its own", 3, len({*after.seats.values()})),
    ]


KEEP = {"spot-rescue:private-ip": "keep"}


def primary(stage: Stage, instance: str) -> tuple[str, bool, str]:
    """The interface, whether it goes with its instance, and its address."""
    nics = stage.world.instance(instance)["NetworkInterfaces"]
    (nic,) = [it for it in nics if it["Attachment"]["DeviceIndex"] == 0]
    flag = nic["Attachment"]["DeleteOnTermination"]
    return nic["NetworkInterfaceId"], flag, nic["PrivateIpAddress"]


def same_address(evidence: Evidence) -> list[Result]:
    stage, before, after = evidence.stage, evidence.before, evidence.after()
    calls = [it["action"] for it in stage.journal() if not it["code"]]
    _, goes, address = primary(stage, after.instance)
    return [
        checks.equal("the same private address", before.private_address, address),
        Result(goes, "its interface goes with the replacement, as it would have with the original"),
        checks.equal("nothing is said to be lost", None, evidence.outcome["private_address_lost"]),
        Result("ec2:CreateFleet" not in calls, "no fleet was asked for"),
        Result("ec2:AssociateAddress" not in calls, "the Elastic IP stayed where it was"),
    ]


def new_address(evidence: Evidence) -> list[Result]:
    told = evidence.outcome["private_address_lost"] or ""
    address = evidence.before.private_address
    return [
        Result(told.startswith(f"{address} is not kept: "), f"the loss is reported: {told}"),
        checks.equal("the old interface is gone a day later", [], free_interfaces(evidence.stage)),
    ]


def free_interfaces(stage: Stage) -> list[str]:
    free = [{"Name": "status", "Values": ["available"]}]
    answer = stage.world.ec2.describe_network_interfaces(Filters=free)
    return [it["NetworkInterfaceId"] for it in answer["NetworkInterfaces"]]


def a_day_later(stage: Stage) -> None:
    """The interface is past its expiry."""
    both = [{"Name": "tag-key", "Values": [key]} for key in (checks.RESCUE, checks.EXPIRES)]
    (_left,) = stage.world.ec2.describe_network_interfaces(Filters=both)["NetworkInterfaces"]
    stage.a_day_later()
    stage.until("the old interface to be deleted", lambda: not free_interfaces(stage), 200)


SCENARIOS = [
    Scenario(
        name="private-ip",
        story="the replacement is launched on the original's interface: the same private address",
        tags=lambda _: KEEP,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, same_address),
    ),
    Scenario(
        name="private-ip-lost",
        story="the same without capacity in the zone: a new address, reported; the interface expires",
        drive=without_the_zone,
        tags=lambda stage: KEEP | {"spot-rescue:subnets": stage.world.subnets[ZONES[1]]},
        ends=frozenset({"incomplete"}),
        checks=(
            checks.restored,
            checks.rejoined,
            checks.one_replacement,
            elsewhere,
            new_address,
        ),
        afterwards=a_day_later,
        deadline=900,
    ),
    Scenario(
        name="addresses",
        story="a second interface, secondary addresses, three Elastic IPs: each in its place again",
        more=equip,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, same_places),
    ),
    Scenario(
        name="addresses-other-az",
        story="the same without capacity in the zone: the interface stays, its address moves",
        drive=without_the_zone,
        tags=lambda stage: {"spot-rescue:subnets": stage.world.subnets[ZONES[1]]},
        more=equip,
        checks=(
            checks.restored,
            checks.rejoined,
            checks.one_replacement,
            elsewhere,
            kept_interface,
        ),
        deadline=700,
    ),
]
