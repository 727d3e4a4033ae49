"""Launches that come to nothing: refused for a reason that is not capacity, refused everywhere for
hours, or dead before they run. The first ways are others; then it is told; then it goes on.
"""

from __future__ import annotations

import json
from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.function import SEEN
from local.scenarios.capacity import NONE_LEFT, on_demand
from local.scenarios.scenario import Check, Scenario, interrupt
from local.stage import SWEEP_SECONDS, Stage

NOT_SOLD = "InvalidFleetConfiguration"
FORBIDDEN = "UnauthorizedOperation"
DEATH = "Server.InternalError"
LAUNCHES = ("ec2:CreateFleet", "ec2:RunInstances")
# Until it is told that there is no replacement.
PATIENCE = 420
HALF_AN_HOUR = 1800
TWO_HOURS = 7200


def not_sold_as_spot(stage: Stage, instances: list[str]) -> None:
    stage.control.capacity("*", "*", "spot", NOT_SOLD)
    interrupt(stage, instances)


def forbidden_for_a_while(stage: Stage, instances: list[str]) -> None:
    """A policy denies launches; it is mended twenty minutes after the interruption."""
    stage.control.capacity("*", "*", "*", FORBIDDEN)
    interrupt(stage, instances)
    began = stage.now()
    stage.until("it to be told as unreplaced", lambda: bool(told(stage, "unreplaced")), PATIENCE)
    stage.on_schedule(began + 1200 - stage.now())
    stage.control.capacity("*", "*", "*", None)
    stage.sweeps("the rescue", lambda: bool(told(stage, "back-in-service")), 4)


def nothing_for_two_hours(stage: Stage, instances: list[str]) -> None:
    stage.control.capacity("*", "*", "*", NONE_LEFT)
    interrupt(stage, instances)
    stage.on_schedule(TWO_HOURS)
    stage.meanwhile = (stage.log.outcomes(), stage.world.volumes())
    stage.control.capacity("*", "*", "*", None)
    stage.sweeps("the rescue", lambda: bool(told(stage, "back-in-service")), 4)


def dying_for_half_an_hour(stage: Stage, instances: list[str]) -> None:
    stage.control.deaths(DEATH)
    interrupt(stage, instances)
    stage.on_schedule(HALF_AN_HOUR)
    stage.meanwhile = (stage.log.outcomes(), dead(stage, instances[0]))
    stage.control.deaths(None)
    stage.sweeps("the rescue", lambda: bool(told(stage, "back-in-service")), 5)


def told(stage: Stage, outcome: str) -> list[dict[str, Any]]:
    return [it for it in stage.log.outcomes() if it["outcome"] == outcome]


def launches(stage: Stage) -> list[dict[str, Any]]:
    """Every call that asked for an instance since the interruption."""
    since = stage.control.interrupted_at or 0
    return [it for it in stage.journal() if it["action"] in LAUNCHES and it["t"] >= since]


def dead(stage: Stage, original: str) -> set[str]:
    """Of those launched for it; the tags are those that they had when they died."""
    return {
        it.instance
        for it in stage.control.states()
        if it.state == "terminated" and it.tags.get(checks.RESCUE) == original
    } - {original}


# --- checks ---------------------------------------------------------------------------------------


def asked_at_most(times: int) -> Check:
    def check(evidence: Evidence) -> list[Result]:
        found = len(launches(evidence.stage))
        return [Result(0 < found <= times, f"at most {times} launch calls ({found})")]

    return check


def refused_with(code: str) -> Check:
    """Otherwise the story proves nothing."""

    def check(evidence: Evidence) -> list[Result]:
        found = sum(code in it["refused"] for it in launches(evidence.stage))
        return [Result(found > 0, f"EC2 answered {code} in {found} HTTP 200(s)")]

    return check


