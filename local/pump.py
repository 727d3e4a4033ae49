"""Lambda's event source mapping for SQS: queue -> function.

It honours what the template says: batch size, partial batch responses (only what was handled is
deleted), an error means that the whole batch comes back after the visibility timeout, and SQS moves
what was received too often to the dead-letter queue. Concurrency is the number of functions. With a
batching window a batch that is not full waits as long as Lambda may wait on a quiet queue.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import threading
from typing import Any

from local.control import Control, Moment
from local.deploy import REGION, Deployment
from local.function import Function
from local.runtime import Crashed

# Seconds of the wall's between looks at the clock.
BREATH = 0.01
# AWS-seconds that a mapping with a batching window may wait, however short the window is (TRAP 41).
LONG_POLL = 20
# Without a window Lambda delivers so many at once at most, and one call of SQS's hands out no more.
MOST_RECEIVED = 10


class Pump:
    """One poller per function. They look when time has moved, and as long as they find something."""

    def __init__(
        self,
        deployment: Deployment,
        control: Control,
        functions: list[Function],
        batch_size: int | None = None,
    ) -> None:
        self._deployment = deployment
        self._control = control
        self._functions = functions
        self._batch_size = batch_size or deployment.batch_size
        self._paused = False
        self._stop = False
        self._threads: list[threading.Thread] = []
        self._busy = 0
        # Held while a batch is received and while time jumps, so that no jump comes in between a
        # message and the function that is to have it.
        self._changed = threading.Condition()
        # How many pollers are to look.
        self._bell = threading.Semaphore(0)
        self.errors: list[str] = []

    def start(self) -> None:
        for function in self._functions:
            thread = threading.Thread(target=self._poll, args=(function,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop = True
        for _ in self._threads:
            self._bell.release()
        for thread in self._threads:
            thread.join(timeout=5)

    def pause(self) -> None:
        """No further deliveries: messages sent meanwhile arrive late."""
        with self._changed:
            self._paused = True

    def resume(self) -> None:
        self._paused = False

    def is_busy(self) -> bool:
        return self._busy > 0

    def jump(self, until: float, breath: float) -> Moment:
        """To the next event. While functions work: until one has ended, or for a moment."""
        with self._changed:
            # While one is at work, or has just ended, there is no jump, only a look at what there is
            # for the others: the story is to see what has been done before time goes on.
            working = self._busy > 0
            if working:
                self._changed.wait(breath)
            moment = self._control.jump(0 if working else until, not self._paused)
            waiting = min(moment.visible, len(self._functions) - self._busy)
            for _ in range(waiting):
                self._bell.release()
            if waiting and not self._busy:
                self._changed.wait(breath)  # until it has been taken
            return moment

    def _poll(self, function: Function) -> None:
        sqs = self._deployment.admin.client("sqs", self._deployment.endpoint)
        while not self._stop:
            self._bell.acquire()
            try:
                while not self._stop and self._round(sqs, function):
                    pass
            except Exception as error:  # noqa: BLE001 - a poller that dies is not missed
                if not self._stop:
                    self.errors.append(f"pump: {error}")

    def _round(self, sqs: Any, function: Function) -> bool:
        """One batch, if there is one."""
        with self._changed:
            messages = [] if self._paused else self._receive(sqs)
            if not messages:
                return False
            self._busy += 1
            self._changed.notify_all()
        try:
            self._deliver(sqs, function, messages)
        finally:
            with self._changed:
                self._busy -= 1
                self._changed.notify_all()
        return True

    def _receive(self, sqs: Any) -> list[dict[str, Any]]:
        most = min(self._batch_size, MOST_RECEIVED)
        answer = sqs.receive_message(
            QueueUrl=self._deployment.queue_url,
            MaxNumberOfMessages=most,
            MessageSystemAttributeNames=["All"],
        )
        messages = list(answer.get("Messages", []))
        if self._deployment.batching_window and 0 < len(messages) < most:
            self._wait_for_more()
        return messages

    def _wait_for_more(self) -> None:
        end = self._control.now() + LONG_POLL
        while not self._stop and self._control.jump(end, deliver=False).t < end:
            self._changed.wait(BREATH)

    def _deliver(self, sqs: Any, function: Function, messages: list[dict[str, Any]]) -> None:
        try:
            answer = function.invoke({"Records": [record(it) for it in messages]})
        except Crashed as error:
            # Nothing is deleted: SQS shows the batch again when its visibility timeout is over.
            self.errors.append(f"invocation: {error}")
            return
        handled = [it for it in messages if it["MessageId"] not in self._failed(answer, messages)]
        if handled:
            sqs.delete_message_batch(
                QueueUrl=self._deployment.queue_url,
                Entries=[
                    {"Id": str(n), "ReceiptHandle": it["ReceiptHandle"]}
                    for n, it in enumerate(handled)
                ],
            )

    def _failed(self, answer: Any, messages: list[dict[str, Any]]) -> set[str]:
        """Ids to deliver again. An unknown id fails the whole batch, as in Lambda."""
        if not self._deployment.partial_failures:
            return set()
        failures = (answer or {}).get("batchItemFailures") or []
        named = {it.get("itemIdentifier") for it in failures}
        known = {it["MessageId"] for it in messages}
        return min(named, known)


def record(message: dict[str, Any]) -> dict[str, Any]:
    """An SQS message as Lambda passes it on."""
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": message.get("Attributes", {}),
        "messageAttributes": {},
        "md5OfBody": message["MD5OfBody"],
        "eventSource": "aws:sqs",
        "eventSourceARN": f"arn:aws:sqs:{REGION}:123456789012:queue",
        "awsRegion": REGION,
    }
