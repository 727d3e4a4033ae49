"""Members of Auto Scaling groups: one replacement, launched by the group or by the function."""

from __future__ import annotations

from collections.abc import Callable

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import GROUP, as_dict

LAUNCH = {"spot-rescue:replace": "launch"}
HOOK = "spot-rescue"


def grouped(
    rebalance: bool = False, hook: bool = False, least: int | None = None
) -> Callable[[Stage, list[str]], None]:
    """The instances become members; by default the group can get neither smaller nor bigger."""

    def arrange(stage: Stage, instances: list[str]) -> None:
        stage.world.group(instances, rebalance, HOOK if hook else None, least)

    return arrange


def cleared(stage: Stage) -> None:
    """The sweep removes the claims."""
    stage.sweep()
    stage.settle(300)


def by_the_group(evidence: Evidence) -> list[Result]:
    return launched(evidence, by_group=True)


def by_us(evidence: Evidence) -> list[Result]:
    return launched(evidence, by_group=False)


def launched(evidence: Evidence, by_group: bool) -> list[Result]:
    stage = evidence.stage
    fleets = [it for it in stage.meant() if it["action"] == "ec2:CreateFleet"]
    running = {key for key, state in stage.world.states().items() if state == "running"}
    group = stage.world.scaling.describe_auto_scaling_groups()["AutoScalingGroups"][0]
    members = {it["InstanceId"] for it in group["Instances"]}
    states = {it["LifecycleState"] for it in group["Instances"]}
    replacement = evidence.outcome["replacement"]
    held = as_dict(stage.world.instance(replacement).get("Tags", []))
    return [
        checks.equal("launched by the group", by_group, not fleets),
        checks.equal("all that run are members", running, members),
        checks.equal("all members serve", {"InService"}, states),
        checks.equal("the group is as large as before", len(members), group["DesiredCapacity"]),
        checks.equal("the replacement says so", GROUP, held.get("aws:autoscaling:groupName")),
    ]


def called(action: str, times: int) -> Callable[[Evidence], list[Result]]:
    def check(evidence: Evidence) -> list[Result]:
        done = [it for it in evidence.stage.journal() if it["action"] == action and not it["code"]]
        return [checks.equal(f"{action} succeeded {times} times", times, len(done))]

    return check


WHOLE = (checks.moved, checks.rejoined, checks.one_replacement)

SCENARIOS = [
    Scenario(
        name="group",
        story="a member of a group: the group launches at once, a launch hook holds it for its disks",
        more=grouped(hook=True),
        afterwards=cleared,
        checks=(
            *WHOLE,
            by_the_group,
            called("autoscaling:DetachInstances", 1),
            called("autoscaling:CompleteLifecycleAction", 1),
        ),
    ),
    Scenario(
        name="group-rebalancing",
        story="Capacity Rebalancing has replaced the member already: it is not detached",
        more=grouped(rebalance=True),
        afterwards=cleared,
        checks=(*WHOLE, by_the_group, called("autoscaling:DetachInstances", 0)),
    ),
    Scenario(
        name="group-launch",
        story="the replacement is ours, and joins the group in the old one's place",
        more=grouped(least=0),
        tags=lambda _: LAUNCH,
        checks=(*WHOLE, by_us, called("autoscaling:AttachInstances", 1)),
    ),
    Scenario(
        name="group-fixed-size",
        story="the same is asked of a group that can get neither smaller nor bigger: it launches itself",
        more=grouped(),
        tags=lambda _: LAUNCH,
        afterwards=cleared,
        checks=(*WHOLE, by_the_group),
    ),
    Scenario(
        name="group-two-at-once",
        story="two members at once: each new one gets the disks of one old one",
        more=grouped(),
        afterwards=cleared,
        instances=2,
        checks=(*WHOLE, by_the_group),
    ),
]
