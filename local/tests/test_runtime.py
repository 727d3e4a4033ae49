"""The Runtime API, with a function played by the test; and processes side by side."""

import json
import os
import signal
import threading
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from tempfile import mkdtemp

import pytest

from local.apart import SideBySide
from local.runtime import INVOCATION, Crashed, Runtime, Unanswered
from local.serving import Server


@pytest.fixture
def runtime() -> Iterator[Runtime]:
    found = Runtime()
    yield found
    found.close()


def play(runtime: Runtime, work: Callable[[str, dict, dict], None]) -> None:
    """A function that asks for one invocation."""

    def ask() -> None:
        with urllib.request.urlopen(f"http://{runtime.address}{INVOCATION}next") as answer:
            work(
                answer.headers["Lambda-Runtime-Aws-Request-Id"],
                dict(answer.headers),
                json.load(answer),
            )

    threading.Thread(target=ask, daemon=True).start()


def post(runtime: Runtime, request_id: str, what: str, body: object) -> None:
    url = f"http://{runtime.address}{INVOCATION}{request_id}/{what}"
    urllib.request.urlopen(urllib.request.Request(url, json.dumps(body).encode())).close()


def test_an_invocation_is_answered(runtime: Runtime) -> None:
    """With its deadline in milliseconds, by the clock of the function."""
    seen: dict[str, str] = {}

    def work(request_id: str, headers: dict, event: dict) -> None:
        seen.update(headers)
        post(runtime, "another", "response", "not this one")
        post(runtime, request_id, "response", {"got": event})

    play(runtime, work)
    assert runtime.invoke({"a": 1}, deadline=1234.5, timeout=20) == {"got": {"a": 1}}
    assert seen["Lambda-Runtime-Deadline-Ms"] == "1234500"


def test_an_error_is_told(runtime: Runtime) -> None:
    """As Lambda tells it."""
    error = {"errorType": "Boom", "errorMessage": "no"}
    play(runtime, lambda request_id, *_: post(runtime, request_id, "error", error))
    with pytest.raises(Crashed, match="Boom: no"):
        runtime.invoke({}, 1, 20)


def test_a_function_that_ends_leaves_its_invocation_unanswered(runtime: Runtime) -> None:
    """What waits for it does not wait for ever."""
    play(runtime, lambda *_: runtime.abandon())
    with pytest.raises(Unanswered, match="has ended"):
        runtime.invoke({}, 1, 20)


def test_a_function_that_does_not_answer_in_time_is_given_up(runtime: Runtime) -> None:
    """Its timeout is the wall's."""
    with pytest.raises(Unanswered, match="no answer within"):
        runtime.invoke({}, 1, 0.01)


def dies_with_a_server() -> None:
    """As a story does that is killed: its local AWS is a process of its own, and holds what it held."""
    Server(Path(mkdtemp()), seed=1)
    os.kill(os.getpid(), signal.SIGKILL)


def test_what_dies_takes_nothing_else_with_it() -> None:
    """And each result has its name."""
    tasks = SideBySide(2)
    tasks.add("one", lambda: 1)
    tasks.add("dies", dies_with_a_server)
    tasks.add("two", lambda: 2)
    assert sorted(tasks.results(), key=str) == [("dies", None), ("one", 1), ("two", 2)]
    assert tasks.left() == 0
