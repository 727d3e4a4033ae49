"""The events that services send by themselves, through the same rules as all others.

AWS: EC2 and EBS send theirs to the default bus on a best-effort basis
(https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-service-event-list.html). PutEvents
refuses a source that begins with `aws.`; only services have those. moto sends nothing by itself and
lets any caller speak for `aws.ec2`.
"""

import json
import time
from datetime import UTC, datetime
from typing import Any

from moto.events.models import events_backends
from moto.events.responses import EventsHandler

from local.aws.patch import replaces

ACCOUNT = "123456789012"
REGION = "us-east-1"


def emit(detail_type: str, resources: list[str], detail: dict[str, Any], backend: Any) -> None:
    """Sends an event as EC2 does."""
    deliver(
        {
            "source": "aws.ec2",
            "detail-type": detail_type,
            "resources": resources,
            "detail": detail,
        },
        account=backend.account_id,
        region=backend.region_name,
    )


def deliver(event: dict[str, Any], account: str = ACCOUNT, region: str = REGION) -> None:
    """Any event, in the form rules see it."""
    entry = {
        "Source": event["source"],
        "DetailType": event["detail-type"],
        "Resources": event.get("resources", []),
        "Detail": json.dumps(event["detail"]),
        "Time": _seconds(event.get("time")),
    }
    events_backends[account][region].put_events([entry])


def iso(moment: datetime | None = None) -> str:
    return (moment or datetime.now(UTC)).strftime("%Y-%m-%dT%H:%M:%SZ")


def _seconds(moment: str | None) -> float:
    return datetime.fromisoformat(moment).timestamp() if moment else time.time()


MOTO_PUT_EVENTS = EventsHandler.put_events


@replaces(EventsHandler)
def put_events(self: Any) -> str:
    entries = self._get_param("Entries") or []
    reserved = [str(it.get("Source", "")).startswith("aws.") for it in entries]
    if not any(reserved):
        return MOTO_PUT_EVENTS(self)
    allowed = [it for it, refused in zip(entries, reserved, strict=True) if not refused]
    results = iter(self.events_backend.put_events(allowed))
    refusal = {
        "ErrorCode": "NotAuthorizedForSourceException",
        "ErrorMessage": "Not authorized for the source.",
    }
    answer = [refusal if refused else next(results) for refused in reserved]
    failed = sum("ErrorCode" in it for it in answer)
    return json.dumps({"FailedEntryCount": failed, "Entries": answer})
