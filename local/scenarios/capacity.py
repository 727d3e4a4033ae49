"""No capacity where the instance was."""

from __future__ import annotations

from collections.abc import Callable

from local import checks
from local.checks import Evidence, Result
from local.scenarios.races import taken_as_well
from local.scenarios.scenario import Scenario, interrupt
from local.stage import Stage
from local.world import INSTANCE_TYPE, ZONES

NONE_LEFT = "InsufficientInstanceCapacity"


def without_spot(stage: Stage, instances: list[str]) -> None:
    stage.control.capacity("*", "*", "spot", NONE_LEFT)
    interrupt(stage, instances)


def without_the_zone(stage: Stage, instances: list[str]) -> None:
    stage.control.capacity(ZONES[0], "*", "*", NONE_LEFT)
    interrupt(stage, instances)


def on_demand(evidence: Evidence) -> list[Result]:
    it = evidence.stage.world.instance(evidence.outcome["replacement"])
    return [
        # The field is absent for On-Demand Instances.
        checks.equal("the replacement is On-Demand", None, it.get("InstanceLifecycle")),
        checks.equal("in the same zone", evidence.before.zone, it["Placement"]["AvailabilityZone"]),
    ]


def elsewhere(evidence: Evidence) -> list[Result]:
    after = evidence.after()
    # They may have expired by now.
    closing = [
        it
        for it in evidence.stage.journal()
        if it["action"] == "ec2:CreateSnapshot"
        and not it["code"]
        and any(value.startswith("closing-") for value in it["params"].values())
    ]
    return [
        checks.equal("the replacement is in the other zone", ZONES[1], after.zone),
        checks.equal("each volume was snapshotted once more at its end", 2, len(closing)),
    ]


def without_its_type(stage: Stage, instances: list[str]) -> None:
    stage.control.capacity("*", INSTANCE_TYPE, "*", NONE_LEFT)
    interrupt(stage, instances)


def beyond_the_quotas(stage: Stage, instances: list[str]) -> None:
    """Spot is used up in the whole Region; On-Demand, there is none where the instance was."""
    stage.control.capacity("*", "*", "spot", "MaxSpotInstanceCountExceeded")
    stage.control.capacity(ZONES[0], "*", "on-demand", NONE_LEFT)
    interrupt(stage, instances)


def until_there_is_some(stage: Stage, instances: list[str]) -> None:
    """Nothing at all for a while, then On-Demand."""
    stage.control.capacity("*", "*", "*", NONE_LEFT)
    interrupt(stage, instances)
    stage.sleep(400)
    stage.control.capacity("*", "*", "on-demand", None)


def another_type(*types: str) -> Callable[[Evidence], list[Result]]:
    def check(evidence: Evidence) -> list[Result]:
        it = evidence.stage.world.instance(evidence.outcome["replacement"])
        found = it["InstanceType"]
        allowed = set(types) or alike(evidence.stage, found)
        return [
            Result(
                found in allowed - {INSTANCE_TYPE}, f"the replacement is of another type ({found})"
            ),
            checks.equal("and a Spot Instance", "spot", it.get("InstanceLifecycle")),
            checks.equal("the report names it", found, evidence.outcome["instance_type"]),
        ]

    return check


def alike(stage: Stage, found: str) -> set[str]:
    """The type itself, if it has as many processors as the original, no less memory, and its kind."""
    names = [INSTANCE_TYPE, found]
    answer = stage.world.ec2.describe_instance_types(InstanceTypes=names)["InstanceTypes"]
    infos = {it["InstanceType"]: it for it in answer}
    own, other = infos[INSTANCE_TYPE], infos[found]
    fits = (
        own["VCpuInfo"]["DefaultVCpus"] == other["VCpuInfo"]["DefaultVCpus"]
        and own["MemoryInfo"]["SizeInMiB"] <= other["MemoryInfo"]["SizeInMiB"]
        and "x86_64" in other["ProcessorInfo"]["SupportedArchitectures"]
        and not other["BurstablePerformanceSupported"]
    )
    return {found} if fits else set()


