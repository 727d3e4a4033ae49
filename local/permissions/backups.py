"""The role of the function that keeps backups: what its scenarios needed is allowed, each of its actions is
needed, and what it must not do is refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from local.permissions import scp
from local.permissions.calls import CONSISTENCY, EXPIRY, MARK, NOTHING, ON, on
from local.permissions.judge import ask, role
from local.permissions.kinds import Recorded
from local.permissions.policy import BACKUP_ROLE_NAME, Statement, of_backups
from local.permissions.spare import LAMBDA, NOT_SEEN

CALLER = role(BACKUP_ROLE_NAME)
BACKUP = MARK | CONSISTENCY
# By what they are refused for.
FORBIDDEN = {
    "a snapshot of the user's": on("DeleteSnapshot", "snapshot", NOTHING),
    "a copy of a rescue": on("DeleteSnapshot", "snapshot", MARK | EXPIRY),
    "a snapshot that only looks like a backup": on("DeleteSnapshot", "snapshot", CONSISTENCY),
    "an instance that is not opted in": on("CreateSnapshots", "instance", NOTHING),
    "a volume without our mark": on("CreateSnapshots", "volume", NOTHING),
    "a set that is no backup": on("CreateSnapshots", "snapshot", given=MARK),
    "the tags of a backup": on("CreateTags", "snapshot", BACKUP, MARK),
    "a volume": on("DeleteVolume", "volume", MARK | EXPIRY),
    "an instance": on("TerminateInstances", "instance", MARK | ON | EXPIRY),
}
LAWFUL = {
    "a backup": on("DeleteSnapshot", "snapshot", BACKUP),
    "an opted-in instance": on("CreateSnapshots", "instance", ON),
    "a marked volume": on("CreateSnapshots", "volume", MARK),
    "a set": on("CreateSnapshots", "snapshot", given=BACKUP),
}


def problems(directory: Path) -> list[str]:
    return [*needed(directory), *judged(), *spare(directory)]


def needed(directory: Path) -> Iterator[str]:
    """With the service control policy that we ship, too."""
    policy, kinds = of_backups(), Recorded(directory, "backups").kinds
    for above in (None, scp.document()):
        asked = ((policy, replace(request, by=CALLER)) for request, _ in kinds)
        for (request, scenario), verdict in zip(kinds, ask(asked, above), strict=True):
            if not verdict.allowed:
                yield f"{scenario}: {request}: refused"


def judged() -> Iterator[str]:
    policy = of_backups()
    for wanted, calls in ((False, FORBIDDEN), (True, LAWFUL)):
        verdicts = ask((policy, replace(it, by=CALLER)) for it in calls.values())
        for name, verdict in zip(calls, verdicts, strict=True):
            if verdict.error or verdict.unknown:
                yield f"{name}: {verdict.error or verdict.unknown}"
            if verdict.allowed != wanted:
                yield f"{name}: {'allowed' if verdict.allowed else 'refused'}"


def spare(directory: Path) -> Iterator[str]:
    """Actions that no scenario misses, apart from what Lambda does in the role's name."""
    seen = {it.action for it, _ in Recorded(directory, "backups").kinds}
    by_lambda = {action for action, why in NOT_SEEN.items() if why == LAMBDA}
    # The pump receives and deletes, as an administrator; no scenario leaves anything for a second run.
    by_lambda |= {"sqs:ReceiveMessage", "sqs:DeleteMessage", "sqs:SendMessage"}
    for it in sorted(actions(of_backups()) - seen - by_lambda):
        yield f"{it} is missed by no scenario of backups"


def actions(of: list[Statement]) -> set[str]:
    return {name for it in of for name in it["Action"]}
