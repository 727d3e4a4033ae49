"""Which pools have capacity, and which are refused for another reason.

A pool is a type in a zone or subnet, Spot or On-Demand. AWS refuses a launch there with
`InsufficientInstanceCapacity`, or with any code of a launch: the type is not sold there, a
policy forbids it. A fleet tells it in the `Errors` of its 200. moto has room for everything.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html
"""

from dataclasses import dataclass

from local.aws import refusals
from local.aws.patch import refuse
from local.aws.settings import BadInput

MARKETS = ("spot", "on-demand")
ANY = "*"


@dataclass(frozen=True)
class Pool:
    availability_zone: str
    subnet: str
    instance_type: str
    market: str


@dataclass(frozen=True)
class Rule:
    #: a zone or a subnet
    place: str
    instance_type: str
    market: str
    code: str | None

    def covers(self, pool: Pool) -> bool:
        return (
            self.place in (ANY, pool.availability_zone, pool.subnet)
            and self.instance_type in (ANY, pool.instance_type)
            and self.market in (ANY, pool.market)
        )


#: the newest last; it decides
RULES: list[Rule] = []


def limit(place: str, instance_type: str, market: str, code: str | None) -> None:
    """From now on launches there are refused with `code`; None lifts earlier limits."""
    if market not in (*MARKETS, ANY):
        raise BadInput(f"market is one of {(*MARKETS, ANY)}, not {market!r}")
    if code is None and (place, instance_type, market) == (ANY, ANY, ANY):
        RULES.clear()
        return
    RULES.append(Rule(place, instance_type, market, code))


def check(pool: Pool) -> None:
    """Refuses what is launched into a pool that is closed."""
    code = next((it.code for it in reversed(RULES) if it.covers(pool)), None)
    if code is not None:
        raise refuse(code, refusals.text(code) or _no_room(code, pool))


def _no_room(code: str, pool: Pool) -> str:
    return (
        f"{code}: we do not have {pool.instance_type} for this request in {pool.availability_zone} "
        "at the moment. Another instance type or another Availability Zone may have it."
    )
