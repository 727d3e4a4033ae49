"""What must be true after a story. Every check returns lines that passed or failed; none repairs."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from local.stage import Stage
from local.world import View, as_dict

DENIED = {
    "AccessDenied",
    "AccessDeniedException",
    "UnauthorizedOperation",
    "AuthFailure",
    "SignatureDoesNotMatch",
}
READS = ("Describe", "Get", "List", "Receive")
RESCUE = "spot-rescue:rescue"
EXPIRES = "spot-rescue:expires-at"
COPY_OF = "spot-rescue:copy-of"
SET = "spot-rescue:set"
CONSISTENCY = "spot-rescue:consistency"
RESTORE = "spot-rescue:restore"
KEPT = "spot-rescue:kept"
# A set that no rescue made, and so no rescue gives an end.
USERS_SET = "backup-of-the-user"


@dataclass(frozen=True)
class Result:
    passed: bool
    what: str


@dataclass
class Evidence:
    """One rescued instance: what it owned, and its last outcome line."""

    stage: Stage
    before: View
    outcome: dict[str, Any]
    since: float

    def after(self) -> View:
        replacement = self.outcome.get("replacement") or self.before.instance
        return self.stage.world.view(replacement)


def moved(evidence: Evidence) -> list[Result]:
    """The very volumes, where they were."""
    before, after = evidence.before, evidence.after()
    return [
        equal("same volume ids under the same devices", names(before), names(after)),
        equal("DeleteOnTermination as it was", flags(before), flags(after)),
    ]


def restored(evidence: Evidence, devices: set[str] | None = None) -> list[Result]:
    """Copies in the replacement's zone, as large and fast, that name what they are copies of."""
    before, after = evidence.before, evidence.after()
    copied = devices or set(before.volumes)
    volumes = {it["VolumeId"]: it for it in evidence.stage.world.volumes()}
    origins = {
        name: as_dict(volumes[volume].get("Tags", [])).get(COPY_OF)
        for name, (volume, _) in after.volumes.items()
        if name in copied
    }
    wanted = {name: it for name, it in names(before).items() if name in copied}
    kept = {name: it for name, it in names(before).items() if name not in copied}
    still = {name: it for name, it in names(after).items() if name not in copied}
    return [
        equal("restored devices are copies of the same volumes", wanted, origins),
        equal("the others are the same volumes", kept, still),
        equal("same type, size, IOPS, throughput", before.settings, after.settings),
        equal("DeleteOnTermination as it was", flags(before), flags(after)),
    ]


def rejoined(evidence: Evidence) -> list[Result]:
    """Same target groups and ports, same address, same tags; no other instance gets the traffic."""
    before, after = evidence.before, evidence.after()
    results = [
        equal("same targets on the same ports", before.targets, after.targets),
        equal("same Elastic IP", before.addresses, after.addresses),
        equal("user's tags kept", user_tags(before.tags), user_tags(after.tags)),
    ]
    if after.instance != before.instance:
        stale = evidence.stage.world.targets(before.instance, before.private_address)
        if before.private_address == after.private_address:
            stale = {it for it in stale if it[1] == "instance"}
        results.append(equal("the old instance gets no traffic", set(), stale))
    return results


def one_replacement(evidence: Evidence) -> list[Result]:
    """Everything ever launched for this lineage, dead or alive."""
    launched = lineage(evidence, evidence.before.instance)
    running = [it["InstanceId"] for it in launched if it["State"]["Name"] == "running"]
    return [
        equal("exactly one replacement runs", [evidence.outcome["replacement"]], running),
        equal("exactly one was ever launched", 1, len(launched)),
    ]


def told_once(evidence: Evidence) -> list[Result]:
    """An outcome is a metric as well: reported twice, it counts twice."""
    instance = evidence.before.instance
    told = [it for it in evidence.stage.log.outcomes() if it["rescue"] == instance]
    return [equal("one outcome was reported", 1, len(told))]


def no_replacement(evidence: Evidence) -> list[Result]:
    launched = lineage(evidence, evidence.before.instance)
    return [equal("nothing was launched", [], [it["InstanceId"] for it in launched])]


