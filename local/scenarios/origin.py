"""An outsider puts our marks on everything: nothing of the victim's is given, ended or deleted for it."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.outsider import REPLACES, USER_DATA, Outsider, Things, expired
from local.scenarios.scenario import Scenario
from local.stage import SWEEP_SECONDS, Stage
from local.world import as_dict

CHANGES = (
    "ec2:CreateFleet",
    "ec2:DeleteLaunchTemplate",
    "ec2:DeleteSnapshot",
    "ec2:DeleteVolume",
    "ec2:RunInstances",
    "ec2:TerminateInstances",
    "elasticloadbalancing:DeregisterTargets",
)


def name_taken(stage: Stage, instances: list[str]) -> None:
    """Ahead of the function: nothing is prepared yet."""
    Outsider(stage, "early").take_name(instances[0])


def attacked(stage: Stage, instances: list[str]) -> None:
    """Everything planted, and two sweeps; once more just ahead of the warning."""
    (victim,) = instances
    outsider, (template,) = Outsider(stage), stage.world.templates()
    rescue = template["LaunchTemplateId"]
    (bystander,) = stage.world.launch(tags={"spot-rescue": "off"})
    things = Things(stage.now(), [bystander])
    outsider.add_version(rescue)
    things.launched.append(outsider.launch(rescue, victim))
    runs(stage, things)
    planted(stage, outsider, things, victim, rescue)
    stage.settle(500)
    for _ in range(2):
        stage.sleep(SWEEP_SECONDS)
        stage.sweep()
        stage.settle(500)
    outsider.add_version(rescue)
    things.launched.append(outsider.launch(rescue, victim))
    runs(stage, things)
    things.note(stage)
    stage.control.interrupt(instances)


def copied(stage: Stage, instances: list[str]) -> None:
    """Once the replacement is there and sealed, its marks can be read by others."""
    copies(stage, instances[0], Outsider(stage))


def overwritten(stage: Stage, instances: list[str]) -> None:
    """And written over by a caller that may tag."""
    outsider = Outsider(stage)
    replacement = copies(stage, instances[0], outsider)
    outsider.plant([replacement], {REPLACES: "none"})


def copies(stage: Stage, victim: str, outsider: Outsider) -> str:
    """The victim is interrupted; what is launched with its replacement's marks is noted."""
    (template,), things = stage.world.templates(), Things(stage.now())
    rescue = template["LaunchTemplateId"]
    stage.control.interrupt([victim])
    replacement = ours(stage, victim, things)
    stage.sleep(5)
    things.launched.append(outsider.launch_like(rescue, victim, replacement))
    things.note(stage)
    return replacement


def ours(stage: Stage, victim: str, things: Things) -> str:
    """The replacement, once it is there."""
    found: list[str] = []

    def launched() -> bool:
        marked = [
            it
            for it in stage.world.instances()
            if as_dict(it.get("Tags", [])).get(REPLACES) == victim
        ]
        found[:] = [it["InstanceId"] for it in marked if it["InstanceId"] not in things.launched]
        return bool(found)

    stage.until("the replacement", launched, 60)
    return found[0]


def planted(stage: Stage, outsider: Outsider, things: Things, victim: str, rescue: str) -> None:
    """Expiries on resources of others and of the victim; tombstones on healthy instances."""
    (bystander,) = things.instances
    foreign, own = (
        [volume for volume, _ in stage.world.view(it).volumes.values()]
        for it in (bystander, victim)
    )
    things.volumes += foreign
    snapshot, copied = outsider.copy(own[0], "/dev/sdf", victim)
    things.snapshots.append(snapshot)
    things.volumes.append(copied)
    outsider.plant([bystander, *foreign, victim, *own, rescue], expired(victim))
    outsider.plant([bystander], outsider.tombstone(bystander))
    outsider.plant([victim, rescue], outsider.tombstone(victim))


def runs(stage: Stage, things: Things) -> None:
    wanted = things.all_instances()
    states = lambda: set(stage.world.states(wanted).values())
    stage.until("what the outsider has launched", lambda: states() == {"running"}, 100)


