"""AWS out of order: calls are slow, throttled, unanswered, or done and unanswered."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario
from local.stage import Stage

FAULTS = 0.2
SEED = 20


def while_calls_fail(stage: Stage, instances: list[str]) -> None:
    stage.control.chaos(FAULTS, stage.deployment.role.access_key, seed=SEED)
    stage.control.interrupt(instances)


def went_wrong(evidence: Evidence) -> list[Result]:
    """Without any failure the story would prove nothing."""
    done = evidence.stage.control.chaos_done()
    told = ", ".join(f"{count} {kind}" for kind, count in sorted(done["attempts"].items()))
    calls = f"{done['disturbed']} of {done['calls']} calls were disturbed ({told})"
    return [Result(done["disturbed"] > 0, calls)]


SCENARIOS = [
    Scenario(
        name="chaos",
        story="a fifth of all calls is slow, throttled, cut off, or done but never answered",
        drive=while_calls_fail,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, went_wrong),
        deadline=900,
        rest=900,
    ),
]
