"""stop and hibernate: EC2 brings the instance back by itself; the function leaves it alone."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.function import SEEN
from local.scenarios.scenario import Check, Drive, Scenario
from local.stage import SWEEP_SECONDS, Stage


def paused_by(action: str) -> Drive:
    def drive(stage: Stage, instances: list[str]) -> None:
        (instance,) = instances
        stage.control.interrupt(instances, action)
        stopped = lambda: stage.world.states([instance])[instance] == "stopped"
        stage.until("the instance to stop", stopped, 300)
        stage.sleep(30)
        stage.control.start(instance)

    return drive


def reported_paused(evidence: Evidence) -> list[Result]:
    said = [it["outcome"] for it in evidence.stage.log.outcomes()]
    return [checks.equal("reported as paused, then as resumed", ["paused", "resumed"], said)]


def same_instance(evidence: Evidence) -> list[Result]:
    state = evidence.stage.world.states()[evidence.before.instance]
    return [checks.equal("the same instance runs", "running", state)]


HOUR_SECONDS = 3600
RESTORE = {"spot-rescue:no-return": "restore"}


def not_back(stage: Stage, instances: list[str]) -> None:
    """An hour is what EC2 has to bring it back."""
    (instance,) = instances
    stage.control.interrupt(instances, "stop")
    stopped = lambda: stage.world.states([instance])[instance] == "stopped"
    stage.until("the instance to stop", stopped, 300)
    said = lambda: any(it["outcome"] == "paused" for it in stage.log.outcomes())
    stage.until("it to be told", said, 100)
    late = lambda: any(it["outcome"] == "overdue" for it in stage.log.outcomes())
    stage.sweeps("it to be overdue", late)


def then_too_late(stage: Stage, instances: list[str]) -> None:
    """Replaced; and then EC2 has capacity for the original after all."""
    (instance,) = instances
    not_back(stage, instances)
    back = lambda: any(it["outcome"] == "back-in-service" for it in stage.log.outcomes())
    stage.until("the replacement to serve", back, 600)
    stage.settle(300)
    stage.control.start(instance)


def told(*expected: str) -> Check:
    def check(evidence: Evidence) -> list[Result]:
        said = [it["outcome"] for it in evidence.stage.log.outcomes()]
        return [checks.equal(f"reported as {', '.join(expected)}", list(expected), said)]

    return check


def after_an_hour(evidence: Evidence) -> list[Result]:
    """Reported by the first sweep after it."""
    stage = evidence.stage
    late = [it.get(SEEN, 0) for it in stage.log.outcomes() if it["outcome"] == "overdue"]
    since = [it - (stage.control.interrupted_at or 0) for it in late]
    told_then = bool(since) and all(
        HOUR_SECONDS <= it <= HOUR_SECONDS + SWEEP_SECONDS for it in since
    )
    minutes = ", ".join(f"{it / 60:.0f}" for it in since)
    return [Result(told_then, f"overdue when an hour is over ({minutes} minutes)")]


def still_stopped(evidence: Evidence) -> list[Result]:
    world, before = evidence.stage.world, evidence.before
    view = world.view(before.instance)
    return [
        checks.equal("it stays stopped", "stopped", world.states()[before.instance]),
        checks.equal("with its volumes", checks.names(before), checks.names(view)),
    ]


def out_of_service(evidence: Evidence) -> list[Result]:
    """Both run, one serves."""
    world, before = evidence.stage.world, evidence.before
    found = [it["InstanceId"] for it in checks.lineage(evidence, before.instance)]
    serving = world.view(found[0]).targets
    original = world.targets(before.instance, before.private_address)
    return [
        checks.equal("one replacement was launched", 1, len(found)),
        checks.equal("it has all targets", before.targets, serving),
        checks.equal("the original has none", set(), original),
        checks.equal(
            "and all its volumes", checks.names(before), checks.names(world.view(before.instance))
        ),
    ]


def kept_request(stage: Stage, instances: list[str]) -> None:
    """Made by RequestSpotInstances: it terminates, and EC2 launches from it again."""
    (instance,) = instances
    stage.control.persistent(instance)
    # What is on record says one-time: an instance that was made so is prepared anew.
    (template,) = stage.world.templates()
    stage.world.ec2.delete_tags(
        Resources=[template["LaunchTemplateId"]], Tags=[{"Key": "spot-rescue:request"}]
    )
    stage.sweep()
    marked = lambda: stage.called("ec2:DescribeSpotInstanceRequests")
    stage.until("the request to be looked at", marked, 100)
    stage.settle(200)
    stage.control.interrupt(instances)


def nothing_beside(evidence: Evidence) -> list[Result]:
    states = evidence.stage.world.states()
    running = [it for it, state in states.items() if state == "running"]
    return [
        checks.equal("no other instance runs", [evidence.outcome["replacement"]], running),
        Result(evidence.stage.called("ec2:CancelSpotInstanceRequests"), "the request is cancelled"),
    ]


SCENARIOS = [
    Scenario(
        name="stop-no-return",
        story="stopped, and not brought back in time: reported, and left to EC2",
        drive=not_back,
        action="stop",
        ends=frozenset({"overdue"}),
        checks=(still_stopped, checks.no_replacement, told("paused", "overdue"), after_an_hour),
    ),
    Scenario(
        name="stop-restore",
        story="stopped, not back in time, replaced with copies; then it comes back after all",
        drive=then_too_late,
        action="stop",
        tags=lambda _: RESTORE,
        ends=frozenset({"returned-late"}),
        checks=(out_of_service, told("paused", "overdue", "back-in-service", "returned-late")),
        deadline=900,
    ),
    Scenario(
        name="persistent",
        story="a persistent request that terminates is cancelled before EC2 launches from it again",
        drive=kept_request,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, nothing_beside),
    ),
    *(
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
    ),
]
