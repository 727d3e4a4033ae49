"""Time, `speed` times as fast.

Every duration AWS has (two minutes of warning, a snapshot's upload, a boot) is counted in
AWS-seconds and divided by the speed. Timestamps that AWS shows are the wall clock's: the function
compares them with its own, and only what lies between them is shorter.
"""

import heapq
import itertools
import logging
import threading
import time
from collections.abc import Callable

from local.aws.lock import LOCK

log = logging.getLogger(__name__)


class Clock:
    """AWS-seconds since the start, and what is to happen at which of them."""

    def __init__(self, speed: float = 1.0) -> None:
        self._speed = speed
        self._aws = 0.0
        self._since = time.monotonic()
        self._order = itertools.count()
        self._due: list[tuple[float, int, Callable[[], None]]] = []
        self._changed = threading.Condition()
        self._thread: threading.Thread | None = None

    @property
    def speed(self) -> float:
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        with self._changed:
            self._aws = self.now()
            self._since = time.monotonic()
            self._speed = speed
            self._changed.notify()

    def now(self) -> float:
        return self._aws + (time.monotonic() - self._since) * self._speed

    def real(self, aws_seconds: float) -> float:
        """How long that takes here."""
        return aws_seconds / self._speed

    def after(self, aws_seconds: float, action: Callable[[], None]) -> None:
        """Does `action` then, alone: no call of anyone is answered meanwhile."""
        with self._changed:
            due = self.now() + aws_seconds
            heapq.heappush(self._due, (due, next(self._order), action))
            self._changed.notify()

    def start(self) -> None:
        if self._thread is None:
            self._thread = threading.Thread(target=self._run, name="aws-clock", daemon=True)
            self._thread.start()

    def _run(self) -> None:
        while True:
            action = self._next()
            try:
                with LOCK:
                    action()
            except Exception:  # one failed action must not stop the clock
                log.exception("a scheduled action failed")

    def _next(self) -> Callable[[], None]:
        with self._changed:
            while True:
                wait = self.real(self._due[0][0] - self.now()) if self._due else None
                if wait is not None and wait <= 0:
                    return heapq.heappop(self._due)[2]
                self._changed.wait(wait)


CLOCK = Clock()