def a_day_later(stage: Stage) -> None:
    """Whatever could be deleted is past its time."""
    stage.a_day_later()
    stage.settle(500)


def quiet_before(evidence: Evidence) -> list[Result]:
    """A tag is no warning."""
    stage, since = evidence.stage, Things.noted(evidence.stage).t
    until = stage.control.interrupted_at or 0
    found = {it["action"] for it in stage.meant() if since <= it["t"] < until}
    wrong = sorted(found & set(CHANGES))
    return [checks.equal("nothing was launched, ended, deleted or taken out", [], wrong)]


def nothing_given(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    views = [stage.world.view(it) for it in Things.noted(stage).launched]
    has = [(checks.names(it), it.targets, it.addresses) for it in views]
    nothing: list[object] = [({}, set(), set())] * len(views)
    return [checks.equal("the outsider has no disk, no target, no address", nothing, has)]


def nothing_foreign_gone(evidence: Evidence) -> list[Result]:
    world, things = evidence.stage.world, Things.noted(evidence.stage)
    volumes = {it["VolumeId"] for it in world.volumes()}
    snapshots = {it["SnapshotId"] for it in world.snapshots()}
    states = world.states(things.all_instances())
    return [
        checks.equal("nothing foreign has ended", {"running"}, set(states.values())),
        checks.equal("no foreign volume is deleted", set(), set(things.volumes) - volumes),
        checks.equal("no foreign snapshot is deleted", set(), set(things.snapshots) - snapshots),
    ]


def ours_alone(evidence: Evidence) -> list[Result]:
    """One replacement, by the function's own launch, from what it has written itself."""
    stage, since = evidence.stage, evidence.stage.control.interrupted_at or 0
    replacement = evidence.outcome["replacement"]
    calls = [it for it in stage.journal() if it["action"] == "ec2:CreateFleet" and not it["code"]]
    launched = [it for it in calls if it["t"] >= since and replacement in it["ids"]]
    strangers = Things.noted(stage).all_instances()
    found = [it["InstanceId"] for it in checks.lineage(evidence, evidence.before.instance)]
    ours = [it for it in found if it not in strangers]
    (it,) = [it for it in stage.world.instances() if it["InstanceId"] == replacement]
    attribute = stage.world.ec2.describe_instance_attribute
    data = attribute(InstanceId=replacement, Attribute="userData")["UserData"].get("Value", "")
    return [
        checks.equal("one replacement was launched", [replacement], ours),
        # With the same token: sent again if its mark was written over.
        Result(bool(launched), "by the function's own launch"),
        checks.equal("with the role", stage.world.profile, it["IamInstanceProfile"]["Arn"]),
        Result(data != USER_DATA, "and not with the outsider's user data"),
    ]


def told(evidence: Evidence) -> list[Result]:
    notes = [it for it in evidence.stage.log.lines if "has not made" in str(it.get("notes"))]
    return [Result(bool(notes), "that there was a foreign version was reported")]


def its_own(stage: Stage) -> set[str]:
    """What the outsider has launched is opted in: it is protected like any other instance, by itself."""
    return set(Things.noted(stage).launched)


SCENARIOS = [
    Scenario(
        name="origin",
        story="an outsider takes the rescue's name, adds versions, launches, plants tags: all in vain",
        early=name_taken,
        drive=attacked,
        afterwards=a_day_later,
        checks=(
            checks.moved,
            checks.rejoined,
            ours_alone,
            quiet_before,
            nothing_given,
            nothing_foreign_gone,
            told,
        ),
    ),
    *(
        Scenario(
            name=name,
            story=story,
            drive=drive,
            afterwards=a_day_later,
            others=its_own,
            checks=(
                checks.moved,
                checks.rejoined,
                ours_alone,
                nothing_given,
                nothing_foreign_gone,
            ),
        )
        for name, story, drive in (
            (
                "origin-copied",
                "the outsider launches with the marks that the replacement was launched with: in vain",
                copied,
            ),
            (
                "origin-overwritten",
                "the same, and the replacement's own mark is written over: still in vain",
                overwritten,
            ),
        )
    ),
]
