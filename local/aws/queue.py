"""What waits in queues.

AWS: a message sent with `DelaySeconds` is invisible that long, a received one for the visibility
timeout (https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html).
moto does the same, by its clock. A long poll is answered at once: time stands still while it waits.
"""

from typing import Any

from moto.sqs.models import Message, Queue, SQSBackend, sqs_backends

from local.aws import events
from local.aws.clock import CLOCK
from local.aws.patch import replaces

MOTO_RECEIVE_MESSAGE = SQSBackend.receive_message
#: moto shows a message when the end of its visibility timeout is over, not when it is reached
A_MOMENT = 0.001


@replaces(SQSBackend)
def receive_message(
    self: Any, queue_name: str, count: int, _wait: int, timeout: int, names: list[str] | None = None
) -> list[Message]:
    return MOTO_RECEIVE_MESSAGE(self, queue_name, count, 0, timeout, names)


def messages() -> list[Message]:
    """In any state, except those that have been given up."""
    queues: list[Queue] = list(sqs_backends[events.ACCOUNT][events.REGION].queues.values())
    return [it for queue in queues if queue.redrive_policy for it in queue._messages]


def visible() -> int:
    return sum(it.visible and not it.delayed for it in messages())


def next_visible() -> float | None:
    """When the first hidden message will be visible."""
    hidden = [it for it in messages() if not it.visible or it.delayed]
    moments = [max(it.visible_at, it.delayed_until) / 1000 for it in hidden]
    return min(moments) - CLOCK.epoch + A_MOMENT if moments else None
