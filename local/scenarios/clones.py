"""Copies of the data volumes, in use before the old instance has ended; and restores filled faster."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.capacity import elsewhere, without_the_zone
from local.scenarios.scenario import Scenario, interrupt
from local.stage import Stage
from local.world import ZONES

RATE = 200


def until_it_serves(stage: Stage, instances: list[str]) -> None:
    """Notes whether the old instance still lived when its replacement was registered."""
    interrupt(stage, instances)
    back = lambda: any(it["outcome"] == "back-in-service" for it in stage.log.outcomes())
    stage.until("the rescue", back, 300)
    stage.lived = stage.world.states(instances)


def before_the_end(evidence: Evidence) -> list[Result]:
    old = evidence.stage.lived[evidence.before.instance]
    counts = evidence.outcome.get("volumes", {})
    made = evidence.outcome.get("cloned_at_seconds") or {}
    return [
        checks.equal("the old instance still ran when the new one served", "running", old),
        checks.equal("two volumes were cloned", 2, counts.get("cloned")),
        checks.equal("the report tells when", {"/dev/sdf", "/dev/sdg"}, set(made)),
    ]


def clones(evidence: Evidence) -> list[Result]:
    """As EC2 shows them."""
    volumes = {it["VolumeId"]: it for it in evidence.stage.world.volumes()}
    sources = {
        name: volumes[volume].get("SourceVolumeId")
        for name, (volume, _) in evidence.after().volumes.items()
    }
    return [checks.equal("EC2 copied them", checks.names(evidence.before), sources)]


def filled(evidence: Evidence) -> list[Result]:
    volumes = {it["VolumeId"]: it for it in evidence.stage.world.volumes()}
    rates = [
        volumes[volume].get("VolumeInitializationRate")
        for volume, _ in evidence.after().volumes.values()
    ]
    return [checks.equal("both are initialized at the rate", [RATE, RATE], rates)]


SCENARIOS = [
    Scenario(
        name="clone",
        story="clones of its volumes serve before the old instance has ended",
        drive=until_it_serves,
        tags=lambda _: {"spot-rescue:data": "clone"},
        checks=(
            before_the_end,
            clones,
            checks.restored,
            checks.rejoined,
            checks.one_replacement,
        ),
    ),
    Scenario(
        name="initialization-rate",
        story="restored in another zone, and filled at the rate its user pays for",
        drive=without_the_zone,
        tags=lambda stage: {
            "spot-rescue:subnets": stage.world.subnets[ZONES[1]],
            "spot-rescue:initialization-rate": str(RATE),
        },
        checks=(checks.restored, checks.rejoined, checks.one_replacement, elsewhere, filled),
        deadline=700,
    ),
]
