"""The local AWS as a server: `python -m local.server --port 5000 --speed 10`.

moto's server, with the behaviours of `local.aws` in it. One process holds the whole account; Ctrl-C
ends it and nothing is kept.
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from typing import Any

# Read by moto when it is imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import run_simple
from werkzeug.wrappers import Request

from local import aws
from local.aws import admin, chaos, settings, signatures
from local.aws.clock import CLOCK

Wsgi = Callable[[dict[str, Any], Any], Any]


class QuietHandler(MotoRequestHandler):
    """Calls are in the journal, not on the screen; a cut connection is not read from again."""

    def log_request(self, *_: Any) -> None: ...

    def connection_dropped(self, *_: Any) -> None:
        self.close_connection = True


def application() -> Wsgi:
    """moto's application behind the admin endpoints."""
    aws.install()
    CLOCK.start()
    moto = chaos.layer(DomainDispatcherApplication(create_backend_app))

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO", "").startswith(admin.PREFIX):
            return admin.answer(Request(environ))(environ, start_response)
        signatures.keep_body(environ)
        return moto(environ, start_response)

    return serve


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--host", default="127.0.0.1")
    parser.add_argument("--port", type=int, default=5000)
    parser.add_argument("--speed", type=float, default=1.0, help="AWS-seconds per second")
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    try:
        settings.change({"speed": arguments.speed})
    except settings.BadInput as error:
        parser.error(str(error))
    os.environ["MOTO_PORT"] = str(arguments.port)
    run_simple(
        arguments.host,
        arguments.port,
        application(),
        threaded=True,
        request_handler=QuietHandler,
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
