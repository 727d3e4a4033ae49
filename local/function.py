"""The real binary, run the way Lambda runs it.

One `Function` is one Lambda execution environment: it has the deployed environment variables and the
deployed role's credentials, and one invocation at a time. What time it is, the binary asks the system,
and libfaketime answers with the local AWS's clock; timeouts are measured by another clock, which is
left alone.
"""

from __future__ import annotations

import contextlib
import json
import os
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from local.control import Shift
from local.deploy import REGION, Deployment
from local.runtime import Runtime, Unanswered

TARGET = Path(os.environ.get("CARGO_TARGET_DIR", Path(__file__).resolve().parent.parent / "target"))
# Which build is played: the one for people and tests, or the one that is shipped.
BINARY = TARGET / os.environ.get("FUNCTION", "debug") / "bootstrap"
SHARED = Path("/dev/shm")
# What an answer may be late by, in the wall's seconds.
GRACE = 5
LIBRARY = "vendor/libfaketime/src/libfaketime.so.1"

Work = Callable[[], AbstractContextManager[Shift]]
# In an entry of the log: when the invocation that wrote it had ended, in AWS-seconds.
SEEN = "_seen"


class Log:
    """The log lines of the functions, in their order."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.path.touch()
        self._read = 0
        self._dated = 0
        self._lines: list[dict[str, Any]] = []
        self._lock = threading.Lock()

    @property
    def lines(self) -> list[dict[str, Any]]:
        """Whole lines of JSON; a function that has answered has written all of its own."""
        with self._lock:
            self._follow()
            return list(self._lines)

    def date(self, t: float | None) -> None:
        """New lines count as written by now."""
        with self._lock:
            self._follow()
            for line in self._lines[self._dated :]:
                line[SEEN] = t
            self._dated = len(self._lines)

    def _follow(self) -> None:
        with self.path.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        self._lines += entries(whole)

    def write(self, entry: dict[str, Any]) -> None:
        """A line of the story itself."""
        with self.path.open("a") as file:
            file.write(json.dumps(entry) + "\n")

    def outcomes(self) -> list[dict[str, Any]]:
        return [line for line in self.lines if "outcome" in line]


def entries(text: bytes) -> Iterator[dict[str, Any]]:
    """A panic, for example, is not JSON."""
    for line in text.splitlines():
        with contextlib.suppress(ValueError):
            entry = json.loads(line)
            if isinstance(entry, dict):
                yield entry


class Function:
    """One execution environment."""

    def __init__(self, deployment: Deployment, log: Log, clock: Path, work: Work) -> None:
        self._deployment = deployment
        self._log = log
        self._clock = clock
        self._work = work
        self._process: subprocess.Popen[bytes] | None = None
        self._runtime: Runtime | None = None
        # A story may kill what the pump is about to start.
        self._lock = threading.RLock()

    def start(self) -> Runtime:
        with self._lock:
            self._runtime = Runtime()
            with self._log.path.open("ab") as log:
                self._process = subprocess.Popen(
                    [str(BINARY)],
                    env=self._environment(self._runtime.address),
                    stdout=log,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )
            watched = (self._process, self._runtime)
            threading.Thread(target=watch, args=watched, daemon=True).start()
            return self._runtime

    def invoke(self, payload: Any) -> Any:
        """The function's answer. `Crashed` if there is none, or if it is an error."""
        runtime, timeout = self._living(), self._deployment.timeout
        with self._work() as shift:
            try:
                # Lambda's timeout is the function's to keep; here only what hangs is ended by it.
                answer = runtime.invoke(payload, shift.began + timeout, timeout + GRACE)
            except Unanswered:
                with self._lock:
                    if self._runtime is runtime:
                        self.kill()
                raise
        self._log.date(shift.ended)
        return answer

    def _living(self) -> Runtime:
        """Lambda, too, starts a new environment in the place of one that has ended."""
        with self._lock:
            ended = self._process is None or self._process.poll() is not None
            return self.restart() if self._runtime is None or ended else self._runtime

    def kill(self) -> None:
        """Ends the environment at once, whatever it is doing."""
        with self._lock:
            if self._process is not None:
                self._process.kill()
                self._process.wait()
                forget(self._process.pid)
                self._process = None
            if self._runtime is not None:
                self._runtime.close()
                self._runtime = None

    def restart(self) -> Runtime:
        with self._lock:
            self.kill()
            return self.start()

    def _environment(self, runtime: str) -> dict[str, str]:
        deployment = self._deployment
        return {
            "PATH": os.environ.get("PATH", ""),
            "AWS_LAMBDA_RUNTIME_API": runtime,
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": deployment.endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": "spot-rescue",
            "AWS_LAMBDA_FUNCTION_VERSION": "$LATEST",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(deployment.timeout),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployment.memory),
            "TZ": "UTC",
            "LD_PRELOAD": str(libfaketime()),
            "FAKETIME_TIMESTAMP_FILE": str(self._clock),
            "FAKETIME_NO_CACHE": "1",
            "FAKETIME_DONT_FAKE_MONOTONIC": "1",
            **deployment.environment,
            **deployment.role.environment(),
        }


def watch(process: subprocess.Popen[bytes], runtime: Runtime) -> None:
    """An invocation of a process that has ended is not answered any more."""
    process.wait()
    runtime.abandon()


def forget(pid: int) -> None:
    """What libfaketime shares between processes stays behind when one is killed."""
    for name in (f"faketime_shm_{pid}", f"sem.faketime_sem_{pid}"):
        (SHARED / name).unlink(missing_ok=True)


def libfaketime() -> Path:
    spec = find_spec("libfaketime")
    if spec is None or spec.origin is None:
        raise RuntimeError("libfaketime is not installed: run `make setup`")
    return Path(spec.origin).parent / LIBRARY
