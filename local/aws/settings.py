"""How long things take, and how they end."""

from dataclasses import dataclass, fields
from typing import Any


class BadInput(ValueError):
    """The request makes no sense; the message says why."""


@dataclass
class Settings:
    """All in AWS-seconds."""

    #: what a call of a function takes on its way; the wall's seconds as well
    call_seconds: float = 0.02
    #: what a launch with a token takes; meanwhile that token answers IdempotentCallInProgress
    launch_seconds: float = 0
    #: so many calls of each launch's token find that a twin's is under way, which launches
    calls_in_progress: float = 0
    #: from CreateSnapshot to `completed`
    snapshot_seconds: float = 40
    #: from `shutting-down` to `terminated`
    shutdown_seconds: float = 10
    #: from `pending` to `running`
    boot_seconds: float = 8
    #: 1 where the account enforces IMDSv2 (httpTokensEnforced)
    tokens_enforced: float = 0
    #: from the interruption of a persistent request's instance to its next launch
    relaunch_seconds: float = 20
    #: from CreateReplaceRootVolumeTask to the instance being available again
    root_seconds: float = 20
    #: for how long the Recycle Bin keeps volumes with the tag of the template's rule; 0: there is no rule
    recycle_days: float = 0
    #: what becomes of snapshots: `succeeded` or `failed`
    snapshot_result: str = "succeeded"
    #: the quota "targets per target group"
    targets_per_group: float = 1000
    #: what becomes of a root that is replaced by a volume
    root_by_volume: str = "succeeded"


SETTINGS = Settings()
RESULTS = {
    "snapshot_result": ("succeeded", "failed"),
    "root_by_volume": ("succeeded", "failed", "failed-detached", "refused"),
}


def change(wanted: dict[str, Any]) -> dict[str, Any]:
    """Changes the named settings, all or none, and returns all of them."""
    known = {field.name for field in fields(Settings)}
    unknown = set(wanted) - known
    if unknown:
        raise BadInput(f"unknown setting {sorted(unknown)}; known are {sorted(known)}")
    checked = {name: _checked(name, value) for name, value in wanted.items()}
    for name, value in checked.items():
        setattr(SETTINGS, name, value)
    return dict(vars(SETTINGS))


def _checked(name: str, value: Any) -> Any:
    if name in RESULTS:
        if value not in RESULTS[name]:
            raise BadInput(f"{name} is one of {RESULTS[name]}, not {value!r}")
        return value
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise BadInput(f"{name} is a number, not {value!r}")
    if value < 0:
        raise BadInput(f"{name} is not negative, unlike {value}")
    return float(value)
