"""Launches that are refused as a whole, and what is said of it.

AWS: CreateFleet and RunInstances answer with an HTTP status of 400, before any pool is tried, when the
request cannot be fulfilled whatever the pool: the key pair is gone, a policy forbids it, the fleet's
configuration is wrong (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html).
moto refuses only what it looks at.
"""

from typing import Any

from local.aws.patch import refuse
from local.aws.settings import BadInput

ACTIONS = ("CreateFleet", "RunInstances")
ALL = "*"
TEXTS = {
    "InvalidFleetConfiguration": "Your requested instance type is not supported in your requested "
    "Availability Zone.",
    "InvalidKeyPair.NotFound": "The key pair does not exist",
    "MaxSpotInstanceCountExceeded": "Max spot instance count exceeded",
    "UnauthorizedOperation": "You are not authorized to perform this operation, with an explicit deny "
    "in a service control policy.",
    "UnfulfillableCapacity": "Unable to fulfill capacity due to your request configuration. Please "
    "adjust your request and try again.",
}

#: action -> the code it is refused with
RULES: dict[str, str] = {}


def put(action: Any, code: str | None) -> None:
    """From now on; None lifts it."""
    if action not in (*ACTIONS, ALL):
        raise BadInput(f"action is one of {(*ACTIONS, ALL)}, not {action!r}")
    for each in ACTIONS if action == ALL else (action,):
        RULES.pop(each, None)
        if code is not None:
            RULES[each] = code


def check(call: Any) -> None:
    code = RULES.get(call._get_action())
    if code is not None:
        raise refuse(code, text(code) or f"{code}: the request cannot be fulfilled.")


def text(code: str) -> str:
    """Empty for a code without a text."""
    return TEXTS.get(code, "")
