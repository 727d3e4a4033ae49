"""A person restores a backup by the command line, with the rights that the documents name."""

from __future__ import annotations

import json
from typing import Any

from local import checks
from local.checks import CONSISTENCY, SET, Evidence, Result
from local.command import call, operator
from local.scenarios.backups import HOURLY, for_hours
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import as_dict

RUN = "spot-rescue-restore:run"
OTHER_ZONE = "us-east-1b"


def listed(stage: Stage, instance: str) -> list[dict[str, Any]]:
    answer = call(stage, stage.meanwhile["user"], "backups", instance, "--json")
    return [json.loads(it) for it in answer.lines]


def refused_then_free(stage: Stage, instances: list[str]) -> None:
    """What would overwrite is refused; then free volumes in another zone, twice with the same command."""
    (instance,) = instances
    for_hours(stage, 2)
    seen = stage.meanwhile = {"user": operator(stage), "since": stage.now()}
    seen["listed"] = listed(stage, instance)
    command = ["restore", instance, "--root", "--zone", OTHER_ZONE]
    user = seen["user"]
    seen["refused"] = call(stage, user, "restore", instance, "--to", instance)
    seen["foreseen"] = call(stage, user, *command, "--dry-run")
    seen["made before"] = len(made(stage))
    seen["answers"] = [call(stage, user, *command) for _ in range(2)]
    seen["unknown"] = call(stage, user, "restore", "i-00000000000000bad", "--zone", OTHER_ZONE)
    seen["misspelt"] = call(stage, user, "restore", "prod-db")


def made(stage: Stage) -> list[dict[str, Any]]:
    return [it for it in stage.world.volumes() if RUN in as_dict(it.get("Tags", []))]


def newest_set(stage: Stage) -> dict[str, dict[str, Any]]:
    """Snapshots by the volume they are of."""
    backups = [it for it in stage.world.snapshots() if CONSISTENCY in as_dict(it["Tags"])]
    newest = max(backups, key=lambda it: it["StartTime"])
    name = as_dict(newest["Tags"])[SET]
    return {it["VolumeId"]: it for it in backups if as_dict(it["Tags"])[SET] == name}


def free_and_alike(evidence: Evidence) -> list[Result]:
    stage, seen = evidence.stage, evidence.stage.meanwhile
    wanted = {it["SnapshotId"] for it in newest_set(stage).values()}
    volumes = made(stage)
    places = {(it["AvailabilityZone"], it["State"]) for it in volumes}
    first, second = seen["answers"]
    would = [it for it in seen["foreseen"].lines if it.startswith("would create")]
    return [
        checks.equal("both commands succeed", [0, 0], [first.code, second.code]),
        checks.equal(
            "of each snapshot one volume",
            sorted(wanted),
            sorted(it["SnapshotId"] for it in volumes),
        ),
        checks.equal("free, in the zone", {(OTHER_ZONE, "available")}, places),
        checks.equal("the second names the same", first.lines[1:], second.lines[1:]),
        checks.equal("a dry run names each call", len(wanted), len(would)),
        checks.equal("and makes none", 0, seen["made before"]),
    ]


def told_plainly(evidence: Evidence) -> list[Result]:
    seen = evidence.stage.meanwhile
    complaints = {
        "refused": "nothing is overwritten",
        "unknown": "no complete backup",
        "misspelt": "invalid value 'prod-db'",
    }
    results = [
        Result(
            seen[it].code != 0 and why in seen[it].complained,
            f"{it}: {seen[it].complained.strip()[:150]}",
        )
        for it, why in complaints.items()
    ]
    completed = [it for it in seen["listed"] if it["state"] == "completed"]
    whole = all(len(it["devices"]) == len(evidence.before.volumes) + 1 for it in completed)
    return [*results, Result(whole and len(completed) >= 2, f"{len(completed)} sets are listed")]


def untouched(evidence: Evidence) -> list[Result]:
    calls = [
        it
        for it in checks.mutations(evidence.stage.journal())
        if it["t"] >= evidence.stage.meanwhile["since"]
    ]
    return [
        checks.equal(
            "the function does nothing",
            [],
            sorted({it["action"] for it in calls} - {"sqs:SendMessage"}),
        )
    ]


def in_place(stage: Stage, instances: list[str]) -> None:
    """Stopped by its user, restored in place, the root included, and started again."""
    (instance,) = instances
    for_hours(stage, 2)
    seen = stage.meanwhile = {"user": operator(stage), "since": stage.now()}
    user, world = seen["user"], stage.world
    seen["before"] = attached(stage, instance)
    command = ["restore", instance, "--to", instance, "--root", "--in-place", "--keep-days", "1"]
    seen["running"] = call(stage, user, *command)
    world.ec2.stop_instances(InstanceIds=[instance])
    stage.until("it to stop", lambda: world.states([instance])[instance] == "stopped", 300)
    seen["answer"] = call(stage, user, *command)
    seen["after"] = attached(stage, instance)
    seen["sources"] = {it["VolumeId"]: it.get("SnapshotId") for it in world.volumes()}
    seen["set"] = newest_set(stage)
    world.ec2.start_instances(InstanceIds=[instance])
    stage.until("it to run", lambda: world.states([instance])[instance] == "running", 300)
    stage.settle(400)
    stage.sweep()
    stage.settle(400)
    seen["kept"] = call(stage, user, "displaced", "--delete")
    # Their time comes.
    stage.a_day_later()
    seen["deleted"] = call(stage, user, "displaced", "--delete")


def attached(stage: Stage, instance: str) -> dict[str, tuple[str, bool]]:
    mappings = stage.world.instance(instance)["BlockDeviceMappings"]
    return {
        it["DeviceName"]: (it["Ebs"]["VolumeId"], it["Ebs"]["DeleteOnTermination"])
        for it in mappings
    }


def put_in_place(evidence: Evidence) -> list[Result]:
    seen = evidence.stage.meanwhile
    before, after = seen["before"], seen["after"]
    origin = {device: seen["set"][volume]["SnapshotId"] for device, (volume, _) in before.items()}
    now = {device: seen["sources"][volume] for device, (volume, _) in after.items()}
    displaced = {volume for volume, _ in before.values()}
    kept = {it.partition(",")[0] for it in seen["kept"].lines}
    gone = {it.partition(" ")[0] for it in seen["deleted"].lines if it.endswith("is deleted")}
    left = {it["VolumeId"] for it in evidence.stage.world.volumes()}
    return [
        Result("stop it first" in seen["running"].complained, "refused while it runs"),
        Result(seen["answer"].code == 0, f"restored: {seen['answer'].complained.strip()[-200:]}"),
        checks.equal("each device holds its volume of the set", origin, now),
        checks.equal("what was there is kept", displaced, kept),
        checks.equal("and no longer than was said", displaced, gone - left),
    ]


SCENARIOS = [
    Scenario(
        name="restore-free",
        story="a person makes volumes of a backup in another zone, by command and with no other rights than it needs",
        drive=refused_then_free,
        ends=frozenset(),
        tags=lambda _: HOURLY,
        checks=(free_and_alike, told_plainly, untouched),
    ),
    Scenario(
        name="restore-in-place",
        story="a person restores a backup in place of all volumes of a stopped instance, the root included",
        drive=in_place,
        action="stop",
        ends=frozenset(),
        tags=lambda _: HOURLY,
        checks=(put_in_place,),
    ),
]
