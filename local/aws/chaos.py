"""Calls that fail although nothing is wrong with them.

AWS: a call may be throttled (EC2 says `RequestLimitExceeded` with a 503, Elastic Load Balancing
`Throttling` with a 400, SQS `RequestThrottled` with a 400), find its service unavailable, or never
be answered, done or not done
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html,
https://docs.aws.amazon.com/AWSSimpleQueueService/latest/APIReference/CommonErrors.html). moto
answers every call.

Only the calls of one access key are disturbed. What is decided is decided per call of the SDK, not
per attempt: one, two or all three attempts of a disturbed call are hit, so that the SDK's own
retries do not hide everything from the function.
"""

import os
import random
import re
import socket
import struct
import threading
import time
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs

from local.aws.journal import CREDENTIAL
from local.aws.settings import BadInput
from local.aws.signatures import KEPT

Wsgi = Callable[[dict[str, Any], Any], Any]

KINDS = ("latency", "throttled", "unavailable", "reset", "lost")
#: attempts the SDK makes of one call; a disturbed one loses up to so many of them
ATTEMPTS = 3
#: SO_LINGER of no seconds: closing is a reset
AT_ONCE = struct.pack("ii", 1, 0)
EC2 = (
    "<?xml version='1.0' encoding='UTF-8'?><Response><Errors><Error><Code>{code}</Code>"
    "<Message>{message}</Message></Error></Errors><RequestID>chaos</RequestID></Response>"
)
QUERY = (
    "<ErrorResponse><Error><Type>Receiver</Type><Code>{code}</Code><Message>{message}</Message>"
    "</Error><RequestId>chaos</RequestId></ErrorResponse>"
)
JSON = '{{"__type":"com.amazonaws.sqs#{code}","message":"{message}"}}'
FORMS = {"ec2": (EC2, "text/xml"), "sqs": (JSON, "application/x-amz-json-1.0")}
OTHERS = (QUERY, "text/xml")
THROTTLED = {
    "ec2": ("503 Service Unavailable", "RequestLimitExceeded", "Request limit exceeded."),
    "sqs": ("400 Bad Request", "RequestThrottled", "Request was throttled."),
}
OTHERS_THROTTLED = ("400 Bad Request", "Throttling", "Rate exceeded")
UNAVAILABLE = ("503 Service Unavailable", "ServiceUnavailable", "Please try again shortly.")


@dataclass
class Chaos:
    """How often, how, and to which callers; and what was done so far."""

    rate: float = 0.0
    latency_ms: float = 300
    kinds: tuple[str, ...] = KINDS
    principal: str = ""
    rng: random.Random = field(default_factory=random.Random)
    #: (action, kind) -> attempts hit
    hits: Counter[tuple[str, str]] = field(default_factory=Counter)
    disturbed: int = 0
    calls: int = 0
    #: SDK call -> its kind, and how many attempts are still to be hit
    _open: dict[str, tuple[str, int]] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def change(self, body: dict[str, Any]) -> dict[str, Any]:
        unknown = set(body) - {"rate", "latency_ms", "kinds", "principal", "seed"}
        if unknown:
            raise BadInput(f"unknown: {sorted(unknown)}")
        rate, latency = body.get("rate", self.rate), body.get("latency_ms", self.latency_ms)
        kinds = body.get("kinds", self.kinds)
        for it in (rate, latency):
            if isinstance(it, bool) or not isinstance(it, int | float) or it < 0:
                raise BadInput(f"rate and latency_ms are numbers that are not negative, not {it!r}")
        if not kinds or not set(kinds) <= set(KINDS):
            raise BadInput(f"kinds are some of {KINDS}, not {kinds!r}")
        with self._lock:
            self.rate, self.latency_ms, self.kinds = min(rate, 1.0), latency, tuple(kinds)
            self.principal = str(body.get("principal", self.principal))
            if "seed" in body:
                self.rng.seed(body["seed"])
        return self.told()

    def told(self) -> dict[str, Any]:
        with self._lock:
            by_kind: Counter[str] = Counter()
            for (_, kind), count in self.hits.items():
                by_kind[kind] += count
            return {
                "rate": self.rate,
                "calls": self.calls,
                "disturbed": self.disturbed,
                "attempts": dict(by_kind),
                "actions": {f"{action} {kind}": n for (action, kind), n in self.hits.items()},
            }

    def verdict(self, call_id: str, action: str) -> str | None:
        """The failure of this attempt, if any."""
        with self._lock:
            if call_id not in self._open:
                self.calls += 1
                hit = self.rng.random() < self.rate
                self.disturbed += hit
                times = self.rng.randint(1, ATTEMPTS) if hit else 0
                self._open[call_id] = (self.rng.choice(self.kinds), times)
            kind, times = self._open[call_id]
            if times == 0:
                return None
            self._open[call_id] = (kind, times - 1)
            self.hits[action, kind] += 1
            return kind


CHAOS = Chaos()


def layer(application: Wsgi) -> Wsgi:
    """The application, with failures now and then."""

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if not CHAOS.rate:
            return application(environ, start_response)
        found = CREDENTIAL.search(environ.get("HTTP_AUTHORIZATION", ""))
        if found is None or found[1] != CHAOS.principal:
            return application(environ, start_response)
        service = found[2]
        call_id = environ.get("HTTP_AMZ_SDK_INVOCATION_ID") or str(time.monotonic_ns())
        match CHAOS.verdict(call_id, f"{service}:{_action(environ)}"):
            case "latency":
                # The wall clock's: so are the caller's timeouts.
                time.sleep(CHAOS.latency_ms / 1000)
            case "throttled":
                refusal = THROTTLED.get(service, OTHERS_THROTTLED)
                return _refuse(start_response, service, refusal)
            case "unavailable":
                return _refuse(start_response, service, UNAVAILABLE)
            case "reset":
                return _hang_up(environ)
            case "lost":
                for _ in application(environ, lambda *_: None):
                    pass
                return _hang_up(environ)
        return application(environ, start_response)

    return serve


def _action(environ: dict[str, Any]) -> str:
    target = re.search(r"\.(\w+)$", environ.get("HTTP_X_AMZ_TARGET", ""))
    if target:
        return target[1]
    form = parse_qs(environ.get(KEPT, b"").decode(errors="replace"))
    return form.get("Action", ["Unknown"])[0]


def _refuse(start_response: Any, service: str, refusal: tuple[str, str, str]) -> list[bytes]:
    status, code, message = refusal
    text, kind = FORMS.get(service, OTHERS)
    body = text.format(code=code, message=message).encode()
    start_response(status, [("Content-Type", kind), ("Content-Length", str(len(body)))])
    return [body]


def _hang_up(environ: dict[str, Any]) -> list[bytes]:
    """Resets the connection. Its descriptor then leads nowhere, instead of to a stranger's."""
    connection = environ["werkzeug.socket"]
    connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, AT_ONCE)
    nowhere = os.open(os.devnull, os.O_RDWR)
    try:
        os.dup2(nowhere, connection.fileno())
    finally:
        os.close(nowhere)
    raise ConnectionResetError("as it pleases chaos")
