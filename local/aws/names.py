"""Names in Route 53.

AWS: an account may make five requests a second, whatever they are; the rest is answered "Throttling: Rate
exceeded" (https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/DNSLimitations.html). moto takes any
number.

What a change asks IAM for: the zone, and what is done to records of which types and names
(https://docs.aws.amazon.com/Route53/latest/DeveloperGuide/specifying-conditions-route53.html). moto asks
for "*".

Simplified: a zone takes several changes at once; AWS may answer `PriorRequestNotComplete`.
"""

from collections.abc import Callable
from typing import Any

from moto.route53.exceptions import Route53ClientError
from moto.route53.responses import Route53

from local.aws.clock import CLOCK
from local.aws.patch import shelf

PER_SECOND = 5
CONDITION = "route53:changeresourcerecordsets"


class Rate:
    """Of one account."""

    def __init__(self) -> None:
        self._left, self._at = float(PER_SECOND), 0.0

    def admit(self) -> None:
        now = CLOCK.now()
        self._left = min(PER_SECOND, self._left + (now - self._at) * PER_SECOND)
        self._at = now
        if self._left < 1:
            raise Route53ClientError("Throttling", "Rate exceeded")
        self._left -= 1


def limited(name: str) -> None:
    moto_call: Callable[[Any], Any] = getattr(Route53, name)

    def call(self: Any) -> Any:
        shelf(self.backend, "rate", Rate).admit()
        return moto_call(self)

    setattr(Route53, name, call)


def zone_of(call: Any) -> str:
    zone = call.path.split("/hostedzone/")[-1].split("/")[0]
    return f"arn:aws:route53:::hostedzone/{zone}"


def context_of(call: Any, action: str) -> dict[str, list[str]]:
    """The condition keys of a change. A listing has none."""
    if action != "ChangeResourceRecordSets":
        return {}
    changes = call._get_param("ChangeBatch.Changes") or []
    sets = [it["ResourceRecordSet"] for it in changes]
    return {
        f"{CONDITION}actions": [it["Action"] for it in changes],
        f"{CONDITION}recordtypes": [it["Type"] for it in sets],
        f"{CONDITION}normalizedrecordnames": [it["Name"].rstrip(".").lower() for it in sets],
    }


for each in ("list_resource_record_sets", "change_resource_record_sets"):
    limited(each)
