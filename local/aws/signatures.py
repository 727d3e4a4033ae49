"""Signatures are checked over the body as it was sent.

AWS: the canonical request ends with the hash of the payload
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv-create-signed-request.html). moto
parses a form, encodes it again its own way and hashes that: a client that writes a space as `%20`
and not as `+` is turned away with `AuthFailure`. What a GET or DELETE request has in its query or path
moto takes for its payload, which is empty.
"""

import io
from typing import Any

from moto.iam.access_control import IAMRequestBase

from local.aws.patch import replaces

MOTO_REQUEST = IAMRequestBase._create_aws_request
FORM = "application/x-www-form-urlencoded"
KEPT = "local_aws.body"


def keep_body(environ: dict[str, Any]) -> None:
    """Before it is parsed."""
    if environ.get("CONTENT_TYPE", "").startswith(FORM) and environ.get("CONTENT_LENGTH"):
        body = environ["wsgi.input"].read(int(environ["CONTENT_LENGTH"]))
        environ["wsgi.input"] = io.BytesIO(body)
        environ[KEPT] = body


def use_kept_body(call: Any) -> None:
    """Before moto checks the signature."""
    body = call.normalized_request.environ.get(KEPT)
    if body is not None:
        call.raw_body = body


@replaces(IAMRequestBase)
def _create_aws_request(self: Any) -> Any:
    request = MOTO_REQUEST(self)
    if self._method in ("GET", "DELETE"):
        request.data = b""
    return request
