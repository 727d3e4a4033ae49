"""No capacity where the instance was."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario, interrupt
from local.stage import Stage
from local.world import ZONES

NONE_LEFT = "InsufficientInstanceCapacity"


def without_spot(stage: Stage, instances: list[str]) -> None:
    stage.control.capacity("*", "*", "spot", NONE_LEFT)
    interrupt(stage, instances)


def without_the_zone(stage: Stage, instances: list[str]) -> None:
    stage.control.capacity(ZONES[0], "*", "*", NONE_LEFT)
    interrupt(stage, instances)


def on_demand(evidence: Evidence) -> list[Result]:
    it = evidence.stage.world.instance(evidence.outcome["replacement"])
    return [
        # The field is absent for On-Demand Instances.
        checks.equal("the replacement is On-Demand", None, it.get("InstanceLifecycle")),
        checks.equal("in the same zone", evidence.before.zone, it["Placement"]["AvailabilityZone"]),
    ]


def elsewhere(evidence: Evidence) -> list[Result]:
    after = evidence.after()
    closing = [
        it
        for it in evidence.stage.world.snapshots()
        for tag in it.get("Tags", [])
        if tag["Key"] == "spot-rescue:set" and tag["Value"].startswith("closing-")
    ]
    return [
        checks.equal("the replacement is in the other zone", ZONES[1], after.zone),
        checks.equal("each volume was snapshotted once more at its end", 2, len(closing)),
    ]


SCENARIOS = [
    Scenario(
        name="no-capacity",
        story="no Spot capacity at all: an On-Demand Instance stands in",
        drive=without_spot,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, on_demand),
    ),
    Scenario(
        name="other-az",
        story="no capacity in the zone: restored in another one from closing snapshots",
        drive=without_the_zone,
        tags=lambda stage: {"spot-rescue:subnets": stage.world.subnets[ZONES[1]]},
        checks=(checks.restored, checks.rejoined, checks.one_replacement, elsewhere),
        deadline=700,
    ),
]
