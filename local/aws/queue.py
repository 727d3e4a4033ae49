"""Queue delays, as fast as everything else.

A message sent with `DelaySeconds` is invisible that long, a received one for `VisibilityTimeout`
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-visibility-timeout.html).
moto counts both in real seconds.
"""

import time
from typing import Any

from moto.sqs.models import Message

from local.aws.clock import CLOCK
from local.aws.patch import replaces


def _in(aws_seconds: float) -> float:
    """That moment, in moto's milliseconds."""
    return (time.time() + CLOCK.real(float(aws_seconds))) * 1000


@replaces(Message)
def change_visibility(self: Any, visibility_timeout: int) -> None:
    self.visible_at = _in(visibility_timeout)


@replaces(Message)
def delay(self: Any, delay_seconds: int) -> None:
    self.delayed_until = _in(delay_seconds)
