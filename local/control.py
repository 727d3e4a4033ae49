"""What a scenario can do to the local AWS besides calling AWS: interrupt, withhold capacity, deliver
events by hand, read the journal. Times are AWS-seconds.
"""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from local.deploy import REGION
from local.world import unsealed

SPOT_WARNING = "EC2 Spot Instance Interruption Warning"


@dataclass(frozen=True)
class Moment:
    """The state after a jump."""

    t: float
    # Messages that wait for a function.
    visible: int
    at_rest: bool


@dataclass(frozen=True)
class Entered:
    """A state that an instance entered, when, and its tags then."""

    t: float
    instance: str
    state: str
    tags: dict[str, str]


@dataclass
class Shift:
    """When a function has begun to work, as time.time() tells; and when it has ended, in AWS-seconds."""

    began: float
    ended: float | None = None


class Control:
    """The local AWS's own API."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        # When the first instance was interrupted: every story counts from there.
        self.interrupted_at: float | None = None
        self._journal: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    def now(self) -> float:
        """In AWS-seconds."""
        return float(self._get("health")["t"])

    def date(self) -> datetime:
        """What the clock says."""
        return datetime.fromtimestamp(self._get("health")["unix"], UTC)

    @contextmanager
    def work(self) -> Iterator[Shift]:
        """The clock runs while a function works."""
        shift = Shift(float(self._post("work", {"functions": 1})["unix"]))
        try:
            yield shift
        finally:
            shift.ended = float(self._post("work", {"functions": -1})["t"])

    def jump(self, until: float, deliver: bool) -> Moment:
        """To the next event, or to `until` if there is none; nowhere while a function works."""
        found = self._post("jump", {"until": until, "deliver": deliver})
        return Moment(found["t"], found["visible"], found["at_rest"])

    def interrupt(
        self,
        instances: list[str],
        action: str = "terminate",
        warn: bool = True,
        carry_out: bool = True,
        block_seconds: int | None = None,
    ) -> None:
        """Without `carry_out` EC2 only warns, and they run on. A Capacity Block names the time of its end."""
        if self.interrupted_at is None:
            self.interrupted_at = self.now()
        how = {"action": action, "warn": warn, "carry_out": carry_out}
        how |= {"block_seconds": block_seconds} if block_seconds else {}
        self._post("interrupt", {"instance_ids": instances, **how})

    def start(self, instance: str) -> None:
        self._post("start", {"instance_id": instance})

    def persistent(self, instance: str) -> None:
        """Its request is one that only RequestSpotInstances makes: persistent, and it terminates."""
        self._post("persistent", {"instance_id": instance})

    def share(self, resource: str, owner: str) -> None:
        """A subnet, a security or placement group: another account's, which lets this one use it."""
        self._post("share", {"resource_id": resource, "owner": owner})

    def join(self, fleet: str, instance: str) -> None:
        """As if the fleet had launched it."""
        self._post("join", {"fleet_id": fleet, "instance_id": instance})

    def manage(self, volume: str, principal: str) -> None:
        """From now on a service manages it."""
        self._post("manage", {"volume_id": volume, "principal": principal})

    def event(self, event: dict[str, Any]) -> None:
        """It happens now, whatever its time says."""
        self._post("event", {**event, "time": iso(self.date())})

    def capacity(self, place: str, instance_type: str, market: str, code: str | None) -> None:
        """A zone or a subnet; a code of capacity or any other; None lifts earlier ones."""
        pool = {"availability_zone": place, "instance_type": instance_type, "market": market}
        self._post("capacity", {**pool, "code": code})

    def refuse(self, action: str, code: str | None) -> None:
        """CreateFleet, RunInstances or "*": refused as a whole, until it is lifted with None."""
        self._post("refusal", {"action": action, "code": code})

    def deaths(self, code: str | None, count: int | None = None) -> None:
        """So many of the next instances die while booting, or all, until it is lifted with None."""
        self._post("deaths", {"code": code, "count": count})

    def settings(self, **values: Any) -> None:
        self._post("settings", values)

    def chaos(self, rate: float, principal: str, **more: Any) -> None:
        """From now on calls made with that access key go wrong, so often."""
        self._post("chaos", {"rate": rate, "principal": principal, **more})

    def chaos_done(self) -> dict[str, Any]:
        return dict(self._get("chaos"))

    def journal(self) -> list[dict[str, Any]]:
        """Every call so far. Only what is new is fetched."""
        with self._lock:
            self._journal += self._get(f"journal?since={len(self._journal)}")
            return list(self._journal)

    def states(self) -> list[Entered]:
        """Also of instances that EC2 shows no longer, or without their tags."""
        entered = [Entered(**it) for it in self._get("states")]
        return [replace(it, tags=unsealed(it.tags)) for it in entered]

    def _get(self, what: str) -> Any:
        with urllib.request.urlopen(f"{self.endpoint}/local-aws/{what}", timeout=60) as answer:
            return json.load(answer)

    def _post(self, what: str, body: dict[str, Any]) -> Any:
        request = urllib.request.Request(
            f"{self.endpoint}/local-aws/{what}",
            data=json.dumps(body).encode(),
            headers={"Content-Type": "application/json"},
        )
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as error:
            text = error.read().decode(errors="replace")[:300]
            raise RuntimeError(f"{what} was refused: {text}") from error


def iso(moment: datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def warning(instance: str, zone: str, action: str = "terminate") -> dict[str, Any]:
    """The warning as EC2 sends it: the ARN has the zone where others have the Region."""
    return {
        "version": "0",
        "id": "1e5527d7-bb36-4607-3370-4164db56a40e",
        "detail-type": SPOT_WARNING,
        "source": "aws.ec2",
        "account": "123456789012",
        "time": iso(datetime.now(UTC)),
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
        "time": iso(datetime.now(UTC)),
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
        "time": iso(datetime.now(UTC)),
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
