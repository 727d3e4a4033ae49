"""Instances that die while booting.

AWS: a launch that has answered with an instance may come to nothing: it goes from `pending` to
`terminated`, and only its StateReason tells why
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/troubleshooting-launch.html,
https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html). moto's instances all live.
"""

from dataclasses import dataclass
from typing import Any

from local.aws.instances import Reason
from local.aws.settings import BadInput

CLIENT = "A client error caused the instance to terminate during launch"
REASONS = {
    "Client.InternalError": CLIENT,
    "Client.InvalidParameterCombination": CLIENT,
    "Client.InvalidSnapshot.NotFound": "The specified snapshot was not found",
    "Client.VolumeLimitExceeded": "The limit on the number of EBS volumes or total storage was exceeded",
    "Server.InsufficientInstanceCapacity": "There was insufficient capacity available to satisfy the "
    "launch request",
    "Server.InternalError": "An internal error caused the instance to terminate during launch",
}
NO_KEY = ("Client.InternalError", CLIENT)


@dataclass
class Fate:
    """How the instances that are launched from now on die."""

    code: str | None = None
    #: so many of them; None means all
    left: int | None = None


FATE = Fate()


def foretell(code: str | None, count: Any = None) -> None:
    """None lifts it."""
    if code is not None and code not in REASONS:
        raise BadInput(f"code is one of {sorted(REASONS)}, not {code!r}")
    if count is not None and (isinstance(count, bool) or not isinstance(count, int) or count < 1):
        raise BadInput(f"count is a number of instances or null, not {count!r}")
    FATE.code, FATE.left = code, count


def next_one() -> Reason | None:
    """The reason that the instance being launched dies for, if any."""
    code = FATE.code
    if code is None:
        return None
    if FATE.left is not None:
        FATE.left -= 1
        FATE.code = code if FATE.left else None
    return code, REASONS[code]
