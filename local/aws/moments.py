"""From one moment at which something happens to the next.

What a function waits for is either due by the clock (a boot, the end of two minutes) or a message
that becomes visible. In between nothing can be seen to happen, so it need not be waited for.
"""

from typing import Any

from moto.ec2.models import ec2_backends

from local.aws import events, instances, queue
from local.aws.clock import CLOCK

#: the states that instances entered, with the tags they had then
ENTERED: list[dict[str, Any]] = []
MOVING = ("pending", "stopping", "shutting-down")


def entered(instance: Any, state: str) -> None:
    tags = dict(instance.ec2_backend.tags.get(instance.id, {}))
    ENTERED.append({"t": CLOCK.now(), "instance": instance.id, "state": state, "tags": tags})


instances.LISTENERS.append(entered)


def now() -> dict[str, Any]:
    t = CLOCK.now()
    return {"t": t, "unix": CLOCK.epoch + t}


def jump(until: float, deliver: bool) -> dict[str, Any]:
    """One jump at most, and the state that the caller needs before the next."""
    waiting = queue.visible() if deliver else 0
    if not waiting and not CLOCK.is_working():
        due = [CLOCK.next_due(), queue.next_visible() if deliver else None]
        CLOCK.jump(min([until, *(it for it in due if it is not None)]))
        waiting = queue.visible() if deliver else 0
    return {**now(), "visible": waiting, "at_rest": _is_at_rest()}


def _is_at_rest() -> bool:
    """No message anywhere, no snapshot and no instance on its way. Ageing alone does not count."""
    backend = ec2_backends[events.ACCOUNT][events.REGION]
    snapshots = (it.status for it in backend.snapshots.values())
    states = (it.state for it in backend.all_instances())
    moving = any(it in MOVING for it in states)
    return not (moving or CLOCK.is_working() or queue.messages() or "pending" in snapshots)
