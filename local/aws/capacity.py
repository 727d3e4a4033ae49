"""Which pools have capacity.

A pool is a type in a zone, Spot or On-Demand. AWS refuses a launch there with
`InsufficientInstanceCapacity`; moto has room for everything.
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html
"""

from dataclasses import dataclass

from local.aws.settings import BadInput

MARKETS = ("spot", "on-demand")
ANY = "*"


@dataclass(frozen=True)
class Rule:
    availability_zone: str
    instance_type: str
    market: str
    code: str | None

    def covers(self, pool: tuple[str, str, str]) -> bool:
        mine = (self.availability_zone, self.instance_type, self.market)
        return all(it in (ANY, other) for it, other in zip(mine, pool, strict=True))


#: the newest last; it decides
RULES: list[Rule] = []


def limit(zone: str, instance_type: str, market: str, code: str | None) -> None:
    """From now on launches there are refused with `code`; None lifts earlier limits."""
    if market not in (*MARKETS, ANY):
        raise BadInput(f"market is one of {(*MARKETS, ANY)}, not {market!r}")
    if code is None and (zone, instance_type, market) == (ANY, ANY, ANY):
        RULES.clear()
        return
    RULES.append(Rule(zone, instance_type, market, code))


def refusal(zone: str, instance_type: str, market: str) -> str | None:
    """The code a launch into this pool is refused with."""
    pool = (zone, instance_type, market)
    return next((it.code for it in reversed(RULES) if it.covers(pool)), None)


def message(code: str, zone: str, instance_type: str) -> str:
    return (
        f"{code}: we do not have {instance_type} for this request in {zone} at the moment. "
        "Another instance type or another Availability Zone may have it."
    )
