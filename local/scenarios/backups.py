"""Scheduled backups: taken by a function of its own, kept by a rule, and there when a volume is lost."""

from __future__ import annotations

from collections import defaultdict
from typing import Any

from local import checks
from local.checks import CONSISTENCY, RESCUE, SET, Evidence, Result
from local.scenarios.races import unheard
from local.scenarios.scenario import Scenario
from local.stage import SWEEP_SECONDS, Stage
from local.world import as_dict

HOURLY = {"spot-rescue:backup": "hourly", "spot-rescue:retain": "2h"}
MAY_CALL = {
    "ec2:CreateSnapshots",
    "ec2:DeleteSnapshot",
    "ec2:DescribeInstances",
    "ec2:DescribeLaunchTemplates",
    "ec2:DescribeSnapshots",
    "secretsmanager:GetSecretValue",
}


def for_hours(stage: Stage, hours: int) -> None:
    """The schedules of the sweep and of the backups come round; what was taken last completes."""
    for _ in range(hours * 3600 // SWEEP_SECONDS):
        stage.keep()
        stage.sleep(SWEEP_SECONDS)
        stage.sweep()
    stage.keep()
    stage.settle(400)
    stage.keep()


def hours_and_a_warning(stage: Stage, instances: list[str]) -> None:
    for_hours(stage, 5)
    stage.control.interrupt(instances)
    stage.sleep(30)
    # In the minutes of a rescue nothing is taken or deleted.
    stage.meanwhile = len(changes(stage))
    stage.keep()
    stage.meanwhile = len(changes(stage)) - stage.meanwhile


def changes(stage: Stage) -> list[dict[str, Any]]:
    calls = stage.calls_of(stage.backups)
    return [it for it in calls if not it["code"] and it["action"].startswith(("ec2:Cr", "ec2:Del"))]


def hours_alone(stage: Stage, instances: list[str]) -> None:
    for_hours(stage, 5)


def lost_with_its_instance(stage: Stage, instances: list[str]) -> None:
    """No event at all, and EC2 deletes the first data volume with the instance."""
    for_hours(stage, 1)
    unheard(stage, instances)


def sets(stage: Stage) -> dict[str, list[dict[str, Any]]]:
    """Backups by their set."""
    found = defaultdict(list)
    for it in stage.world.snapshots():
        tags = as_dict(it.get("Tags", []))
        if CONSISTENCY in tags:
            found[tags[SET]].append(it)
    return found


def two_hours_are_kept(evidence: Evidence) -> list[Result]:
    stage, wanted = evidence.stage, len(evidence.before.volumes) + 1
    found = sets(stage)
    whole = [
        len(it) == wanted and {s["State"] for s in it} == {"completed"} for it in found.values()
    ]
    lineages = {as_dict(s["Tags"])[RESCUE] for it in found.values() for s in it}
    taken = [it for it in changes(stage) if it["action"] == "ec2:CreateSnapshots"]
    return [
        Result(all(whole), "every backup has all volumes, and is complete"),
        Result(len(found) in (2, 3), f"{len(found)} backups of two hours are left"),
        Result(len(taken) >= 5, f"{len(taken)} were taken"),
        checks.equal("they are of the instance", {evidence.before.instance}, lineages),
    ]


def all_are_kept(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    taken = [it for it in changes(stage) if it["action"] == "ec2:CreateSnapshots"]
    told = [it for it in stage.log.lines if "spot-rescue:retain" in str(it)]
    return [
        checks.equal("what was taken is left", len(taken), len(sets(stage))),
        Result(bool(told), "the value that is not understood is reported"),
        Result(not stage.called("ec2:CreateFleet"), "nothing was launched"),
    ]


def in_its_own_role(evidence: Evidence) -> list[Result]:
    stage = evidence.stage
    called = {it["action"] for it in stage.calls_of(stage.backups)}
    denied = {it["action"] for it in stage.calls_of(stage.backups) if it["code"] in checks.DENIED}
    return [
        checks.equal("it calls nothing else", set(), called - MAY_CALL),
        checks.equal("and nothing that is denied", set(), denied),
    ]


def untouched_by_a_rescue(evidence: Evidence) -> list[Result]:
    return [checks.equal("no backup in the minutes of a rescue", 0, evidence.stage.meanwhile)]


def restored_from_a_backup(evidence: Evidence) -> list[Result]:
    return checks.restored(evidence, {"/dev/sdf"})


SCENARIOS = [
    Scenario(
        name="backups",
        story="hourly backups for five hours, of which two hours are kept; then a warning: the rescue is as ever",
        drive=hours_and_a_warning,
        tags=lambda _: HOURLY,
        checks=(
            checks.moved,
            checks.rejoined,
            checks.one_replacement,
            two_hours_are_kept,
            in_its_own_role,
            untouched_by_a_rescue,
        ),
    ),
    Scenario(
        name="backups-misspelt",
        story="how long backups are kept is misspelt: none is deleted, and the value is reported",
        drive=hours_alone,
        ends=frozenset(),
        tags=lambda _: HOURLY | {"spot-rescue:retain": "2hours"},
        checks=(all_are_kept, in_its_own_role),
    ),
    Scenario(
        name="backup-restored",
        story="no warning came and EC2 has deleted a volume: it is restored from the last backup",
        drive=lost_with_its_instance,
        tags=lambda _: HOURLY,
        checks=(checks.rejoined, checks.one_replacement, restored_from_a_backup, in_its_own_role),
        deadline=900,
    ),
]
