"""One local AWS with everything on it: server, stack, functions, pump, world.

A fresh stage per scenario: a new server process, so that nothing of one story is left in the next.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path
from types import FrameType, TracebackType
from typing import Any, ClassVar, Self

from botocore.exceptions import BotoCoreError, ClientError

from local.control import Control
from local.deploy import Deployment, deploy
from local.function import HOST, Function, Log, free_port
from local.pump import Pump
from local.world import World

ROOT = Path(__file__).resolve().parent.parent
POLL_SECONDS = 0.25


# Of the stack, by the endpoint of the AWS it is deployed to.
Parameters = Callable[[str], dict[str, str]]


class Overdue(Exception):
    """Something that had to happen has not."""


class Stage:
    """Enter it to have everything running; leave it to have everything gone."""

    _open: ClassVar[set[Stage]] = set()

    @classmethod
    def abandon(cls, signal_number: int, _frame: FrameType | None) -> None:
        """When the process is told to end: nothing it has started may outlive it."""
        for stage in list(cls._open):
            stage.close()
        os._exit(128 + signal_number)

    def __init__(
        self,
        speed: float,
        functions: int = 2,
        batch_size: int | None = None,
        parameters: Parameters = lambda _: {},
    ) -> None:
        self.speed = speed
        self._parameters = parameters
        self._functions = functions
        self._batch_size = batch_size
        self.directory = Path(tempfile.mkdtemp(prefix="spot-rescue-"))
        self.log = Log(self.directory / "function.log")
        self.transitions: list[tuple[float, str, str]] = []
        self._over = threading.Event()
        self._server: subprocess.Popen[bytes] | None = None
        self.functions: list[Function] = []
        # Told how far the story is; nobody listens by default.
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
        endpoint = self._serve()
        self.control = Control(endpoint, self.speed)
        self.until("the local AWS to answer", self.control.is_up, real_seconds=30)
        self.deployment: Deployment = deploy(endpoint, self._parameters(endpoint))
        self.world = World(self.deployment)
        self.sqs = self.deployment.admin.client("sqs", endpoint)
        self._anchor_clock()
        self.functions = [Function(self.deployment, self.log) for _ in range(self._functions)]
        for function in self.functions:
            function.start()
        self.pump = Pump(self.deployment, self.functions, self._batch_size)
        self.pump.start()
        threading.Thread(target=self._watch, daemon=True).start()

    def _serve(self) -> str:
        port = free_port()
        command = [sys.executable, "-m", "local.server", "--port", str(port)]
        log = (self.directory / "server.log").open("wb")
        environment = {**os.environ, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
        self._server = subprocess.Popen(
            [*command, "--speed", str(self.speed)],
            cwd=ROOT,
            env=environment,
            stdout=log,
            stderr=subprocess.STDOUT,
        )
        return f"http://{HOST}:{port}"

    def close(self) -> None:
        self._over.set()
        self._open.discard(self)
        if hasattr(self, "pump"):
            self.pump.stop()
        for function in self.functions:
            function.kill()
        if self._server is not None:
            self._server.kill()
            self._server.wait()

    # --- time -----------------------------------------------------------------------------------

    def _anchor_clock(self) -> None:
        """The journal tells what time it is there."""
        self.world.ec2.describe_regions()
        self._aws, self._real = self.control.journal()[-1]["t"], time.time()

    def at(self, real: float) -> float:
        """A moment here, in AWS-seconds."""
        return self._aws + (real - self._real) * self.speed

    def now(self) -> float:
        return self.at(time.time())

    def until(
        self,
        what: str,
        holds: Callable[[], bool],
        aws_seconds: float | None = None,
        real_seconds: float = 60,
        poll: float = POLL_SECONDS,
    ) -> None:
        limit = real_seconds if aws_seconds is None else aws_seconds / self.speed
        end = time.monotonic() + limit
        while not holds():
            if time.monotonic() > end:
                raise Overdue(f"waited {limit * self.speed:.0f} AWS-seconds for {what}")
            if self._server is not None and self._server.poll() is not None:
                text = (self.directory / "server.log").read_text(errors="replace")
                raise RuntimeError(f"the local AWS has ended:\n{text[-2000:]}")
            time.sleep(poll)

    # --- queue ----------------------------------------------------------------------------------

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.deployment.queue_url, MessageBody=body)

    def sweep(self) -> None:
        """What the schedule sends."""
        self.send(self.deployment.sweep)

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

    def settle(self, aws_seconds: float) -> None:
        """Until nobody has anything left to do: no message, no snapshot, no instance on its way."""
        quiet = 0

        def settled() -> bool:
            nonlocal quiet
            quiet = quiet + 1 if self._is_quiet() else 0
            return quiet >= 3

        self.until("everything to come to rest", settled, aws_seconds)

    def _is_quiet(self) -> bool:
        if self.pump.is_busy() or self.waiting(self.deployment.queue_url):
            return False
        moving = {"pending", "stopping", "shutting-down"}
        if moving & set(self.world.states().values()):
            return False
        return all(it["State"] != "pending" for it in self.world.snapshots())

    # --- what happened --------------------------------------------------------------------------

    def journal(self) -> list[dict[str, Any]]:
        """Calls made with the function's credentials, the refused ones too."""
        key = self.deployment.role.access_key
        return [it for it in self.control.journal() if it["principal"] == key]

    def called(self, action: str, since: float = 0) -> bool:
        return any(it["action"] == action and it["t"] >= since for it in self.journal())

    def _watch(self) -> None:
        """Instance states as they change, for the timeline."""
        last: dict[str, str] = {}
        took = 0.0
        # Looking must not become the work: a world that is slow to answer is asked less often.
        while not self._over.wait(max(POLL_SECONDS, 3 * took)):
            began = time.monotonic()
            try:
                states = self.world.states()
            except (BotoCoreError, ClientError):  # the server may be gone before the watcher
                return
            took, now = time.monotonic() - began, self.now()
            changed = {key: state for key, state in states.items() if last.get(key) != state}
            self.transitions += [(now, key, state) for key, state in changed.items()]
            last = states

    def forget(self) -> None:
        """Nobody needs the logs of a story that went well."""
        shutil.rmtree(self.directory, ignore_errors=True)

    def dump(self) -> None:
        """Facts for whoever looks into a failure."""
        entries = "\n".join(json.dumps(it) for it in self.control.journal())
        (self.directory / "journal.jsonl").write_text(entries + "\n")
