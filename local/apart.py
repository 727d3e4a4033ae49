"""Several things side by side, each in a process of its own: none is slowed down by what another one
computes, none sees what another one leaves behind, and one that dies takes no other with it.
"""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from multiprocessing.connection import Connection, wait
from multiprocessing.context import ForkProcess
from types import FrameType
from typing import Any

FORK = multiprocessing.get_context("fork")
# They wait for calls on their way, too: one more than there are processors.
JOBS = (os.cpu_count() or 1) + 1


@dataclass
class Running:
    name: str
    process: ForkProcess
    answer: Connection
    began: float


class SideBySide:
    """`jobs` at a time, in the order in which they were given."""

    def __init__(self, jobs: int) -> None:
        self._jobs = jobs
        self._waiting: list[tuple[str, Callable[[], Any]]] = []
        self.running: list[Running] = []

    def add(self, name: str, task: Callable[[], Any]) -> None:
        self._waiting.append((name, task))

    def left(self) -> int:
        return len(self._waiting) + len(self.running)

    def results(self) -> Iterator[tuple[str, Any]]:
        """(name, what the task gave, or None if its process has died), as they come."""
        before = {it: signal.signal(it, self._abandon) for it in (signal.SIGINT, signal.SIGTERM)}
        while self.left():
            while self._waiting and len(self.running) < self._jobs:
                self._start(*self._waiting.pop(0))
            ready = wait([it.answer for it in self.running])
            for it in [it for it in self.running if it.answer in ready]:
                self.running.remove(it)
                yield it.name, received(it.answer)
                it.process.join()
        for ending, handler in before.items():
            signal.signal(ending, handler)

    def _start(self, name: str, task: Callable[[], Any]) -> None:
        here, there = FORK.Pipe(duplex=False)
        process = FORK.Process(target=perform, args=(there, task))
        process.start()
        there.close()
        self.running.append(Running(name, process, here, time.monotonic()))

    def _abandon(self, signal_number: int, _frame: FrameType | None) -> None:
        for ending in (signal.SIGINT, signal.SIGTERM):
            signal.signal(ending, signal.SIG_IGN)
        for it in self.running:
            it.process.terminate()
        for it in self.running:
            it.process.join()
        os._exit(128 + signal_number)


def perform(answer: Connection, task: Callable[[], Any]) -> None:
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, signal.SIG_DFL)
    answer.send(task())


def received(answer: Connection) -> Any:
    try:
        return answer.recv()
    except EOFError:
        return None
