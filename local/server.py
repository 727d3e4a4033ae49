"""The local AWS as a server: `python -m local.server --port 5000`.

moto's server, with the behaviours of `local.aws` in it. One process holds the whole account; Ctrl-C
ends it and nothing is kept. Its time stands still until it is moved (`local/aws/admin.py`).
"""

import argparse
import logging
import os
import sys
from collections.abc import Callable
from functools import cache
from typing import Any

# Read by moto when it is imported.
os.environ.setdefault("MOTO_IAM_LOAD_MANAGED_POLICIES", "true")
os.environ.setdefault("AWS_DEFAULT_REGION", "us-east-1")

from moto.core.utils import get_service_model
from moto.iam.models import iam_backends
from moto.moto_server.werkzeug_app import (
    DomainDispatcherApplication,
    MotoRequestHandler,
    create_backend_app,
)
from werkzeug.serving import make_server
from werkzeug.wrappers import Request

from local import HOST, aws
from local.aws import admin, chaos, events, signatures
from local.aws.clock import CLOCK

SERVICES = (
    "autoscaling",
    "cloudformation",
    "ec2",
    "elasticloadbalancing",
    "events",
    "fis",
    "iam",
    "kms",
    "lambda",
    "logs",
    "monitoring",
    "route53",
    "secretsmanager",
    "sqs",
    "sts",
    "vpc-lattice",
)
# Where botocore's model has another name than the one requests are signed for.
MODELS = {"elasticloadbalancing": "elbv2", "monitoring": "cloudwatch"}

Wsgi = Callable[[dict[str, Any], Any], Any]


class QuietHandler(MotoRequestHandler):
    """Calls are in the journal, not on the screen; a cut connection is not read from again."""

    # An answer is one packet.
    wbufsize = -1

    def log_request(self, *_: Any) -> None: ...

    def connection_dropped(self, *_: Any) -> None:
        self.close_connection = True


@cache
def application() -> Wsgi:
    """moto's application behind the admin endpoints. Loading it takes seconds; a fork need not."""
    aws.install()
    dispatcher = DomainDispatcherApplication(create_backend_app)
    load(dispatcher)
    moto = chaos.layer(dispatcher)

    def serve(environ: dict[str, Any], start_response: Any) -> Any:
        if environ.get("PATH_INFO", "").startswith(admin.PREFIX):
            return admin.answer(Request(environ))(environ, start_response)
        signatures.keep_body(environ)
        return moto(environ, start_response)

    return serve


def load(dispatcher: DomainDispatcherApplication) -> None:
    """Loads what moto would load at the first call to each service."""
    for name in SERVICES:
        get_service_model(MODELS.get(name, name))
        scope = f"AWS4-HMAC-SHA256 Credential=x/20260101/{events.REGION}/{name}/aws4_request, "
        dispatcher.get_application({"PATH_INFO": "/", "HTTP_AUTHORIZATION": scope})
    _ = iam_backends[events.ACCOUNT]["global"]


def serve(ready: Callable[[int], None], port: int = 0, clock: str | None = None) -> None:
    """Serves for ever; `ready` gets the port, any free one if none is named."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    CLOCK.start(clock)
    server = make_server(HOST, port, application(), threaded=True, request_handler=QuietHandler)
    os.environ["MOTO_PORT"] = str(server.port)
    ready(server.port)
    server.serve_forever()


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--port", type=int, default=5000)
    serve(lambda port: print(port, flush=True), parser.parse_args().port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
