"""What a warning would meet is known before: a launch that is denied, an image that is gone, an opt-in that stands on the
Spot Instance request alone.
"""

from __future__ import annotations

import json
from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario, interrupt
from local.stage import SWEEP_SECONDS, Stage
from local.world import as_dict, as_list

FORBIDDEN = "UnauthorizedOperation"
CAVEAT = "spot-rescue:caveat-"
REHEARSED = "spot-rescue:rehearsed"
# What was refused is asked for again after six hours.
SEVEN_HOURS = 7 * 3600
LAUNCHES = ("ec2:CreateFleet", "ec2:RunInstances")


def said(stage: Stage, *words: str) -> list[dict[str, Any]]:
    lines = [it for it in stage.log.lines if it.get("notes") or it.get("MisspeltOptIns")]
    return [it for it in lines if all(word in json.dumps(it) for word in words)]


def recorded(stage: Stage) -> dict[str, str]:
    (template,) = stage.world.templates()
    return as_dict(template.get("Tags", []))


def caveats(stage: Stage) -> str:
    return " ".join(it for key, it in recorded(stage).items() if key.startswith(CAVEAT))


# --- a denied launch ------------------------------------------------------------------------------


def denied(stage: Stage, instances: list[str]) -> None:
    stage.forbidden = {"ec2:RunInstances"}
    stage.control.refuse("RunInstances", FORBIDDEN)


def mended_and_interrupted(stage: Stage, instances: list[str]) -> None:
    """Only the permission was mended; hours later the caveat is gone."""
    stage.until("the denied launch to be on record", lambda: FORBIDDEN in caveats(stage), 900)
    stage.meanwhile = caveats(stage)
    stage.control.refuse("RunInstances", None)
    stage.on_schedule(SEVEN_HOURS)
    stage.sweeps("the caveat to go away", lambda: not caveats(stage), 4)
    stage.settle(900)
    interrupt(stage, instances)


def on_record(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    since = stage.control.interrupted_at or 0
    told = said(stage, "would meet refusals", FORBIDDEN)
    before = [it for it in stage.journal() if it["t"] < since]
    dry = [it for it in before if str(it["params"].get("DryRun")).lower() == "true"]
    launched = [it for it in before if it["action"] in LAUNCHES and it not in dry]
    return [
        Result("launch/spot/" in stage.meanwhile, f"both markets: {stage.meanwhile}"),
        Result("launch/on-demand/" in stage.meanwhile, "On-Demand, too"),
        checks.equal("reported once", 1, len(told)),
        Result(bool(told) and "allow the launch" in json.dumps(told), "with what to do"),
        Result(REHEARSED in recorded(stage), "the version is on record as rehearsed"),
        Result(len(dry) >= 8, f"by dry runs ({len(dry)})"),
        checks.equal("and nothing was launched for it", [], launched),
    ]


# --- an image that is gone ------------------------------------------------------------------------


def withdrawn_and_interrupted(stage: Stage, instances: list[str]) -> None:
    image = stage.world.image["ImageId"]
    stage.world.ec2.deregister_image(ImageId=image)
    stage.sweeps("it to be said", lambda: bool(said(stage, image, "is gone")), 2)
    stage.settle(900)
    interrupt(stage, instances)


def from_the_old_root(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    volumes = {it["VolumeId"]: it for it in stage.world.volumes()}
    snapshots = {it["SnapshotId"]: it["VolumeId"] for it in stage.world.snapshots()}
    made = volumes[evidence.after().root].get("SnapshotId", "")
    image = stage.world.image["ImageId"]
    return [
        checks.equal("the root is made of the old one", evidence.before.root, snapshots.get(made)),
        checks.equal("said once before", 1, len(said(stage, image, "is gone"))),
        Result(stage.called("ec2:RegisterImage"), "an image was made of it"),
    ]


# --- an opt-in on the request alone ---------------------------------------------------------------


def tagged_request(stage: Stage, instances: list[str]) -> None:
    """A second instance; its user has tagged what launched it."""
    (other,) = stage.world.ec2.run_instances(
        ImageId=stage.world.image["ImageId"],
        InstanceType="m5.large",
        MinCount=1,
        MaxCount=1,
        SubnetId=next(iter(stage.world.subnets.values())),
        InstanceMarketOptions={"MarketType": "spot"},
    )["Instances"]
    stage.meanwhile = other["InstanceId"]
    request = stage.world.instance(stage.meanwhile)["SpotInstanceRequestId"]
    stage.world.ec2.create_tags(Resources=[request], Tags=as_list({"spot-rescue": "on"}))


def both_interrupted(stage: Stage, instances: list[str]) -> None:
    other = stage.meanwhile
    stage.until("it to be said", lambda: bool(said(stage, other, "NOT protected")), SWEEP_SECONDS)
    stage.control.interrupt([*instances, other])
    stage.until("it to be said again", lambda: bool(said(stage, other, "NOT rescued")), 200)


def said_twice(evidence: Evidence) -> list[Result]:
    stage, other = evidence.stage, evidence.stage.meanwhile
    changed = [
        it
        for it in stage.journal()
        if other in json.dumps(it["params"])
        and not it["action"].split(":")[1].startswith("Describe")
    ]
    return [
        checks.equal("while it could be mended", 1, len(said(stage, other, "NOT protected"))),
        checks.equal("and when it was too late", 1, len(said(stage, other, "NOT rescued"))),
        checks.equal("nothing was changed for it", [], changed),
    ]


WHOLE = (checks.moved, checks.rejoined, checks.one_replacement, checks.told_once)
SCENARIOS = [
    Scenario(
        name="rehearsal",
        story="a policy forbids launches: on record before any warning, and whole once it is mended",
        early=denied,
        drive=mended_and_interrupted,
        checks=(*WHOLE, on_record),
    ),
    Scenario(
        name="image-gone",
        story="the image is deregistered: said at the next sweep, and the rescue is whole all the same",
        drive=withdrawn_and_interrupted,
        checks=(*WHOLE, from_the_old_root),
        deadline=900,
        rest=900,
    ),
    Scenario(
        name="misspelt",
        story="an opt-in that stands on the Spot request alone: said by the sweep and at the warning",
        more=tagged_request,
        drive=both_interrupted,
        checks=(*WHOLE, said_twice),
    ),
]
