"""Between rescues: a prepared rescue follows its instance, is forgotten with it, and
safety copies are deleted when their time has come.
"""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario
from local.stage import DAY_SECONDS, Stage
from local.world import KEY, ZONES, as_dict, as_list

LONG_AGO = "2020-01-01T00:00:00Z"
NEW_TAG = {"team": "search"}
USERS = {"Name": "of the user", checks.EXPIRES: LONG_AGO}


def a_day_later(stage: Stage, instances: list[str]) -> None:
    """And the sweep comes by."""
    stage.control.interrupt(instances)
    back = lambda: any(it["outcome"] == "back-in-service" for it in stage.log.outcomes())
    stage.until("the rescue", back, 500)
    stage.settle(500)
    users_volume(stage)
    copies = expiring(stage)
    stage.sleep(DAY_SECONDS - 3600)
    stage.sweep()
    stage.settle(300)
    early = set(copies) - set(expiring(stage))
    stage.a_day_later()
    gone = lambda: not early and not set(copies) & set(expiring(stage))
    stage.until("the copies to be deleted", gone, 200)


def users_volume(stage: Stage) -> None:
    """It has an expiry of the same name, but not our mark."""
    stage.world.ec2.create_volume(
        AvailabilityZone=ZONES[0],
        Size=1,
        TagSpecifications=[{"ResourceType": "volume", "Tags": as_list(USERS)}],
    )


def expiring(stage: Stage) -> list[str]:
    """Ours with an expiry."""
    both = {checks.RESCUE, checks.EXPIRES}
    world = stage.world
    found = [(it["VolumeId"], it) for it in world.volumes()]
    found += [(it["SnapshotId"], it) for it in world.snapshots()]
    return [key for key, it in found if both <= set(as_dict(it.get("Tags", [])))]


def deleted_copies(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    calls = {it["action"] for it in stage.journal() if not it["code"]}
    survived = [it for it in stage.world.volumes() if as_dict(it.get("Tags", [])) == USERS]
    return [
        checks.equal("no copy is left", [], expiring(stage)),
        Result("ec2:DeleteVolume" in calls, "the old root volume was deleted"),
        Result("ec2:DeleteSnapshot" in calls, "the snapshots were deleted"),
        checks.equal("an expired volume of the user's is left alone", 1, len(survived)),
    ]


def changed(stage: Stage, instances: list[str]) -> None:
    """The user changes the instance; the replacement must be like the changed one."""
    stage.world.ec2.create_tags(Resources=instances, Tags=as_list(NEW_TAG))
    stage.sweep()
    refreshed = lambda: stage.called("ec2:CreateLaunchTemplateVersion")
    stage.until("the prepared rescue to be refreshed", refreshed, 200)
    stage.settle(200)
    stage.control.interrupt(instances)


def like_the_changed_one(evidence: Evidence) -> list[Result]:
    world, found = evidence.stage.world, evidence.after()
    it = world.instance(found.instance)
    team, profile = found.tags["team"], it["IamInstanceProfile"]["Arn"]
    return [
        checks.equal("the replacement has the new tag", NEW_TAG["team"], team),
        checks.equal("the same instance profile", world.profile, profile),
        checks.equal("the same key pair", KEY, it["KeyName"]),
    ]


def ended_by_its_user(stage: Stage, instances: list[str]) -> None:
    """A second instance is prepared and then no longer wanted."""
    (second,) = stage.world.launch()
    stage.until("its rescue to be prepared", lambda: second in prepared(stage), 400)
    stage.settle(400)
    kept = stage.world.view(second).volumes["/dev/sdg"][0]
    stage.world.ec2.terminate_instances(InstanceIds=[second])
    stage.until("its rescue to be forgotten", lambda: second not in prepared(stage), 400)
    stage.settle(200)
    stage.world.ec2.delete_volume(VolumeId=kept)


def opted_out(stage: Stage, instances: list[str]) -> None:
    """A second instance is prepared and then opted out. Hours after its end EC2 shows neither its tags nor itself."""
    (second,) = stage.world.launch()
    stage.until("its rescue to be prepared", lambda: second in prepared(stage), 400)
    stage.settle(400)
    kept = stage.world.view(second).volumes["/dev/sdg"][0]
    tags = as_list({"spot-rescue": "off"})
    stage.world.ec2.create_tags(Resources=[second], Tags=tags)
    stage.sweeps("its rescue to be forgotten", lambda: second not in prepared(stage))
    stage.control.interrupt([second])
    stage.on_schedule(3 * 3600)
    stage.settle(400)
    stage.world.ec2.delete_volume(VolumeId=kept)


def prepared(stage: Stage) -> set[str]:
    names = (it["LaunchTemplateName"] for it in stage.world.templates())
    return {name.removeprefix("spot-rescue-") for name in names}


def nothing_launched(evidence: Evidence) -> list[Result]:
    return [
        Result(not evidence.stage.called("ec2:CreateFleet"), "nothing was launched"),
        checks.equal("the other instance is as it was", evidence.before, evidence.after()),
    ]


SCENARIOS = [
    Scenario(
        name="expiry",
        story="a day after a rescue its safety copies are deleted, and nothing else",
        drive=a_day_later,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, deleted_copies),
    ),
    Scenario(
        name="refresh",
        story="the instance is changed before it is interrupted: so is its replacement",
        drive=changed,
        checks=(checks.moved, checks.one_replacement, like_the_changed_one),
    ),
    Scenario(
        name="forget",
        story="the user ends an instance: its prepared rescue goes, nothing is launched",
        drive=ended_by_its_user,
        ends=frozenset(),
        checks=(nothing_launched,),
    ),
    Scenario(
        name="opted-out",
        story="an instance is opted out, and taken: its prepared rescue goes, nothing is launched",
        drive=opted_out,
        ends=frozenset(),
        checks=(nothing_launched,),
    ),
]