def straight_to_on_demand(evidence: Evidence) -> list[Result]:
    refused = evidence.outcome["refused"]
    codes = [it.rsplit(": ", 1)[1] for it in refused]
    it = evidence.stage.world.instance(evidence.outcome["replacement"])
    return [
        checks.equal("On-Demand", None, it.get("InstanceLifecycle")),
        checks.equal("in the other zone", ZONES[1], it["Placement"]["AvailabilityZone"]),
        checks.equal(
            "Spot was asked once, On-Demand where it was, nothing else",
            ["MaxSpotInstanceCountExceeded", NONE_LEFT],
            codes,
        ),
    ]


def rested(evidence: Evidence) -> list[Result]:
    """Two ways to launch, each asked about every 25 seconds. The function counts in whole seconds from
    when it began to look, and the call is made later than that: three seconds of slack.
    """
    calls = [it["t"] for it in evidence.stage.meant() if it["action"] == "ec2:CreateFleet"]
    rest = 25
    between = [later - earlier for earlier, later in zip(calls, calls[2:], strict=False)]
    shortest = min(between, default=0)
    return [
        Result(len(calls) >= 3, f"asked {len(calls)} times"),
        Result(
            shortest >= rest - 3,
            f"no pool was asked again before its rest of {rest} s ({shortest:.0f} s)",
        ),
    ]


def broken_off(evidence: Evidence) -> list[Result]:
    it = evidence.stage.world.instance(evidence.outcome["replacement"])
    return [
        checks.equal("On-Demand, though there was Spot", None, it.get("InstanceLifecycle")),
        Result(
            bool(evidence.outcome["breaker"]), f"the report says why: {evidence.outcome['breaker']}"
        ),
    ]


SCENARIOS = [
    Scenario(
        name="other-type",
        story="no capacity of its own type: another one that its tag names",
        drive=without_its_type,
        tags=lambda _: {"spot-rescue:instance-types": "m5.large r5.large"},
        checks=(
            checks.moved,
            checks.rejoined,
            checks.one_replacement,
            another_type("m5.large", "r5.large"),
        ),
    ),
    Scenario(
        name="like",
        story="no capacity of its own type: another one with as many vCPUs and no less memory",
        drive=without_its_type,
        tags=lambda _: {"spot-rescue:instance-types": "like"},
        checks=(checks.moved, checks.rejoined, checks.one_replacement, another_type()),
    ),
    Scenario(
        name="quota",
        story="the account's Spot quota is used up: On-Demand, and Spot is not asked elsewhere",
        drive=beyond_the_quotas,
        tags=lambda stage: {"spot-rescue:subnets": stage.world.subnets[ZONES[1]]},
        checks=(
            checks.restored,
            checks.rejoined,
            checks.one_replacement,
            straight_to_on_demand,
        ),
        deadline=700,
    ),
    Scenario(
        name="pools-rest",
        story="no capacity at all: no pool is asked again too soon, and the rescue goes on when there is",
        drive=until_there_is_some,
        tags=lambda _: {"spot-rescue:pool-rest": "25s"},
        checks=(checks.moved, checks.rejoined, checks.one_replacement, on_demand, rested),
        deadline=1200,
    ),
    Scenario(
        name="breaker",
        story="taken twice within the hour: On-Demand, although there is Spot capacity",
        drive=taken_as_well,
        tags=lambda _: {"spot-rescue:breaker": "2/1h"},
        checks=(checks.moved, checks.rejoined, broken_off),
        deadline=900,
    ),
    Scenario(
        name="no-capacity",
        story="no Spot capacity at all: an On-Demand Instance stands in",
        drive=without_spot,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, on_demand),
    ),
    Scenario(
        name="other-az",
        story="no capacity in the zone: restored in another one from closing snapshots",
        drive=without_the_zone,
        tags=lambda stage: {"spot-rescue:subnets": stage.world.subnets[ZONES[1]]},
        checks=(checks.restored, checks.rejoined, checks.one_replacement, elsewhere),
        deadline=700,
    ),
]
