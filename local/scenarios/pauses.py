"""stop and hibernate: EC2 brings the instance back by itself; the function leaves it alone."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Drive, Scenario
from local.stage import Stage


def paused_by(action: str) -> Drive:
    def drive(stage: Stage, instances: list[str]) -> None:
        (instance,) = instances
        stage.control.interrupt(instances, action)
        stopped = lambda: stage.world.states([instance])[instance] == "stopped"
        stage.until("the instance to stop", stopped, 300)
        stage.control.sleep(30)
        stage.control.start(instance)

    return drive


def reported_paused(evidence: Evidence) -> list[Result]:
    said = [it["outcome"] for it in evidence.stage.log.outcomes()]
    return [checks.equal("reported as paused, then as resumed", ["paused", "resumed"], said)]


def same_instance(evidence: Evidence) -> list[Result]:
    state = evidence.stage.world.states()[evidence.before.instance]
    return [checks.equal("the same instance runs", "running", state)]


SCENARIOS = [
    Scenario(
        name=action,
        story=story,
        drive=paused_by(action),
        action=action,
        ends=frozenset({"resumed"}),
        checks=(
            checks.moved,
            checks.rejoined,
            checks.no_replacement,
            same_instance,
            reported_paused,
        ),
    )
    for action, story in {
        "stop": "stopped after two minutes, started again by EC2",
        "hibernate": "hibernated at once, resumed by EC2",
    }.items()
]