def lineage(evidence: Evidence, original: str) -> list[dict[str, Any]]:
    """Everything ever launched for it. EC2 shows instances that ended long ago without tags, or not at all."""
    stage = evidence.stage
    shown = {it["InstanceId"]: it for it in stage.world.instances()}
    alive = {
        key for key, it in shown.items() if as_dict(it.get("Tags", [])).get(RESCUE) == original
    }
    ended = {
        it.instance
        for it in stage.control.states()
        # An instance that dies while booting is never shutting down.
        if it.state in ("shutting-down", "terminated") and it.tags.get(RESCUE) == original
    }
    gone = {"State": {"Name": "terminated"}}
    return [shown.get(it, gone | {"InstanceId": it}) for it in (alive | ended) - {original}]


def nothing_left_over(stage: Stage, lineages: set[str], known: set[str]) -> list[Result]:
    """Resources neither in use nor marked to expire. `known` are snapshots of before."""
    world = stage.world
    living = {
        key for key, state in world.states().items() if state not in ("terminated", "shutting-down")
    }
    volumes = [it["VolumeId"] for it in world.volumes() if is_stray(it, living)]
    snapshots = [
        it["SnapshotId"]
        for it in world.snapshots()
        if it["SnapshotId"] not in known and not ends(as_dict(it.get("Tags", [])))
    ]
    images = [it["ImageId"] for it in world.images() if EXPIRES not in as_dict(it.get("Tags", []))]
    templates = [as_dict(it["Tags"]).get(RESCUE, "") for it in world.templates()]
    return [
        equal("every volume is in use or expires", [], volumes),
        equal("every snapshot of a rescue expires", [], snapshots),
        equal("every image of a rescue expires", [], images),
        equal("one prepared rescue per instance", sorted(lineages), sorted(templates)),
    ]


def ends(tags: dict[str, str]) -> bool:
    """Backups go by their retention."""
    return EXPIRES in tags or CONSISTENCY in tags or tags.get(SET) == USERS_SET


def is_stray(volume: dict[str, Any], living: set[str]) -> bool:
    used = any(it["InstanceId"] in living for it in volume.get("Attachments", []))
    tags = as_dict(volume.get("Tags", []))
    by_hand = any(it.startswith("spot-rescue-restore:") for it in tags)
    return not used and not by_hand and EXPIRES not in tags and KEPT not in tags


def all_handled(stage: Stage) -> list[Result]:
    found = {it["action"] for it in stage.journal() if it["code"] in DENIED}
    denied = sorted(found - stage.forbidden)
    return [
        equal("dead-letter queue is empty", 0, stage.dead_letters()),
        equal("no call was denied", [], denied),
    ]


def nothing_mutated(evidence: Evidence) -> list[Result]:
    """Only reads by the function. Messages to its own queue change nothing of the user's."""
    calls = mutations(evidence.stage.journal())
    changes = sorted({it["action"] for it in calls if it["t"] >= evidence.since})
    return [equal("nothing was changed", [], [it for it in changes if not it.startswith("sqs:")])]


def mutations(journal: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [it for it in journal if not it["action"].partition(":")[2].startswith(READS)]


# --- comparing ----------------------------------------------------------------------------------


def equal(what: str, wanted: Any, found: Any) -> Result:
    if wanted == found:
        return Result(True, what)
    return Result(False, f"{what}: wanted {show(wanted)}, found {show(found)}")


def show(value: Any) -> str:
    return str(sorted(value) if isinstance(value, set) else value)


def names(view: View) -> dict[str, str]:
    return {device: volume for device, (volume, _) in view.volumes.items()}


def flags(view: View) -> dict[str, bool]:
    return {device: flag for device, (_, flag) in view.volumes.items()}


def user_tags(tags: dict[str, str]) -> dict[str, str]:
    policy = (
        "replace",
        "data",
        "root",
        "private-ip",
        "instance-types",
        "subnets",
        "on-demand",
        "return-to-spot",
        "rebalance",
    )
    users = {"spot-rescue", *(f"spot-rescue:{it}" for it in policy)}
    return {
        key: value
        for key, value in tags.items()
        if key in users or not key.startswith(("spot-rescue:", "aws:"))
    }
