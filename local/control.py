"""What a scenario can do to the local AWS besides calling AWS: interrupt, withhold capacity, deliver
events by hand, read the journal. Times are AWS-seconds.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from datetime import UTC, datetime
from typing import Any

from local.deploy import REGION

SPOT_WARNING = "EC2 Spot Instance Interruption Warning"


class Control:
    """The local AWS's own API."""

    def __init__(self, endpoint: str, speed: float) -> None:
        self.endpoint = endpoint
        self.speed = speed
        # When the first instance was interrupted: every story counts from there.
        self.interrupted_at: float | None = None
        self._journal: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def sleep(self, aws_seconds: float) -> None:
        time.sleep(aws_seconds / self.speed)

    def interrupt(self, instances: list[str], action: str = "terminate", warn: bool = True) -> None:
        self.interrupted_at = self.interrupted_at or time.time()
        self._post("interrupt", {"instance_ids": instances, "action": action, "warn": warn})

    def start(self, instance: str) -> None:
        self._post("start", {"instance_id": instance})

    def persistent(self, instance: str) -> None:
        """Its request is one that only RequestSpotInstances makes: persistent, and it terminates."""
        self._post("persistent", {"instance_id": instance})

    def event(self, event: dict[str, Any]) -> None:
        self._post("event", event)

    def capacity(self, zone: str, instance_type: str, market: str, code: str | None) -> None:
        place = {"availability_zone": zone, "instance_type": instance_type}
        self._post("capacity", {**place, "market": market, "code": code})

    def settings(self, **values: Any) -> None:
        self._post("settings", values)

    def chaos(self, rate: float, principal: str, **more: Any) -> None:
        """From now on calls made with that access key go wrong, so often."""
        self._post("chaos", {"rate": rate, "principal": principal, **more})

    def chaos_done(self) -> dict[str, Any]:
        with urllib.request.urlopen(f"{self.endpoint}/local-aws/chaos", timeout=20) as answer:
            return dict(json.load(answer))

    def journal(self) -> list[dict[str, Any]]:
        """Every call so far. Only what is new is fetched."""
        with self._lock:
            url = f"{self.endpoint}/local-aws/journal?since={len(self._journal)}"
            with urllib.request.urlopen(url, timeout=20) as answer:
                found = json.load(answer)
            self._journal += found["entries"] if isinstance(found, dict) else found
            return list(self._journal)

    def is_up(self) -> bool:
        try:
            with urllib.request.urlopen(f"{self.endpoint}/local-aws/health", timeout=2) as answer:
                return bool(json.load(answer).get("ok"))
        except (OSError, ValueError):
            return False

    def _post(self, what: str, body: dict[str, Any]) -> None:
        request = urllib.request.Request(
            f"{self.endpoint}/local-aws/{what}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=20) as answer:
                answer.read()
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")[:300]
            raise RuntimeError(f"{what} was refused: {text}") from error


def warning(instance: str, zone: str, action: str = "terminate") -> dict[str, Any]:
    """The warning as EC2 sends it: the ARN has the zone where others have the Region."""
    return {
        "version": "0",
        "id": "1e5527d7-bb36-4607-3370-4164db56a40e",
        "detail-type": SPOT_WARNING,
        "source": "aws.ec2",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:ec2:{zone}:instance/{instance}"],
        "detail": {"instance-id": instance, "instance-action": action},
    }


def rebalance(instance: str) -> dict[str, Any]:
    """The recommendation as EC2 sends it: an instance, and nothing else."""
    return {
        "version": "0",
        "id": "7bf73129-1428-4cd3-a780-95db273d1602",
        "detail-type": "EC2 Instance Rebalance Recommendation",
        "source": "aws.ec2",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [f"arn:aws:ec2:{REGION}:123456789012:instance/{instance}"],
        "detail": {"instance-id": instance},
    }


def health(instance: str, due: datetime) -> dict[str, Any]:
    """A retirement, as AWS Health announces it: its dates are those of RFC 1123."""
    return {
        "version": "0",
        "id": "7fb65329-1628-4cf3-a740-95fa457f1402",
        "detail-type": "AWS Health Event",
        "source": "aws.health",
        "account": "123456789012",
        "time": datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ"),
        "region": REGION,
        "resources": [instance],
        "detail": {
            "eventArn": f"arn:aws:health:{REGION}::event/EC2/AWS_EC2_X_SCHEDULED/1",
            "service": "EC2",
            "eventTypeCode": "AWS_EC2_PERSISTENT_INSTANCE_RETIREMENT_SCHEDULED",
            "eventTypeCategory": "scheduledChange",
            "startTime": due.strftime("%a, %d %b %Y %H:%M:%S GMT"),
            "affectedEntities": [{"entityValue": instance, "status": "PENDING"}],
        },
    }
