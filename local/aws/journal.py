"""Every call that was made, its principal, what it needed permission for, and what came of it.

Refused ones too: a missing permission shows here as `UnauthorizedOperation`. The permissions are those
that `permissions` asked the caller's policies for: recorded, so that a whole run can be put before
another judge (`local/permissions`).
"""

import re
import threading
from dataclasses import asdict, dataclass
from typing import Any

from local.aws.clock import CLOCK

CREDENTIAL = re.compile(r"Credential=([^/]+)/[^/]*/[^/]*/([^/]+)/")
ID = re.compile(r"\b(?:i|vol|snap|lt|fleet|eipalloc|ami|subnet)-[0-9a-f]{8,32}\b")
XML_CODE = re.compile(r"<Code>([^<]+)</Code>")
REFUSED = re.compile(r"<errorCode>([^<]+)</errorCode>")
JSON_CODE = re.compile(r'"__type":\s*"(?:[^"#]*#)?([^"]+)"')
QUIET = {"sqs:ReceiveMessage", "sqs:GetQueueAttributes", "sqs:GetQueueUrl"}
LONGEST_VALUE = 200


@dataclass
class Entry:
    n: int
    t: float
    action: str
    principal: str
    agent: str
    params: dict[str, str]
    status: int
    code: str | None
    # What the pools of a fleet were refused with, which is an HTTP 200.
    refused: list[str]
    ids: list[str]
    # What was asked of the caller's policies: action, ARN, condition context.
    needs: list[dict[str, Any]]


class Journal:
    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._lock = threading.Lock()

    def since(self, n: int) -> list[dict[str, Any]]:
        """Entry `n` and all after it."""
        with self._lock:
            return [asdict(it) for it in self._entries[max(n, 0) :]]

    def write(self, call: Any, status: int, body: str) -> None:
        key, service = _credential(call)
        action = f"{service}:{_action(call)}"
        if action in QUIET and status == 200 and "ReceiptHandle" not in body:
            return
        params = _params(call)
        ids = sorted(set(ID.findall(" ".join([*params.values(), body]))))
        with self._lock:
            self._entries.append(
                Entry(
                    n=len(self._entries),
                    t=round(CLOCK.now(), 2),
                    action=action,
                    principal=key,
                    agent=call.headers.get("User-Agent", "")[:LONGEST_VALUE],
                    params={name: value[:LONGEST_VALUE] for name, value in params.items()},
                    status=status,
                    code=_code(body) if status >= 400 else None,
                    refused=REFUSED.findall(body) if status < 400 else [],
                    ids=ids,
                    needs=[asdict(it) for it in getattr(call, "local_needs", [])],
                )
            )


def _credential(call: Any) -> tuple[str, str]:
    found = CREDENTIAL.search(call.headers.get("Authorization", ""))
    return (found[1], found[2]) if found else ("anonymous", str(call.service_name))


def _action(call: Any) -> str:
    return str(call._get_action() or "Unknown")


def _params(call: Any) -> dict[str, str]:
    """As sent: the form's fields, or the JSON body whole."""
    if call.querystring.get("Action"):
        fields = call.querystring.items()
        return {name: str(it[0]) for name, it in fields if name not in ("Action", "Version")}
    body = call.body
    return {"body": body if isinstance(body, str) else ""}


def _code(body: str) -> str:
    found = XML_CODE.search(body) or JSON_CODE.search(body)
    return found[1] if found else "Unknown"


JOURNAL = Journal()
