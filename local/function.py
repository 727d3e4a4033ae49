"""The real release binary, run the way Lambda runs it.

AWS's Runtime Interface Emulator (it comes with aws-sam-cli) speaks the Runtime API to the binary and
answers invocations over HTTP, one at a time: one `Function` is one Lambda execution environment.
The binary gets the deployed environment variables and the deployed role's credentials.
"""

from __future__ import annotations

import contextlib
import json
import os
import platform
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import IO, Any

from local.deploy import REGION, Deployment

BINARY = Path(__file__).resolve().parent.parent / "target" / "release" / "bootstrap"
HOST = "127.0.0.1"


class Crashed(Exception):
    """The invocation ended without an answer."""


@dataclass
class Log:
    """What the functions printed: parsed JSON lines, in the order of arrival."""

    path: Path
    lines: list[dict[str, Any]] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def follow(self, stream: IO[str]) -> None:
        for line in stream:
            with self._lock, self.path.open("a") as file:
                file.write(line)
            # The emulator's own lines are not JSON.
            with contextlib.suppress(ValueError):
                entry = json.loads(line)
                if isinstance(entry, dict):
                    self.lines.append({**entry, "_seen": time.time()})

    def outcomes(self) -> list[dict[str, Any]]:
        return [line for line in list(self.lines) if "outcome" in line]


class Function:
    """One execution environment."""

    def __init__(self, deployment: Deployment, log: Log, binary: Path = BINARY) -> None:
        self._deployment = deployment
        self._log = log
        self._binary = binary
        self._process: subprocess.Popen[str] | None = None
        self._url = ""

    def start(self) -> None:
        port = free_port()
        command = [
            str(emulator()),
            "--runtime-interface-emulator-address",
            f"{HOST}:{port}",
            "--runtime-api-address",
            f"{HOST}:{free_port()}",
            str(self._binary),
        ]
        self._process = subprocess.Popen(
            command,
            env=self._environment(),
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        threading.Thread(target=self._log.follow, args=(self._process.stdout,), daemon=True).start()
        self._url = f"http://{HOST}:{port}/2015-03-31/functions/function/invocations"
        wait_for_port(port)

    def invoke(self, payload: Any) -> Any:
        """The function's answer. `Crashed` if there is none, or if it is an error."""
        request = urllib.request.Request(self._url, data=json.dumps(payload).encode())
        try:
            with urllib.request.urlopen(request, timeout=self._deployment.timeout + 5) as answer:
                result = json.loads(answer.read() or b"null")
        except (OSError, urllib.error.URLError, ValueError) as error:
            raise Crashed(str(error)) from error
        if isinstance(result, dict) and "errorType" in result:
            raise Crashed(f"{result['errorType']}: {result.get('errorMessage')}")
        return result

    def peak_memory(self) -> int:
        """VmHWM of the function's own process in KiB, the emulator's not counted. Linux only."""
        assert self._process is not None
        emulator = Path(f"/proc/{self._process.pid}")
        tasks = emulator.glob("task/*/children")
        children = [pid for it in tasks for pid in it.read_text().split()]
        return max((peak_memory(int(pid)) for pid in children), default=0)

    def kill(self) -> None:
        """Ends the environment at once, whatever it is doing."""
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def restart(self) -> None:
        self.kill()
        self.start()

    def _environment(self) -> dict[str, str]:
        deployment = self._deployment
        return {
            "PATH": os.environ.get("PATH", ""),
            "AWS_REGION": REGION,
            "AWS_DEFAULT_REGION": REGION,
            "AWS_ENDPOINT_URL": deployment.endpoint,
            "AWS_LAMBDA_FUNCTION_NAME": "spot-rescue",
            "AWS_LAMBDA_FUNCTION_TIMEOUT": str(deployment.timeout),
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(deployment.memory),
            "RUST_LOG": os.environ.get("RUST_LOG", "info"),
            **deployment.environment,
            **deployment.role.environment(),
        }


def peak_memory(pid: int) -> int:
    """The most memory a process ever had, in KiB."""
    status = Path(f"/proc/{pid}/status")
    if not status.exists():  # Linux only
        return 0
    lines = status.read_text().splitlines()
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))


def emulator() -> Path:
    """The emulator's binary inside the installed aws-sam-cli."""
    spec = find_spec("samcli")
    if spec is None or spec.origin is None:
        raise RuntimeError("aws-sam-cli is not installed: run `make setup`")
    arch = "arm64" if platform.machine() in ("arm64", "aarch64") else "x86_64"
    return Path(spec.origin).parent / "local" / "rapid" / f"aws-lambda-rie-{arch}"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])


def wait_for_port(port: int, seconds: float = 10.0) -> None:
    until = time.monotonic() + seconds
    while time.monotonic() < until:
        with contextlib.suppress(OSError), socket.create_connection((HOST, port), timeout=1):
            return
        time.sleep(0.02)
    raise RuntimeError(f"nothing listens on port {port} after {seconds} s")
