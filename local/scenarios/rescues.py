"""The plain rescue, and what stands in when the last snapshot set is of no use."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.function import SEEN
from local.scenarios.scenario import Scenario
from local.stage import Stage

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
    stage.world.ec2.create_snapshots(
        InstanceSpecification={"InstanceId": instance},
        CopyTagsFromSource="volume",
        TagSpecifications=[
            {
                "ResourceType": "snapshot",
                "Tags": [
                    {"Key": checks.RESCUE, "Value": instance},
                    {"Key": checks.SET, "Value": checks.USERS_SET},
                ],
            }
        ],
    )
    stage.settle(300)
    stage.sleep(60)
    stage.control.settings(snapshot_result="failed")
    since = stage.now()
    stage.control.interrupt(instances)
    stage.until("the final set", lambda: stage.called("ec2:CreateSnapshots", since), 60, 0.02)
    stage.until("the protection", lambda: protected(stage, since), 60, 0.02)
    # Somebody undoes the protection while nobody looks: the volume goes with the instance.
    stage.pump.pause()
    stage.until("the look to end", lambda: not stage.pump.is_busy(), 100)
    stage.world.ec2.modify_instance_attribute(
        InstanceId=instance,
        BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {"DeleteOnTermination": True}}],
    )
    ended = lambda: stage.world.states([instance])[instance] == "terminated"
    stage.until("the instance to end", ended, 300)
    stage.pump.resume()


def protected(stage: Stage, since: float) -> bool:
    return stage.called("ec2:ModifyInstanceAttribute", since)


def from_the_older_set(evidence: Evidence) -> list[Result]:
    ages = evidence.outcome.get("restored_from_seconds_before") or {}
    older = ages.get("/dev/sdf", 0)
    return [
        *checks.restored(evidence, {"/dev/sdf"}),
        Result(older >= 50, f"the report says how old the data is ({older:.0f} s)"),
    ]


def older_set_stays(evidence: Evidence) -> list[Result]:
    kept = [
        it
        for it in evidence.stage.world.snapshots()
        if {"Key": checks.SET, "Value": checks.USERS_SET} in it.get("Tags", [])
    ]
    return [checks.equal("the user's own set is kept", 3, len(kept))]


SCENARIOS = [
    Scenario(
        name="rescue",
        story="warned, and back with its disks, targets and address",
        checks=(checks.moved, checks.rejoined, checks.one_replacement, checks.told_once, in_time),
    ),
    Scenario(
        name="final-set-fails",
        story="the last snapshot set fails and a volume is lost: an older set is used",
        drive=older_set_then_lost,
        checks=(
            from_the_older_set,
            older_set_stays,
            checks.rejoined,
            checks.one_replacement,
        ),
    ),
]
