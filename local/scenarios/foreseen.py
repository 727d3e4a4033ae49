"""What is only foreseen: a rebalance recommendation, a date of AWS Health's; and what then comes."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.control import health, rebalance
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES, as_dict

REPLACE = {"spot-rescue:rebalance": "replace"}


def a_set(stage: Stage) -> list[dict[str, Any]]:
    found = [(it, as_dict(it.get("Tags", []))) for it in stage.world.snapshots()]
    return [it for it, tags in found if tags.get(checks.SET, "").startswith("risk-")]


def spare(stage: Stage, instance: str) -> list[str]:
    """Its spares that run."""
    return [
        it["InstanceId"]
        for it in stage.world.instances()
        if as_dict(it.get("Tags", [])).get("spot-rescue:replaces") == instance
        and it["State"]["Name"] == "running"
    ]


def given(stage: Stage, instance: str) -> bool:
    """It is marked to end, some minutes later."""
    waiting = spare(stage, instance)
    found = [it for it in stage.world.instances() if it["InstanceId"] in waiting]
    return bool(found) and all(checks.EXPIRES in as_dict(it["Tags"]) for it in found)


def recommended(stage: Stage, instances: list[str]) -> None:
    (instance,) = instances
    stage.control.event(rebalance(instance))
    stage.until("the fresh set", lambda: bool(a_set(stage)), 60)


def announced(stage: Stage, instances: list[str]) -> None:
    """A retirement in a fortnight leads to nothing yet; one in ten minutes does."""
    (instance,) = instances
    now = stage.control.date()
    stage.control.event(health(instance, now + timedelta(days=14)))
    stage.sleep(20)
    early = a_set(stage)
    stage.control.event(health(instance, now + timedelta(minutes=10)))
    stage.until("the fresh set", lambda: bool(a_set(stage)) and not early, 60)


def then_warned(stage: Stage, instances: list[str]) -> None:
    """EC2 refuses a second snapshot of a volume within seconds."""
    recommended(stage, instances)
    stage.control.interrupt(instances)


def replaced_early(stage: Stage, instances: list[str]) -> None:
    """The spare is launched; then capacity runs out; then the instance is taken."""
    (instance,) = instances
    stage.control.event(rebalance(instance))
    stage.until("the spare to run", lambda: len(spare(stage, instance)) == 1, 100)
    stage.settle(200)
    for market in ("spot", "on-demand"):
        stage.control.capacity(ZONES[0], "*", market, "InsufficientInstanceCapacity")
    stage.control.interrupt(instances)


def not_needed(stage: Stage, instances: list[str]) -> None:
    """A spare waits for six hours, and is ended five minutes later at the earliest."""
    (instance,) = instances
    stage.control.event(rebalance(instance))
    stage.until("the spare to run", lambda: len(spare(stage, instance)) == 1, 100)
    stage.settle(200)
    stage.sleep(6 * 3600)
    still = spare(stage, instance)
    stage.sweep()
    stage.until("the spare to be given back", lambda: given(stage, instance), 100)
    stage.sleep(300)
    stage.sweep()
    stage.until("the spare to end", lambda: bool(still) and not spare(stage, instance), 200)


def serves_on(evidence: Evidence) -> list[Result]:
    stage, before = evidence.stage, evidence.before
    found = a_set(stage)
    expiring = [it for it in found if checks.EXPIRES in as_dict(it["Tags"])]
    return [
        checks.equal("the instance is as it was", before.targets, evidence.after().targets),
        checks.equal("with its volumes", before.volumes, evidence.after().volumes),
        checks.equal("one fresh set of all volumes, with an expiry", 3, len(expiring)),
    ]


def one_set(evidence: Evidence) -> list[Result]:
    calls = [it for it in evidence.stage.journal() if it["action"] == "ec2:CreateSnapshots"]
    return [
        checks.equal("one set was taken, for both", 1, len([it for it in calls if not it["code"]]))
    ]


def given_back(evidence: Evidence) -> list[Result]:
    states = [it["State"]["Name"] for it in checks.lineage(evidence, evidence.before.instance)]
    return [checks.equal("the spare has ended, and only it", ["terminated"], states)]


SCENARIOS = [
    Scenario(
        name="rebalance",
        story="a rebalance recommendation that nothing follows: a fresh snapshot set",
        drive=recommended,
        ends=frozenset(),
        checks=(serves_on, checks.no_replacement),
    ),
    Scenario(
        name="health",
        story="AWS Health names a day: nothing at first, a fresh snapshot set when it comes near",
        drive=announced,
        ends=frozenset(),
        checks=(serves_on, checks.no_replacement),
    ),
    Scenario(
        name="rebalance-then-warning",
        story="the warning follows the recommendation in seconds",
        drive=then_warned,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, one_set),
        settings={"snapshot_seconds": 200},
    ),
    Scenario(
        name="rebalance-replace",
        story="a spare is launched at the recommendation, and takes over at the interruption",
        drive=replaced_early,
        tags=lambda _: REPLACE,
        checks=(checks.moved, checks.rejoined, checks.one_replacement),
    ),
    Scenario(
        name="spare-not-needed",
        story="a spare is launched at the recommendation, nothing follows: it is given back",
        drive=not_needed,
        tags=lambda _: REPLACE,
        ends=frozenset(),
        checks=(serves_on, given_back),
    ),
]
