"""When a message reaches the function: at once, unless the mapping has a batching window."""

from types import SimpleNamespace
from typing import Any

import pytest

from local.control import Control
from local.pump import LONG_POLL, Pump
from local.tests.harness import Local, Server

# What never comes is not waited for for ever.
LOOKS = 400


class Noting:
    """Notes when it is invoked, and with how many messages."""

    def __init__(self, control: Control) -> None:
        self._control = control
        self.invoked: list[tuple[float, int]] = []

    def invoke(self, event: dict[str, Any]) -> None:
        self.invoked.append((self._control.now(), len(event["Records"])))


def queue(aws: Local, name: str) -> str:
    """Only one with a dead-letter queue is the function's."""
    dead = aws.sqs.create_queue(QueueName=f"{name}-dead")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    redrive = f'{{"deadLetterTargetArn": "{arn["QueueArn"]}", "maxReceiveCount": "3"}}'
    created = aws.sqs.create_queue(QueueName=name, Attributes={"RedrivePolicy": redrive})
    return str(created["QueueUrl"])


@pytest.mark.parametrize(("window", "messages", "late"), [(0, 1, 0), (1, 1, LONG_POLL), (1, 10, 0)])
def test_a_batching_window_delays_what_fills_no_batch(
    aws: Local, window: int, messages: int, late: float
) -> None:
    """TRAP 41"""
    control = Control(Server.endpoint)
    url = queue(aws, f"pump-{window}-{messages}")
    deployment: Any = SimpleNamespace(
        admin=SimpleNamespace(client=lambda _service, _endpoint: aws.sqs),
        endpoint=Server.endpoint,
        queue_url=url,
        batch_size=10,
        batching_window=window,
        partial_failures=True,
    )
    function: Any = Noting(control)
    pump = Pump(deployment, control, [function])
    for _ in range(messages):
        aws.sqs.send_message(QueueUrl=url, MessageBody="x")
    began = control.now()
    pump.start()
    try:
        for _ in range(LOOKS):
            if function.invoked:
                break
            pump.jump(began, 0.05)
    finally:
        pump.stop()
    ((at, count),) = function.invoked
    assert count == messages
    assert round(at - began, 1) == late
