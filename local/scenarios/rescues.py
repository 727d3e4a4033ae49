"""The plain rescue, and an older snapshot set where the last one fails."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.control import rebalance
from local.function import SEEN
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES, as_dict

WITHIN_SECONDS = 145


def in_time(evidence: Evidence) -> list[Result]:
    """EC2 lets go of the volumes 133 s after the warning, and they take two to attach."""
    told = evidence.outcome.get(SEEN, float("inf"))
    took = told - (evidence.stage.control.interrupted_at or 0)
    said = f"back in service within {WITHIN_SECONDS} s of the warning ({took:.0f} s)"
    return [Result(took <= WITHIN_SECONDS, said)]


def older_set_then_lost(stage: Stage, instances: list[str]) -> None:
    """A completed set of before; a final set that fails; and the volume deleted with the instance."""
    (instance,) = instances
    stage.control.event(rebalance(instance))
    stage.until("the set of before", lambda: bool(of_the_function(stage)), 60)
    stage.settle(300)
    newer_and_foreign(stage, instance)
    stage.sleep(60)
    stage.control.settings(snapshot_result="failed")
    since = stage.now()
    stage.control.interrupt(instances)
    stage.until("the final set", lambda: stage.called("ec2:CreateSnapshots", since), 60, 0.02)
    stage.until("the protection", lambda: protected(stage, since), 60, 0.02)
    # A user undoes the protection between two looks: the volume goes with the instance.
    stage.pump.pause()
    stage.until("the look to end", lambda: not stage.pump.is_busy(), 100)
    stage.world.ec2.modify_instance_attribute(
        InstanceId=instance,
        BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}],
    )
    ended = lambda: stage.world.states([instance])[instance] == "terminated"
    stage.until("the instance to end", ended, 300)
    stage.pump.resume()


def of_the_function(stage: Stage) -> set[str]:
    """Snapshots taken because something was foreseen."""
    found = [(it["SnapshotId"], as_dict(it.get("Tags", []))) for it in stage.world.snapshots()]
    return {key for key, tags in found if tags.get(checks.SET, "").startswith("risk-")}


def newer_and_foreign(stage: Stage, instance: str) -> None:
    """Of another volume, with every tag and the description of ours: nothing is restored from it."""
    ec2 = stage.world.ec2
    volume, _ = stage.world.view(instance).volumes["/dev/sdf"]
    (real,) = [it for it in stage.world.volumes() if it["VolumeId"] == volume]
    (ours, *_) = [it for it in stage.world.snapshots() if it["VolumeId"] == volume]
    other = ec2.create_volume(AvailabilityZone=ZONES[0], Size=real["Size"])["VolumeId"]
    marks = [{"Key": checks.SET, "Value": checks.USERS_SET}]
    ec2.create_snapshot(
        VolumeId=other,
        Description=ours["Description"],
        TagSpecifications=[{"ResourceType": "snapshot", "Tags": real["Tags"] + marks}],
    )
    stage.settle(300)
    ec2.delete_volume(VolumeId=other)


def protected(stage: Stage, since: float) -> bool:
    return stage.called("ec2:ModifyInstanceAttribute", since)


def from_the_older_set(evidence: Evidence) -> list[Result]:
    ages = evidence.outcome.get("restored_from_seconds_before") or {}
    older = ages.get("/dev/sdf", 0)
    restored, _ = evidence.after().volumes["/dev/sdf"]
    volumes = {it["VolumeId"]: it for it in evidence.stage.world.volumes()}
    source = volumes[restored]["SnapshotId"]
    return [
        *checks.restored(evidence, {"/dev/sdf"}),
        Result(source in of_the_function(evidence.stage), "from the function's own older set"),
        Result(older >= 50, f"the report says how old the data is ({older:.0f} s)"),
    ]


def others_set_stays(evidence: Evidence) -> list[Result]:
    kept = [
        it
        for it in evidence.stage.world.snapshots()
        if as_dict(it.get("Tags", [])).get(checks.SET) == checks.USERS_SET
    ]
    return [checks.equal("the foreign one is kept", 1, len(kept))]


SCENARIOS = [
    Scenario(
        name="rescue",
        story="warned, and back with its disks, targets and address",
        checks=(checks.moved, checks.rejoined, checks.one_replacement, checks.told_once, in_time),
    ),
    Scenario(
        name="final-set-fails",
        story="the last snapshot set fails and a volume is lost: an older set of ours is used, and no other",
        drive=older_set_then_lost,
        checks=(
            from_the_older_set,
            others_set_stays,
            checks.rejoined,
            checks.one_replacement,
        ),
    ),
]
