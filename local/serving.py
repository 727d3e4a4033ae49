"""The local AWS in a process of its own, forked from this one: moto is imported once for all of them."""

from __future__ import annotations

import multiprocessing
import os
import signal
import threading
from multiprocessing.connection import Connection
from pathlib import Path

from moto.moto_api._internal import mock_random

from local import HOST, server
from local.deploy import ROOT, translated

FORK = multiprocessing.get_context("fork")
# What starting may take, in the wall's seconds.
PATIENCE = 60
# Services that every stage calls.
USED = ("autoscaling", "cloudformation", "ec2", "elbv2", "iam", "lambda", "sqs", "sts")


def load() -> None:
    """Loads what is the same for every stage and takes seconds: once in a process, and not in its forks."""
    server.application()
    translated({})
    for service in USED:
        ROOT.client(service, f"http://{HOST}")


class Server:
    """Runs until it is killed. The seed is that of the ids: the same story twice has the same."""

    def __init__(self, directory: Path, seed: int) -> None:
        load()
        self.clock = directory / "clock"
        self._log = directory / "server.log"
        here, there = FORK.Pipe(duplex=False)
        arguments = (there, self._log, self.clock, seed)
        self._process = FORK.Process(target=run, args=arguments, daemon=True)
        self._process.start()
        there.close()
        self.endpoint = f"http://{HOST}:{self._port(here)}"

    def _port(self, ready: Connection) -> int:
        try:
            if ready.poll(PATIENCE):
                return int(ready.recv())
        except EOFError:
            pass
        self.kill()
        raise RuntimeError("\n".join(["the local AWS does not start:", *self.said()[-20:]]))

    def said(self) -> list[str]:
        """The errors in its log."""
        return self._log.read_text(errors="replace").splitlines() if self._log.exists() else []

    def kill(self) -> None:
        self._process.kill()
        self._process.join()


def run(ready: Connection, log: Path, clock: Path, seed: int) -> None:
    """In the fork: exit handlers of the other process must not run here."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_DFL)
    threading.Thread(target=end_with_parent, daemon=True).start()
    out = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for stream in (1, 2):
        os.dup2(out, stream)
    mock_random.seed(seed)
    server.serve(ready.send, clock=str(clock))


def end_with_parent() -> None:
    """A stage leaves, when its process is killed, no server behind, and no pipe of its own open."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        os._exit(1)
