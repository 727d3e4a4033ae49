"""A warning that EC2 does not carry out: the instance runs on, and has to serve again."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.function import SEEN
from local.scenarios.foreseen import spare
from local.scenarios.scenario import Scenario
from local.stage import Stage

WITHDRAWN = "warning-withdrawn"
# Until the instance serves again: nothing is certain before, and traffic is lost meanwhile.
ABOUT_A_QUARTER = 16 * 60


def runs_on(stage: Stage, instances: list[str]) -> None:
    """It is taken out of service as for any warning; two minutes later nothing happens."""
    (instance,) = instances
    before = stage.world.view(instance)
    since = stage.now()
    stage.control.interrupt(instances, carry_out=False)
    left = lambda: stage.called("elasticloadbalancing:DeregisterTargets", since)
    stage.until("the traffic to leave", left, 60, 0.02)
    stage.until("the replacement to run", lambda: bool(spare(stage, instance)), 60)

    def serves() -> bool:
        found = stage.world.view(instance)
        return (found.targets, found.volumes) == (before.targets, before.volumes)

    stage.until("the instance to serve as before", serves, since + ABOUT_A_QUARTER - stage.now())


def given_back(stage: Stage) -> None:
    """The sweep marks the replacement and, minutes later, ends it."""
    (original,) = {it["rescue"] for it in stage.log.outcomes()}
    stage.sweeps("the replacement to be given back", lambda: not spare(stage, original), 3)
    stage.settle(300)


def serves_on(evidence: Evidence) -> list[Result]:
    world, before = evidence.stage.world, evidence.before
    after = world.view(before.instance)
    return [
        checks.equal("the instance runs", "running", world.states()[before.instance]),
        checks.equal("same targets on the same ports", before.targets, after.targets),
        checks.equal("same volumes, DeleteOnTermination as it was", before.volumes, after.volumes),
        checks.equal("each Elastic IP where it was", before.seats, after.seats),
        checks.equal(
            "user's tags kept", checks.user_tags(before.tags), checks.user_tags(after.tags)
        ),
    ]


def alone(evidence: Evidence) -> list[Result]:
    """The replacement was launched, as the warning demanded, and has ended."""
    found = checks.lineage(evidence, evidence.before.instance)
    states = [it["State"]["Name"] for it in found]
    return [checks.equal("one replacement was launched, and has ended", ["terminated"], states)]


def told_in_time(evidence: Evidence) -> list[Result]:
    since = evidence.stage.control.interrupted_at or 0
    took = evidence.outcome.get(SEEN, float("inf")) - since
    told = f"told within about a quarter of an hour ({took / 60:.1f} minutes)"
    said = [it["outcome"] for it in evidence.stage.log.outcomes()]
    return [
        Result(took <= ABOUT_A_QUARTER, told),
        checks.equal("that, and nothing else, was reported", [WITHDRAWN], said),
    ]


SCENARIOS = [
    Scenario(
        name="not-carried-out",
        story="a warning, and EC2 does not take the instance: it serves again, its replacement goes",
        drive=runs_on,
        ends=frozenset({WITHDRAWN}),
        afterwards=given_back,
        checks=(serves_on, alone, told_in_time),
        rest=900,
    ),
]
