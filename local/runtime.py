"""Lambda's Runtime API, for one execution environment.

The function asks for the next invocation, which says until when it has to be answered, and posts its
answer or its error (https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html). AWS's Runtime
Interface Emulator does the same, but its deadlines are the wall clock's, which is not the clock here.
"""

from __future__ import annotations

import json
import threading
import uuid
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from queue import SimpleQueue
from typing import Any

from local import HOST

INVOCATION = "/2018-06-01/runtime/invocation/"
FUNCTION_ARN = "arn:aws:lambda:us-east-1:123456789012:function:spot-rescue"


class Crashed(Exception):
    """The invocation ended with an error, or without an answer."""


class Unanswered(Crashed):
    """The environment is gone, or as good as gone."""


@dataclass
class Invocation:
    payload: bytes
    # Milliseconds since 1970, by the clock of the function.
    deadline: int
    id: str = field(default_factory=lambda: str(uuid.uuid4()))
    answer: bytes | None = None
    ended: threading.Event = field(default_factory=threading.Event)


class Runtime:
    """One invocation at a time."""

    def __init__(self) -> None:
        self._waiting: SimpleQueue[Invocation | None] = SimpleQueue()
        self._current: Invocation | None = None
        self._server = ThreadingHTTPServer((HOST, 0), handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, args=(0.05,), daemon=True).start()

    @property
    def address(self) -> str:
        return f"{HOST}:{self._server.server_port}"

    def invoke(self, payload: Any, deadline: float, timeout: float) -> Any:
        """The answer; `timeout` is the wall's seconds, `deadline` the function's time."""
        invocation = Invocation(json.dumps(payload).encode(), int(deadline * 1000))
        self._current = invocation
        self._waiting.put(invocation)
        if not invocation.ended.wait(timeout):
            raise Unanswered(f"no answer within {timeout:.0f} s")
        if invocation.answer is None:
            raise Unanswered("the function has ended")
        answer = json.loads(invocation.answer or b"null")
        if isinstance(answer, dict) and "errorType" in answer:
            raise Crashed(f"{answer['errorType']}: {answer.get('errorMessage')}")
        return answer

    def next(self) -> Invocation | None:
        """As soon as there is one; none when the environment is gone."""
        return self._waiting.get()

    def end(self, request_id: str, answer: bytes) -> None:
        if self._current is not None and self._current.id == request_id:
            self._current.answer = answer
            self._current.ended.set()

    def abandon(self) -> None:
        """What was being worked on stays unanswered."""
        self._waiting.put(None)
        if self._current is not None:
            self._current.ended.set()

    def close(self) -> None:
        self.abandon()
        self._server.shutdown()
        self._server.server_close()


def handler(runtime: Runtime) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            invocation = runtime.next()
            if invocation is None:
                self.close_connection = True
                return
            self._answer(
                200,
                invocation.payload,
                {
                    "Lambda-Runtime-Aws-Request-Id": invocation.id,
                    "Lambda-Runtime-Deadline-Ms": str(invocation.deadline),
                    "Lambda-Runtime-Invoked-Function-Arn": FUNCTION_ARN,
                },
            )

        def do_POST(self) -> None:
            """`…/invocation/ID/response`, `…/invocation/ID/error`, or `…/init/error`."""
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            if self.path.startswith(INVOCATION):
                runtime.end(self.path.removeprefix(INVOCATION).split("/")[0], body)
            self._answer(202, b"{}", {})

        def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None: ...

    return Handler
