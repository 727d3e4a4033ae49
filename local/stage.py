"""One local AWS with everything on it: server, stack, functions, pump, world.

A fresh stage per scenario: a new server process, so that nothing of one story is left in the next.
Time passes only while the story waits (`until`, `sleep`, `settle`), from one thing that happens to the
next; between them the story looks as often as it likes and misses nothing.
"""

from __future__ import annotations

import contextlib
import json
import os
import shutil
import signal
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, ClassVar, Self

from local.control import Control, Moment
from local.deploy import Deployment, deploy
from local.function import Function, Log
from local.pump import Pump, record
from local.serving import Server
from local.world import World

# How often a story looks while functions are at work, in the wall's seconds.
BREATH = 0.1
# And how long time may stand still although something is to happen.
STUCK = 120
# Of the template's schedule.
SWEEP_SECONDS = 900
DAY_SECONDS = 24 * 3600
# Nothing is at rest that moves again so soon.
REST_SECONDS = 10.0


# Of the stack, by the endpoint of the AWS it is deployed to.
Parameters = Callable[[str], dict[str, str]]


class Overdue(Exception):
    """An awaited event has not happened."""


class Stage:
    """Enter it to have everything running; leave it to have everything gone."""

    _open: ClassVar[set[Stage]] = set()

    @classmethod
    def abandon(cls, signal_number: int, _frame: FrameType | None) -> None:
        """For the end of the process: nothing it has started may outlive it."""
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_IGN)
        for stage in list(cls._open):
            stage.close()
        os._exit(128 + signal_number)

    def __init__(
        self,
        functions: int = 2,
        batch_size: int | None = None,
        parameters: Parameters = lambda _: {},
        seed: int = 1,
    ) -> None:
        self._seed = seed
        self._parameters = parameters
        self._functions = functions
        self._batch_size = batch_size
        self.directory = Path(tempfile.mkdtemp(prefix="spot-rescue-"))
        self.log = Log(self.directory / "function.log")
        self.functions: list[Function] = []
        self._last, self._moved = -1.0, 0.0
        # What a story has seen on its way, for its own checks.
        self.meanwhile: Any = None
        # Actions that the story itself forbids.
        self.forbidden: set[str] = set()
        # Told how far the story is; unused by default.
        self.say: Callable[[str], None] = lambda _: None

    def __enter__(self) -> Self:
        self._open.add(self)
        try:
            self._start()
        except BaseException:
            self.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def _start(self) -> None:
        self._server = Server(self.directory, self._seed)
        endpoint = self._server.endpoint
        self.control = Control(endpoint)
        self.deployment: Deployment = deploy(endpoint, self._parameters(endpoint))
        self.world = World(self.deployment)
        self.sqs = self.deployment.admin.client("sqs", endpoint)
        self.functions = [self.function() for _ in range(self._functions)]
        for function in self.functions:
            function.start()
        self.keeper = Function(self.backups, self.log, self._server.clock, self.control.work)
        self.keeper.start()
        self.pump = Pump(self.deployment, self.control, self.functions, self._batch_size)
        self.pump.start()

    def function(self) -> Function:
        """One more execution environment; not the pump's."""
        return Function(self.deployment, self.log, self._server.clock, self.control.work)

    @property
    def clock(self) -> Path:
        """What libfaketime reads."""
        return self._server.clock

    @property
    def backups(self) -> Deployment:
        """Of the function that keeps backups."""
        if self.deployment.backups is None:
            raise RuntimeError("the stack has no function that keeps backups")
        return self.deployment.backups

    def close(self) -> None:
        self._open.discard(self)
        try:
            if hasattr(self, "pump"):
                self.pump.stop()
            for function in [*self.functions, *([self.keeper] if hasattr(self, "keeper") else [])]:
                function.kill()
        finally:
            if hasattr(self, "_server"):
                self._server.kill()

    # --- time -----------------------------------------------------------------------------------

    def now(self) -> float:
        """In AWS-seconds."""
        return self.control.now()

    def until(
        self, what: str, holds: Callable[[], bool], aws_seconds: float, breath: float = BREATH
    ) -> None:
        """Looks at every moment at which something happens; while functions work, at every breath."""
        end = self._wait_for(aws_seconds)
        moment = None
        while not holds():
            if moment is not None and moment.t >= end and not self.pump.is_busy():
                raise Overdue(f"waited {aws_seconds:.0f} AWS-seconds for {what}")
            moment = self._pass(end, breath)

    def sleep(self, aws_seconds: float) -> None:
        end = self._wait_for(aws_seconds)
        while self._pass(end).t < end:
            pass

    def settle(self, aws_seconds: float) -> None:
        """Until nothing is left to be done: no message, no snapshot, no instance on its way."""
        end = self._wait_for(aws_seconds)
        while True:
            moment = self._pass(end)
            if moment.at_rest and self._stays_at_rest(moment.t + REST_SECONDS):
                return
            if moment.t >= end and not self.pump.is_busy():
                raise Overdue(
                    f"waited {aws_seconds:.0f} AWS-seconds for everything to come to rest"
                )

    def _stays_at_rest(self, end: float) -> bool:
        moment = self._pass(end)
        while moment.at_rest and moment.t < end:
            moment = self._pass(end)
        return moment.at_rest

    def _wait_for(self, aws_seconds: float) -> float:
        self._moved = time.monotonic()
        return self.now() + aws_seconds

    def _pass(self, until: float, breath: float = BREATH) -> Moment:
        moment = self.pump.jump(until, breath)
        if moment.t != self._last:
            self._last, self._moved = moment.t, time.monotonic()
        elif moment.t < until and time.monotonic() - self._moved > STUCK:
            raise Overdue(f"nothing has happened for {STUCK} seconds of the wall's")
        return moment

    # --- queue ----------------------------------------------------------------------------------

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.deployment.queue_url, MessageBody=body)

    def sweep(self) -> None:
        """Sends the schedule's message."""
        self.send(self.deployment.sweep)

    def keep(self) -> None:
        """The schedule of backups comes round: its message, and what the function asks for itself."""
        url = self.backups.queue_url
        self.sqs.send_message(QueueUrl=url, MessageBody=self.backups.sweep)
        while self.waiting(url):
            answer = self.sqs.receive_message(QueueUrl=url, MessageSystemAttributeNames=["All"])
            messages = answer.get("Messages", [])
            if not messages:
                self.sleep(1)
                continue
            self.keeper.invoke({"Records": [record(it) for it in messages]})
            for it in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=it["ReceiptHandle"])

    def a_day_later(self) -> None:
        """Safety copies are past their expiry, and the schedule comes round."""
        self.sleep(DAY_SECONDS)
        self.sweep()

    def on_schedule(self, aws_seconds: float) -> None:
        """So long, and the schedule comes round meanwhile; not at the very end, where `sweeps` begins."""
        end = self.now() + aws_seconds
        while (left := end - self.now()) > SWEEP_SECONDS:
            self.sleep(SWEEP_SECONDS)
            self.sweep()
        self.sleep(left)

    def sweeps(self, what: str, holds: Callable[[], bool], times: int = 8) -> None:
        """The schedule comes round until it holds."""
        for _ in range(times):
            self.sweep()
            with contextlib.suppress(Overdue):
                return self.until(what, holds, SWEEP_SECONDS)
        raise Overdue(f"waited {times} sweeps for {what}")

    def waiting(self, queue_url: str) -> int:
        names = [
            "ApproximateNumberOfMessages",
            "ApproximateNumberOfMessagesNotVisible",
            "ApproximateNumberOfMessagesDelayed",
        ]
        answer = self.sqs.get_queue_attributes(QueueUrl=queue_url, AttributeNames=names)
        return sum(int(answer["Attributes"][name]) for name in names)

    def dead_letters(self) -> int:
        return self.waiting(self.deployment.dead_letter_url)

    # --- what happened --------------------------------------------------------------------------

    def journal(self) -> list[dict[str, Any]]:
        """Calls made with the function's credentials, the refused ones too."""
        return self.calls_of(self.deployment)

    def calls_of(self, deployment: Deployment) -> list[dict[str, Any]]:
        key = deployment.role.access_key
        return [it for it in self.control.journal() if it["principal"] == key]

    def meant(self) -> list[dict[str, Any]]:
        """The same without dry runs."""
        is_dry = lambda it: str(it["params"].get("DryRun")).lower() == "true"
        return [it for it in self.journal() if not is_dry(it)]

    def called(self, action: str, since: float = 0) -> bool:
        return any(it["action"] == action and it["t"] >= since for it in self.meant())

    def errors(self) -> list[str]:
        """Errors of the server, and of the pump."""
        said = self._server.said() if hasattr(self, "_server") else []
        return [*said, *(self.pump.errors if hasattr(self, "pump") else [])]

    def forget(self) -> None:
        """The logs of a story that went well are not needed."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def dump(self) -> None:
        """Facts for a look into a failure."""
        with contextlib.suppress(OSError):  # the server may be what has failed
            entries = "\n".join(json.dumps(it) for it in self.control.journal())
            (self.directory / "journal.jsonl").write_text(entries + "\n")
