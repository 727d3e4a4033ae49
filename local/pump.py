"""Lambda's event source mapping for SQS: queue -> function.

It honours what the template says: batch size, partial batch responses (only what was handled is
deleted), an error means that the whole batch comes back after the visibility timeout, and SQS moves
what was received too often to the dead-letter queue. Concurrency is the number of functions.

https://docs.aws.amazon.com/lambda/latest/dg/with-sqs.html
"""

from __future__ import annotations

import threading
import time
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from local.deploy import REGION, Deployment
from local.function import Crashed, Function

# How long a poller that found nothing rests; short, because local time may run fast.
IDLE_SECONDS = 0.05


class Pump:
    """One poller per function."""

    def __init__(
        self, deployment: Deployment, functions: list[Function], batch_size: int | None = None
    ) -> None:
        self._deployment = deployment
        self._functions = functions
        self._batch_size = batch_size or deployment.batch_size
        self._open = threading.Event()
        self._open.set()
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []
        self._busy = 0
        self._lock = threading.Lock()
        self.errors: list[str] = []

    def start(self) -> None:
        for function in self._functions:
            thread = threading.Thread(target=self._poll, args=(function,), daemon=True)
            thread.start()
            self._threads.append(thread)

    def stop(self) -> None:
        self._stop.set()
        for thread in self._threads:
            thread.join(timeout=5)

    def pause(self) -> None:
        """No further deliveries: what is sent meanwhile arrives late."""
        self._open.clear()

    def resume(self) -> None:
        self._open.set()

    def is_busy(self) -> bool:
        with self._lock:
            return self._busy > 0

    def _poll(self, function: Function) -> None:
        sqs = self._deployment.admin.client("sqs", self._deployment.endpoint)
        while not self._stop.is_set():
            if not self._open.wait(timeout=0.2):
                continue
            try:
                if not self._round(sqs, function):
                    time.sleep(IDLE_SECONDS)
            except (BotoCoreError, ClientError) as error:
                if not self._stop.is_set():
                    self.errors.append(f"pump: {error}")
                time.sleep(0.2)

    def _round(self, sqs: Any, function: Function) -> bool:
        """One batch, if there is one."""
        answer = sqs.receive_message(
            QueueUrl=self._deployment.queue_url,
            # One call takes ten at most; Lambda fills larger batches with further calls.
            MaxNumberOfMessages=min(self._batch_size, 10),
            MessageSystemAttributeNames=["All"],
            WaitTimeSeconds=0,
        )
        messages = answer.get("Messages", [])
        if not messages:
            return False
        with self._lock:
            self._busy += 1
        try:
            self._deliver(sqs, function, messages)
        finally:
            with self._lock:
                self._busy -= 1
        return True

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
        """Ids to deliver again. An id nobody knows fails the whole batch, as in Lambda."""
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
