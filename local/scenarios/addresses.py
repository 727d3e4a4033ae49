"""More than one interface with one address."""

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


SCENARIOS = [
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
