"""An On-Demand stand-in gives way to Spot, where its user asks for it."""

from __future__ import annotations

from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.scenarios.capacity import NONE_LEFT
from local.scenarios.scenario import Scenario
from local.stage import Stage

ASKED = {"spot-rescue:return-to-spot": "1m"}


def outcomes(stage: Stage, result: str) -> list[dict[str, Any]]:
    return [it for it in stage.log.outcomes() if it["outcome"] == result]


def stands_in(stage: Stage, instances: list[str]) -> str:
    """There is no Spot capacity at the interruption, and some afterwards."""
    stage.control.capacity("*", "*", "spot", NONE_LEFT)
    stage.control.interrupt(instances)
    served = lambda: bool(outcomes(stage, "back-in-service"))
    stage.until("the On-Demand Instance to stand in", served, 500)
    stage.settle(500)
    stage.control.capacity("*", "*", "spot", None)
    return str(outcomes(stage, "back-in-service")[0]["replacement"])


def returned(stage: Stage, instances: list[str]) -> None:
    stands_in(stage, instances)
    stage.sweeps("the way back to Spot", lambda: bool(outcomes(stage, "returned-to-spot")))


def protected(stage: Stage, instances: list[str]) -> None:
    """Its user has switched termination protection on meanwhile."""
    stand_in = stands_in(stage, instances)
    stage.world.ec2.modify_instance_attribute(
        InstanceId=stand_in, DisableApiTermination={"Value": True}
    )
    stage.sweeps("its staying", lambda: bool(outcomes(stage, "kept-on-demand")))


def on_spot(evidence: Evidence) -> list[Result]:
    stage, outcome = evidence.stage, evidence.outcome
    launched = checks.lineage(evidence, evidence.before.instance)
    running = [it["InstanceId"] for it in launched if it["State"]["Name"] == "running"]
    it = stage.world.instance(outcome["replacement"])
    (stand_in,) = outcomes(stage, "back-in-service")
    return [
        checks.equal("a Spot Instance", "spot", it.get("InstanceLifecycle")),
        checks.equal("after an On-Demand Instance", "on-demand", stand_in["market"]),
        checks.equal("which has ended", [outcome["replacement"]], running),
        checks.equal("each was launched once", 2, len(launched)),
        checks.equal("its volumes moved", 2, outcome["volumes"]["moved"]),
    ]


def stays(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    (stand_in,) = outcomes(stage, "back-in-service")
    after = stage.world.view(stand_in["replacement"])
    calls = {it["action"] for it in stage.journal()}
    return [
        checks.equal("it serves as before", evidence.before.targets, after.targets),
        checks.equal("with its volumes", checks.names(evidence.before), checks.names(after)),
        checks.equal("and their flags", checks.flags(evidence.before), checks.flags(after)),
        Result("ec2:TerminateInstances" not in calls, "no call tried to end it"),
        Result("termination protection" in evidence.outcome["why"], "the outcome says why"),
    ]


SCENARIOS = [
    Scenario(
        name="return-to-spot",
        story="there is Spot capacity again: the On-Demand stand-in gives way to a Spot Instance",
        drive=returned,
        tags=lambda _: ASKED,
        ends=frozenset({"returned-to-spot"}),
        checks=(checks.moved, checks.rejoined, on_spot),
    ),
    Scenario(
        name="return-protected",
        story="the same, and termination protection is on: it stays, loses nothing, and that is reported",
        drive=protected,
        tags=lambda _: ASKED,
        ends=frozenset({"kept-on-demand"}),
        checks=(stays,),
    ),
]
