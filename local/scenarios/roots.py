"""The root volume, where its content is to be kept."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.capacity import without_the_zone
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES, as_dict

KEEP = {"spot-rescue:root": "keep"}


def interrupted_and_a_day_later(stage: Stage, instances: list[str]) -> None:
    """The image of the rescue expires, and the sweep comes by."""
    stage.control.interrupt(instances)
    back = lambda: any(it["outcome"] == "back-in-service" for it in stage.log.outcomes())
    stage.until("the rescue", back, 700)
    stage.settle(500)
    stage.a_day_later()
    gone = lambda: not stage.world.images()
    stage.until("the image to be deregistered", gone, 200)
    stage.settle(200)


def same_root(evidence: Evidence) -> list[Result]:
    before, after = evidence.before, evidence.after()
    return [checks.equal("the old root is the root", before.root, after.root)]


def copied_root(evidence: Evidence) -> list[Result]:
    before, after = evidence.before, evidence.after()
    volumes = {it["VolumeId"]: it for it in evidence.stage.world.volumes()}
    tags = as_dict(volumes[after.root].get("Tags", []))
    return [
        checks.equal("the root is a copy of the old one", before.root, tags.get(checks.COPY_OF)),
        checks.equal("in the other zone", ZONES[1], after.zone),
    ]


def from_an_image(evidence: Evidence) -> list[Result]:
    """All of it is gone a day later, but for the journal."""
    calls = evidence.stage.control.journal()
    made = [it for it in calls if it["action"] == "ec2:RegisterImage" and not it["code"]]
    said = made[0]["params"] if made else {}
    volumes = {it["VolumeId"]: it for it in evidence.stage.world.volumes()}
    root = volumes[evidence.after().root]
    snapshot = said.get("BlockDeviceMapping.1.Ebs.SnapshotId")
    like = evidence.stage.world.image["Architecture"]
    kept = [it["SnapshotId"] for it in evidence.stage.world.snapshots()]
    return [
        checks.equal("one image was made", 1, len(made)),
        checks.equal("the root is made of it", snapshot, root["SnapshotId"]),
        checks.equal("its architecture is the original's", like, said.get("Architecture")),
        checks.equal("and not paravirtual", "hvm", said.get("VirtualizationType")),
        Result(snapshot not in kept, "its snapshot is gone after it"),
    ]


def refused_and_kept(evidence: Evidence) -> list[Result]:
    volumes = {it["VolumeId"]: it for it in evidence.stage.world.volumes()}
    old = as_dict(volumes[evidence.before.root].get("Tags", []))
    warned = [it for it in evidence.stage.log.lines if "Windows" in str(it.get("notes", ""))]
    before = [it for it in warned if "interrupted" not in str(it)]
    return [
        Result("Windows" in old.get(checks.KEPT, ""), "the old root is kept, and says why"),
        Result(checks.EXPIRES not in old, "for ever"),
        Result(bool(before), "it was said before the rescue"),
        Result(evidence.before.root != evidence.after().root, "the new root is another one"),
        Result(
            not evidence.stage.called("ec2:CreateReplaceRootVolumeTask"),
            "no call tried to replace it",
        ),
    ]


SCENARIOS = [
    Scenario(
        name="root-keep",
        story="the old root volume becomes the replacement's root",
        tags=lambda _: KEEP,
        checks=(
            checks.moved,
            same_root,
            checks.rejoined,
            checks.one_replacement,
            checks.told_once,
        ),
    ),
    Scenario(
        name="root-keep-other-az",
        story="in another zone, a copy of the old root made after its last write",
        drive=without_the_zone,
        tags=lambda stage: KEEP | {"spot-rescue:subnets": stage.world.subnets[ZONES[1]]},
        checks=(checks.restored, copied_root, checks.rejoined, checks.one_replacement),
        deadline=800,
    ),
    Scenario(
        name="root-swap-fails",
        story="EC2 does not replace the root by the volume: an image is made of it",
        drive=interrupted_and_a_day_later,
        tags=lambda _: KEEP,
        settings={"root_by_volume": "failed"},
        checks=(checks.moved, from_an_image, checks.rejoined, checks.one_replacement),
        deadline=900,
    ),
    Scenario(
        name="root-refused",
        story="a Windows root is not kept: it is said beforehand, and the old one stays",
        platform="windows",
        tags=lambda _: KEEP,
        checks=(checks.moved, refused_and_kept, checks.rejoined, checks.one_replacement),
    ),
]
