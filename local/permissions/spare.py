"""What the role could do without: each action, and each resource of each statement, is taken away in
turn, and some recorded request must then be refused.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeVar

from local.permissions import policy
from local.permissions.judge import ask
from local.permissions.kinds import Recorded
from local.permissions.policy import Statement

Grant = tuple[str, str, str]
# An action, or less.
Taken = TypeVar("Taken", str, Grant)

LAMBDA = "Lambda makes these calls in the role's name; here the pump does, as an administrator"
KEYS = "EC2 asks KMS for it in the role's name, after the call has been answered"
FIRST_USE = "EC2 makes the roles itself, once in an account's life"
NOT_SEEN = {
    "logs:CreateLogStream": LAMBDA,
    "logs:PutLogEvents": LAMBDA,
    "sqs:GetQueueAttributes": LAMBDA,
    "iam:CreateServiceLinkedRole": FIRST_USE,
    "kms:CreateGrant": KEYS,
    "kms:Decrypt": KEYS,
    "kms:GenerateDataKeyWithoutPlaintext": KEYS,
    "kms:ReEncryptFrom": KEYS,
    "kms:ReEncryptTo": KEYS,
}
ONE_FOR_ALL = "one statement for all deletions"
DELETIONS = {
    "DeleteNetworkInterface": "network-interface",
    "DeleteSnapshot": "snapshot",
    "DeleteVolume": "volume",
    "DeregisterImage": "image",
}
# By action and kind of resource.
UNUSED = {
    (
        "ec2:ModifyNetworkInterfaceAttribute",
        "instance",
    ): "AWS may check the interface's instance as well",
    **{
        (f"ec2:{action}", other): ONE_FOR_ALL
        for action, own in DELETIONS.items()
        for other in DELETIONS.values()
        if other != own
    },
    ("ec2:RunInstances", "fleet"): "stands beside CreateFleet's, and no launch names one",
    ("ec2:RunInstances", "placement-group"): "the scenarios' instances are in none",
    ("ec2:RunInstances", "snapshot"): "the scenarios' images are empty",
    **{
        ("ec2:CreateFleet", kind): "AWS checks CreateFleet on what the request overrides, not all"
        for kind in (
            "image",
            "key-pair",
            "license-configuration",
            "network-interface",
            "placement-group",
            "security-group",
            "snapshot",
            "spot-instances-request",
            "subnet",
            "volume",
        )
    },
}


def actions(recorded: Recorded) -> list[str]:
    """Actions that no scenario misses, and exemptions that are none."""
    missed = refused_without({it: policy.without(it) for it in policy.actions()}, recorded)
    spare = policy.actions() - missed - set(NOT_SEEN)
    return [
        *(f"{it} is missed by no scenario" for it in sorted(spare)),
        *(f"{it} is exempt, but some scenario needs it" for it in sorted(missed & set(NOT_SEEN))),
    ]


def resources(recorded: Recorded) -> list[str]:
    grants = [it for it in policy.grants() if it[1] not in NOT_SEEN]
    missed = refused_without({it: reduced(it) for it in grants}, recorded)
    unused = {(action, kind(resource)) for _, action, resource in set(grants) - missed}
    return [
        *(f"{action} on {kind} is missed by no scenario" for action, kind in unused - set(UNUSED)),
        *(f"{action} on {kind} is exempt, but needed" for action, kind in set(UNUSED) - unused),
    ]


def refused_without(rest: dict[Taken, list[Statement]], recorded: Recorded) -> set[Taken]:
    """Whether the grant is needed: without it, some request for that action is refused."""
    asked = [(taken, it) for taken in rest for it in recorded.of(action_of(taken))]
    verdicts = ask((rest[taken], it) for taken, it in asked)
    pairs = zip(asked, verdicts, strict=True)
    return {taken for (taken, _), verdict in pairs if not verdict.allowed}


def action_of(taken: str | Grant) -> str:
    return taken if isinstance(taken, str) else taken[1]


def reduced(grant: Grant) -> list[Statement]:
    """The policy of that action without the grant; no other action matters."""
    sid, action, resource = grant
    return list(_without(sid, action, resource))


def _without(sid: str, action: str, resource: str) -> Iterator[Statement]:
    for it in policy.statements():
        kept = [name for name in it["Resource"] if (it["Sid"], name) != (sid, resource)]
        if action in it["Action"] and kept:
            yield {**it, "Action": [action], "Resource": kept}


def kind(resource: str) -> str:
    return resource.split(":", 5)[-1].replace(":", "/").partition("/")[0]
