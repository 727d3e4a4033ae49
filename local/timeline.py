"""A story as a table: seconds since the warning, what happened, how it went.

Made of three sources: the journal (calls of the function), the instances' states as they changed,
and the outcome lines of the function's log.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from local.checks import mutations
from local.function import SEEN
from local.scenarios.scenario import Played

# Calls in plain words; the others are shown by name alone.
WORDS = {
    "elasticloadbalancing:DeregisterTargets": "traffic leaves",
    "elasticloadbalancing:RegisterTargets": "traffic comes back",
    "ec2:ModifyInstanceAttribute": "DeleteOnTermination set",
    "ec2:CreateSnapshots": "snapshot set begun",
    "ec2:CreateSnapshot": "closing snapshot begun",
    "ec2:CreateFleet": "replacement asked for",
    "ec2:CreateVolume": "volume restored",
    "ec2:CopyVolumes": "volume cloned",
    "ec2:AttachVolume": "volume attached",
    "ec2:RestoreVolumeFromRecycleBin": "volume taken out of the Recycle Bin",
    "ec2:AssociateAddress": "address moved",
    "ec2:CreateTags": "written down",
    "ec2:DeleteTags": "forgotten",
    "ec2:CreateLaunchTemplate": "rescue prepared",
    "ec2:CreateLaunchTemplateVersion": "prepared rescue refreshed",
    "ec2:ModifyLaunchTemplate": "own version made the default",
    "ec2:DeleteLaunchTemplateVersions": "old versions deleted",
    "ec2:DeleteLaunchTemplate": "prepared rescue forgotten",
    "ec2:TerminateInstances": "instance ended by us",
    "ec2:DeleteVolume": "expired copy deleted",
    "ec2:DeleteSnapshot": "expired copy deleted",
}
# Calls of one kind this close together are one line.
TOGETHER_SECONDS = 3.0


@dataclass
class Row:
    t: float
    what: str
    how: str
    count: int = 1

    def __str__(self) -> str:
        times = f" x{self.count}" if self.count > 1 else ""
        return f"  {self.t:7.1f} s  {self.what + times:<52} {self.how}"


def table(played: Played) -> str:
    rows = [*calls(played), *states(played), *outcomes(played)]
    return "\n".join(str(row) for row in merged(sorted(rows, key=lambda it: it.t)))


def calls(played: Played) -> Iterator[Row]:
    """Without those to its own queue: they are how the function waits, and there are many."""
    for it in mutations(played.stage.journal()):
        if it["t"] >= played.zero and not it["action"].startswith("sqs:"):
            words = WORDS.get(it["action"], "")
            what = f"{words} ({it['action']})" if words else it["action"]
            yield Row(it["t"] - played.zero, what, result(it, single(played)))


def result(entry: dict[str, Any], with_id: bool) -> str:
    if entry["code"]:
        return str(entry["code"])
    if entry["action"] != "ec2:CreateFleet":
        return "ok"
    # A fleet that got nothing is an HTTP 200 as well: the answer then names no new instance.
    asked = " ".join(entry["params"].values())
    new = [it for it in entry["ids"] if it.startswith("i-") and it not in asked]
    if not new:
        return ", ".join(dict.fromkeys(entry["refused"])) or "no capacity"
    return new[0] if with_id else "ok"


def states(played: Played) -> Iterator[Row]:
    names = {it: f"instance {it}" for it in played.instances}
    for it in played.stage.control.states():
        if it.t >= played.zero:
            name = names.get(it.instance, f"new instance {it.instance}")
            yield Row(it.t - played.zero, name if single(played) else "instances", it.state)


def outcomes(played: Played) -> Iterator[Row]:
    for it in played.stage.log.outcomes():
        t = it.get(SEEN, played.began) - played.zero
        if t >= 0:
            yield Row(t, f"OUTCOME {it['outcome']}", summary(it) if single(played) else "")


def single(played: Played) -> bool:
    return len(played.instances) < 4


def summary(outcome: dict[str, Any]) -> str:
    counts = outcome.get("volumes", {})
    told = ", ".join(f"{count} {name}" for name, count in counts.items() if count)
    return told or "nothing had to move"


def merged(rows: list[Row]) -> list[Row]:
    """Same thing, same result, about the same time: one row."""
    kept: list[Row] = []
    for row in rows:
        near = [it for it in kept if row.t - it.t < TOGETHER_SECONDS]
        twin = next((it for it in near if (it.what, it.how) == (row.what, row.how)), None)
        if twin:
            twin.count += 1
        else:
            kept.append(row)
    return kept
