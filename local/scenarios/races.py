"""Events that come twice, late or all at once; a function that dies; a replacement that is interrupted, too."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.control import warning
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES, as_dict


def three_times(stage: Stage, instances: list[str]) -> None:
    """EventBridge delivers at least once; here each copy is handled by another function."""
    stage.pump.pause()
    stage.until("the pump to rest", lambda: not stage.pump.is_busy(), 60)
    stage.control.interrupt(instances)
    for _ in range(2):
        stage.control.event(warning(instances[0], ZONES[0]))
    stage.pump.resume()


def after_the_end(stage: Stage, instances: list[str]) -> None:
    """Nothing is delivered until the instance is gone."""
    stage.pump.pause()
    stage.control.interrupt(instances)
    ended = lambda: set(stage.world.states(instances).values()) == {"terminated"}
    stage.until("the instance to end", ended, 400)
    stage.pump.resume()


def unheard(stage: Stage, instances: list[str]) -> None:
    """No event of the warning or the end comes; only the schedule."""
    stage.pump.pause()
    stage.control.interrupt(instances, warn=False)
    ended = lambda: set(stage.world.states(instances).values()) == {"terminated"}
    stage.until("the instance to end", ended, 400)
    stage.sqs.purge_queue(QueueUrl=stage.deployment.queue_url)
    stage.pump.resume()
    stage.sweep()


def killed_twice(stage: Stage, instances: list[str]) -> None:
    """Once when the replacement has just been asked for, once when a volume is being attached."""
    since = stage.now()
    stage.control.interrupt(instances)
    for action in ("ec2:CreateFleet", "ec2:AttachVolume"):
        stage.until(action, lambda action=action: stage.called(action, since), 300, 0.01)
        for function in stage.functions:
            function.restart()


def taken_as_well(stage: Stage, instances: list[str]) -> None:
    """The replacement is interrupted as soon as it runs, its rescue unfinished."""
    stage.control.interrupt(instances)
    found: list[str] = []

    def replacement_runs() -> bool:
        for it in stage.world.instances():
            replaces = as_dict(it.get("Tags", [])).get("spot-rescue:replaces")
            if replaces == instances[0] and it["State"]["Name"] == "running":
                found.append(it["InstanceId"])
        return bool(found)

    stage.until("the replacement to run", replacement_runs, 100)
    stage.control.interrupt(found[:1])


def second_replacement(evidence: Evidence) -> list[Result]:
    launched = checks.lineage(evidence, evidence.before.instance)
    running = [it["InstanceId"] for it in launched if it["State"]["Name"] == "running"]
    return [
        checks.equal("one replacement runs", [evidence.outcome["replacement"]], running),
        checks.equal("two were launched, one for each interruption", 2, len(launched)),
    ]


def taken_back(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    called = [it for it in stage.meant() if it["action"] == "ec2:RestoreVolumeFromRecycleBin"]
    return [
        checks.equal("one volume was taken back", 1, len([it for it in called if not it["code"]])),
        Result(not stage.called("ec2:CreateVolume"), "none was made of a snapshot"),
    ]


def killed_at_work(evidence: Evidence) -> list[Result]:
    """Otherwise the story proves nothing: an idle function may die unnoticed."""
    cut_off = [it for it in evidence.stage.pump.errors if it.startswith("invocation")]
    return [Result(bool(cut_off), f"killed in the middle of {len(cut_off)} invocation(s)")]


SCENARIOS = [
    Scenario(
        name="duplicate",
        story="the warning is delivered three times, handled at the same time",
        drive=three_times,
        functions=3,
        batch_size=1,
    ),
    Scenario(
        name="late",
        story="no event arrives before the instance is gone",
        drive=after_the_end,
        # What is deleted with the instance is gone before any event comes.
        delete_first=False,
    ),
    Scenario(
        name="no-warning",
        story="no warning and no event at all: the sweep finds the ended instance",
        drive=unheard,
        delete_first=False,
    ),
    Scenario(
        name="no-warning-deleted",
        story="the same, and EC2 has deleted a volume with the instance: the Recycle Bin gives it back",
        drive=unheard,
        settings={"recycle_days": 7},
        checks=(checks.moved, checks.rejoined, checks.one_replacement, taken_back),
    ),
    Scenario(
        name="crash",
        story="the function is killed twice in the middle of the rescue",
        drive=killed_twice,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, killed_at_work),
    ),
    Scenario(
        name="chain",
        story="the replacement is interrupted before its rescue is finished",
        drive=taken_as_well,
        checks=(checks.moved, checks.rejoined, second_replacement),
        deadline=900,
    ),
    Scenario(
        name="storm",
        story="25 instances at once",
        instances=25,
        functions=3,
        deadline=900,
        rest=900,
    ),
]
