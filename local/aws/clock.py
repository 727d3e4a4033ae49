"""Time, which runs, stands still, and jumps.

Every duration AWS has (two minutes of warning, a snapshot's upload, a boot) is counted in
AWS-seconds, as long as they are on AWS. While a function works the clock runs with the wall. While a
call is answered it stands still: what this program needs to compute is no time on AWS. When no
function works it stands still, too, and `jump` takes it to where something is due.

The timestamps that AWS shows are this clock's (time-machine puts it in the place of Python's), and
functions read it from a file, in the form that libfaketime takes.
"""

import heapq
import itertools
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime

import time_machine

log = logging.getLogger(__name__)

#: the wall's, whatever Python's clock is made to say
wall = time_machine.escape_hatch.time.time


class Clock:
    """AWS-seconds since the start, and what is to happen at which of them."""

    def __init__(self) -> None:
        self.epoch = 0.0
        self._t = 0.0
        self._since = 0.0
        self._workers = 0
        # moto's backends are dictionaries without locks: calls and actions take turns.
        self._turns = threading.RLock()
        self._depth = 0
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._python: time_machine.Coordinates | None = None
        self._file: int | None = None

    def start(self, file: str | None = None) -> None:
        """From now on Python's clock is this one; functions read it from the file."""
        if file is not None:
            self._file = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        self.epoch = time.time()
        self._python = time_machine.travel(self.epoch, tick=False).start()
        self._set(0.0)

    def now(self) -> float:
        return self._t + (time.monotonic() - self._since if self._is_running() else 0.0)

    def after(self, aws_seconds: float, action: Callable[[], None]) -> None:
        """Does `action` then, before any later call is answered."""
        heapq.heappush(self._due, (self.now() + aws_seconds, next(self._order), action))

    def next_due(self) -> float | None:
        return self._due[0][0] if self._due else None

    @contextmanager
    def turn(self) -> Iterator[None]:
        """A call that is answered: alone, at one moment, after everything that was due by then."""
        with self._turns:
            now = self.now()
            self._depth += 1
            try:
                if self._depth == 1:
                    self._go_to(now)
                yield
            finally:
                self._since = time.monotonic()
                self._depth -= 1
                if self._is_running():
                    self._show(f"{self.epoch + self._t - wall():+.6f}")

    def work(self, functions: int) -> None:
        """So many functions more, or less, are at work. In a turn."""
        self._workers += functions

    def is_working(self) -> bool:
        return self._workers > 0

    def jump(self, until: float) -> None:
        """In a turn."""
        self._go_to(max(until, self._t))

    def _is_running(self) -> bool:
        return self._workers > 0 and self._depth == 0

    def _go_to(self, t: float) -> None:
        """What is due on the way happens each at its own moment."""
        while self._due and self._due[0][0] <= t:
            due, _, action = heapq.heappop(self._due)
            self._set(due)
            try:
                action()
            except Exception:  # one failed action must not stop the clock
                log.exception("a scheduled action failed")
        self._set(t)

    def _set(self, t: float) -> None:
        self._t = t
        if self._python is not None:
            self._python.move_to(self.epoch + t)
            self._show(datetime.fromtimestamp(self.epoch + t, UTC).strftime("%F %T.%f"))

    def _show(self, moment: str) -> None:
        """One write of one length: a function that reads at the same time finds a whole line."""
        if self._file is not None:
            os.pwrite(self._file, f"{moment:<30}\n".encode(), 0)


CLOCK = Clock()
