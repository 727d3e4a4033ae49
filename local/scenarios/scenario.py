"""The parts of a story, and how every one is played: build, prepare, drive, come to rest, check."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.stage import Overdue, Parameters, Stage
from local.world import View

Drive = Callable[[Stage, list[str]], None]
Check = Callable[[Evidence], list[Result]]


def interrupt(stage: Stage, instances: list[str]) -> None:
    """The plain story: a warning, and two minutes later the end."""
    stage.control.interrupt(instances)


@dataclass(frozen=True)
class Scenario:
    name: str
    story: str
    drive: Drive = interrupt
    # The outcomes that end the story, one per instance.
    ends: frozenset[str] = frozenset({"back-in-service"})
    checks: tuple[Check, ...] = (
        checks.moved,
        checks.rejoined,
        checks.one_replacement,
    )
    # What ends the story.
    afterwards: Callable[[Stage], None] = lambda stage: None
    action: str = "terminate"
    instances: int = 1
    platform: str = "linux"
    # The first data volume is deleted with the instance unless that is prevented.
    delete_first: bool = True
    # What its user launched it with besides, as RunInstances names it.
    launched_with: dict[str, Any] = field(default_factory=dict)
    # What is done before the instances run: nothing is prepared for them yet.
    early: Drive = lambda *_: None
    # What the user has besides, before the rescue is prepared.
    more: Drive = lambda *_: None
    # Further instances for which a rescue is prepared in the end.
    others: Callable[[Stage], set[str]] = lambda _: set()
    tags: Callable[[Stage], dict[str, str]] = lambda _: {}
    settings: dict[str, Any] = field(default_factory=dict)
    # Of the stack, once what they name is there.
    parameters: Parameters = lambda _: {}
    functions: int = 2
    batch_size: int | None = None
    # AWS-seconds from the interruption to the outcome, and from there to rest.
    deadline: float = 500
    rest: float = 500


@dataclass
class Played:
    """A story that has been played."""

    scenario: Scenario
    stage: Stage
    began: float = 0.0
    instances: list[str] = field(default_factory=list)
    results: list[Result] = field(default_factory=list)

    @property
    def zero(self) -> float:
        """Where the timeline counts from: the interruption, if there was one."""
        at = self.stage.control.interrupted_at
        return self.began if at is None else at

    @property
    def passed(self) -> bool:
        return bool(self.results) and all(it.passed for it in self.results)


def play(scenario: Scenario, stage: Stage) -> Played:
    played = Played(scenario, stage)
    try:
        before, known = prepare(scenario, stage, played)
        played.began = stage.now()
        stage.say("the rescue is prepared; now the interruption")
        scenario.drive(stage, played.instances)
        outcomes = await_outcomes(scenario, stage, played)
        stage.say("over; waiting for everything to come to rest")
        stage.settle(scenario.rest)
        scenario.afterwards(stage)
        played.results += examine(played, before, outcomes, known)
    except Overdue as overdue:
        played.results.append(Result(False, str(overdue)))
    finally:
        stage.dump()
    return played


def prepare(scenario: Scenario, stage: Stage, played: Played) -> tuple[dict[str, View], set[str]]:
    """The world, and a rescue prepared for each instance in it."""
    stage.say("local AWS is up, template.yaml deployed; launching Spot Instances")
    stage.world.build()
    if scenario.platform == "windows":
        stage.world.use_windows()
    stage.control.settings(**scenario.settings)
    played.instances = stage.world.launch(
        scenario.instances,
        scenario.action,
        scenario.tags(stage),
        scenario.delete_first,
        more=scenario.launched_with,
    )
    scenario.early(stage, played.instances)
    running = lambda: set(stage.world.states(played.instances).values()) == {"running"}
    stage.until("the instances to run", running, aws_seconds=200)
    for instance in played.instances:
        stage.world.serve(instance)
    scenario.more(stage, played.instances)
    stage.settle(400)
    # The rescue was prepared when the instance began to run; the sweep sees the targets.
    stage.sweep()
    prepared = lambda: len(stage.world.templates()) == len(played.instances)
    stage.until("the rescues to be prepared", prepared, aws_seconds=600)
    stage.settle(400)
    known = {it["SnapshotId"] for it in stage.world.snapshots()}
    return {it: stage.world.view(it) for it in played.instances}, known


def await_outcomes(scenario: Scenario, stage: Stage, played: Played) -> dict[str, dict[str, Any]]:
    """The outcome that ends the story, by lineage."""
    if not scenario.ends:
        return {}

    def ended() -> dict[str, dict[str, Any]]:
        lines = [it for it in stage.log.outcomes() if it["outcome"] in scenario.ends]
        return {it["rescue"]: it for it in lines}

    wanted = set(played.instances)
    ends = " or ".join(sorted(scenario.ends))
    stage.until(
        f"{len(wanted)} outcome(s) {ends}", lambda: set(ended()) >= wanted, scenario.deadline
    )
    return ended()


def examine(
    played: Played,
    before: dict[str, View],
    outcomes: dict[str, dict[str, Any]],
    known: set[str],
) -> list[Result]:
    scenario, stage = played.scenario, played.stage
    each: dict[str, list[Result]] = {}
    for instance, view in before.items():
        evidence = Evidence(stage, view, outcomes.get(instance, {}), played.began)
        for check in scenario.checks:
            for result in check(evidence):
                each.setdefault(result.what.partition(":")[0], []).append(result)
    results = [summed_up(group) for group in each.values()]
    results += checks.nothing_left_over(stage, set(before) | scenario.others(stage), known)
    return results + checks.all_handled(stage)


def summed_up(group: list[Result]) -> Result:
    """One line for many instances: how many, and the first that failed."""
    failed = [it for it in group if not it.passed]
    if len(group) == 1 or not failed:
        count = f" ({len(group)} instances)" if len(group) > 1 else ""
        return replace(group[0], what=group[0].what + count)
    return Result(False, f"{failed[0].what} (and {len(failed) - 1} more of {len(group)})")