def at_once(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    pending = [it.t for it in stage.control.states() if it.instance == evidence.after().instance]
    took = min(pending) - (stage.control.interrupted_at or 0)
    return [
        Result(took <= 10, f"launched within ten seconds of the warning ({took:.1f} s)"),
        checks.equal("the outcome says so", "on-demand", evidence.outcome["market"]),
    ]


def unreplaced_once(*words: str) -> Check:
    """With the refusal, or the reason they died for, in the outcome."""

    def check(evidence: Evidence) -> list[Result]:
        found = [it["outcome"] for it in evidence.stage.log.outcomes()]
        # Two looks at the same moment may both see the end; a standstill is told by the look that noted it.
        if found[-2:] == ["back-in-service"] * 2:
            found.pop()
        lines = [json.dumps(it) for it in told(evidence.stage, "unreplaced")]
        missing = [it for it in words if not all(it in line for line in lines)]
        return [
            checks.equal(
                "reported once, and then the end", ["unreplaced", "back-in-service"], found
            ),
            checks.equal("it says why", [], missing if lines else list(words)),
        ]

    return check


def in_time(evidence: Evidence) -> list[Result]:
    since = evidence.stage.control.interrupted_at or 0
    took = [it.get(SEEN, 0) - since for it in told(evidence.stage, "unreplaced")]
    minutes = ", ".join(f"{it / 60:.1f}" for it in took)
    return [
        Result(
            bool(took) and all(0 < it <= PATIENCE for it in took),
            f"told within {PATIENCE // 60} minutes of the interruption ({minutes} minutes)",
        )
    ]


def safe_meanwhile(evidence: Evidence) -> list[Result]:
    """Two hours later: reported once, and every volume waits, free and without an expiry."""
    outcomes, volumes = evidence.stage.meanwhile
    waiting = {
        it["VolumeId"]
        for it in volumes
        if it["State"] == "available"
        and checks.EXPIRES not in {tag["Key"] for tag in it.get("Tags", [])}
    }
    wanted = set(checks.names(evidence.before).values())
    return [
        checks.equal(
            "reported once in two hours", ["unreplaced"], [it["outcome"] for it in outcomes]
        ),
        checks.equal("no volume is lost or expires meanwhile", wanted, wanted & waiting),
    ]


def few_died(evidence: Evidence) -> list[Result]:
    outcomes, before = evidence.stage.meanwhile
    living = [
        it["InstanceId"]
        for it in checks.lineage(evidence, evidence.before.instance)
        if it["State"]["Name"] == "running"
    ]
    return [
        Result(0 < len(before) <= 3, f"one to three died in the first half hour ({len(before)})"),
        checks.equal(
            "reported in that half hour", ["unreplaced"], [it["outcome"] for it in outcomes]
        ),
        checks.equal("exactly one replacement runs", [evidence.outcome["replacement"]], living),
    ]


WHOLE = (checks.moved, checks.rejoined)
SCENARIOS = [
    Scenario(
        name="refused-spot",
        story="its type is not sold as Spot any more, which is no lack of capacity: On-Demand at once",
        drive=not_sold_as_spot,
        checks=(
            *WHOLE,
            checks.one_replacement,
            checks.told_once,
            on_demand,
            at_once,
            refused_with(NOT_SOLD),
            asked_at_most(4),
        ),
    ),
    Scenario(
        name="refused-mended",
        story="a policy forbids every launch: reported with the code, and whole once it is mended",
        drive=forbidden_for_a_while,
        checks=(
            *WHOLE,
            checks.one_replacement,
            unreplaced_once(FORBIDDEN),
            in_time,
            refused_with(FORBIDDEN),
            asked_at_most(15),
        ),
        deadline=SWEEP_SECONDS,
    ),
    Scenario(
        name="unreplaced",
        story="no capacity anywhere for two hours: reported once, nothing is lost, and back when there is",
        drive=nothing_for_two_hours,
        checks=(
            *WHOLE,
            checks.one_replacement,
            unreplaced_once(NONE_LEFT, "spot", "on-demand"),
            safe_meanwhile,
            refused_with(NONE_LEFT),
        ),
        deadline=SWEEP_SECONDS,
    ),
    Scenario(
        name="dies-at-boot",
        story="every replacement dies while booting: few are tried, it is reported, and back when one lives",
        drive=dying_for_half_an_hour,
        checks=(*WHOLE, few_died, unreplaced_once(DEATH)),
        deadline=SWEEP_SECONDS,
    ),
]
