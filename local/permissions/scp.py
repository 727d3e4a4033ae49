"""The service control policy that we ship (docs/scp.json; `tests/scp.rs` keeps it to the code's tags):
what it denies an outsider with all other rights, and what it leaves to the users.
"""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

from local.permissions.calls import IDS, MARK, NOTHING, Tags, on, scaling, untag
from local.permissions.judge import Request, ask
from local.permissions.others import DEVELOPER, EVERYTHING

ROOT = Path(__file__).resolve().parents[2]
# The users' own keys, as docs/POLICY.md has them.
USERS_KEY = re.compile(r"^\| `(spot-rescue[a-z:-]*)` \|", re.MULTILINE)
TEMPLATES = (
    "CreateFleet",
    "CreateLaunchTemplateVersion",
    "DeleteLaunchTemplate",
    "DeleteLaunchTemplateVersions",
    "ModifyLaunchTemplate",
    "RunInstances",
)
CREATING = {
    "CopyVolumes": "volume",
    "CreateFleet": "instance",
    "CreateLaunchTemplate": "launch-template",
    "CreateSnapshot": "snapshot",
    "CreateVolume": "volume",
    "RunInstances": "instance",
}


def document() -> dict[str, Any]:
    return dict(json.loads((ROOT / "docs" / "scp.json").read_text()))


def own_keys() -> list[str]:
    tags = document()["Statement"][0]["Condition"]["ForAnyValue:StringLike"]["aws:TagKeys"]
    return [it.replace("*", "1") for it in tags]


def users_keys() -> list[str]:
    return USERS_KEY.findall((ROOT / "docs" / "POLICY.md").read_text())


def created(action: str, given: Tags) -> Request:
    request = on("CreateTags", CREATING[action], given=given)
    request.context["ec2:CreateAction"] = [action]
    return request


def grouped(action: str, key: str) -> Request:
    """Of a group that passes its tags to its members."""
    request = scaling(action, NOTHING)
    request.context.update({"aws:TagKeys": [key], f"aws:RequestTag/{key}": ["x"]})
    return request


def calls() -> tuple[list[Request], list[Request]]:
    """Calls that are denied, and calls that are not."""
    own, users = own_keys(), ["Name", *users_keys()]
    denied = [
        *(on("CreateTags", kind, given={key: "x"}) for key in own for kind in IDS),
        *(untag(kind, MARK, key) for key in own for kind in ("instance", "launch-template")),
        *(untag(kind, MARK) for kind in ("instance", "launch-template", "volume")),
        *(on("CreateTags", "instance", given={"Name": "x", key: "x"}) for key in own),
        *(created(it, MARK) for it in CREATING),
        *(grouped(it, key) for it in GROUPS for key in own),
        *(on(it, "launch-template", MARK) for it in TEMPLATES),
    ]
    left = [
        *(on("CreateTags", "instance", given={key: "x"}) for key in users),
        *(on("CreateTags", "instance", MARK, {key: "x"}) for key in users),
        *(untag("instance", MARK, key) for key in users),
        *(untag(kind, NOTHING) for kind in ("instance", "launch-template", "volume")),
        *(created(it, {"Name": "x", "spot-rescue": "on"}) for it in CREATING),
        *(grouped(it, key) for it in GROUPS for key in users),
        *(on(it, "launch-template") for it in TEMPLATES),
        *(on(it, "volume", MARK) for it in ("AttachVolume", "DeleteVolume", "DetachVolume")),
        on("TerminateInstances", "instance", MARK),
    ]
    return as_developer(denied), as_developer(left)


GROUPS = ("CreateAutoScalingGroup", "CreateOrUpdateTags")


def as_developer(asked: list[Request]) -> list[Request]:
    return [replace(it, by=DEVELOPER) for it in asked]


DENIED, LEFT = calls()


def denied() -> list[str]:
    """By this policy, and by nothing else."""
    without = ask((EVERYTHING, it) for it in DENIED)
    with_it = ask(((EVERYTHING, it) for it in DENIED), document())
    problems = [
        f"{it}: {verdict.error or verdict.unknown or 'refused without the policy'}"
        for it, verdict in zip(DENIED, without, strict=True)
        if verdict.error or verdict.unknown or not verdict.allowed
    ]
    passed = [it for it, verdict in zip(DENIED, with_it, strict=True) if verdict.allowed]
    return [*problems, *(f"allowed: {it} with {it.context}" for it in passed)]


def left() -> list[str]:
    verdicts = ask(((EVERYTHING, it) for it in LEFT), document())
    pairs = zip(LEFT, verdicts, strict=True)
    return [f"refused: {it} with {it.context}" for it, verdict in pairs if not verdict.allowed]
