"""What was recorded, each kind of request once.

To a policy, requests differ by action, by what is asked about, and by the keys it may look at. Ids do
not matter to ours, nor do the values of tags, except for the opt-in's.
"""

from __future__ import annotations

import re
from collections.abc import Hashable
from pathlib import Path

from local import record
from local.permissions.judge import Request
from local.permissions.policy import KEY_ARN

OPT_IN = "aws:ResourceTag/spot-rescue"
TAG = re.compile(r"(aws|ec2):\w+Tag/")
# The key of a scenario is the one that the stack names, whatever its id.
KEY = re.compile(r"arn:aws:kms:[^:]*:[0-9]*:key/[0-9a-f-]{36}")
ID = re.compile(r"\b([a-z]+)-[0-9a-f]{8,32}\b")


class Recorded:
    """The runs of a directory."""

    def __init__(self, directory: Path, of: str = "requests") -> None:
        self.scenarios = 0
        self.requests = 0
        self._kinds: dict[Hashable, tuple[Request, str]] = {}
        for scenario, asked in record.read(directory, of).items():
            self.scenarios += 1
            self.requests += len(asked)
            for it in asked:
                request = Request(it["action"], KEY.sub(KEY_ARN, it["resource"]), it["context"])
                self._kinds.setdefault(kind_of(request), (request, scenario))

    @property
    def kinds(self) -> list[tuple[Request, str]]:
        """One of each, and a scenario that needed it."""
        return list(self._kinds.values())

    def of(self, action: str) -> list[Request]:
        return [it for it, _ in self.kinds if it.action == action]


def kind_of(request: Request) -> Hashable:
    keys = frozenset(request.context)
    values = {key: it for key, it in request.context.items() if key == OPT_IN or not TAG.match(key)}
    seen = frozenset((key, frozenset(it)) for key, it in values.items())
    return request.action, ID.sub(r"\1", request.resource), keys, seen
