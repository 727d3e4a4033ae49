"""ClientToken of a launch: every definite answer is the token's own for ever, a refusal too.

AWS: CreateFleet and RunInstances answer the same to the same token, also when the cause has been
mended since. Users report it of refusals in a 200's `Errors` and of those with an HTTP status of 400
(https://github.com/aws/karpenter-provider-aws/issues/6483, https://github.com/runs-on/runs-on/issues/251).
Throttling and errors on AWS's side are no definite answers. While a call is under way, its token
answers `IdempotentCallInProgress`. A fleet's token goes on naming an instance that has ended;
RunInstances answers `IdempotentInstanceTerminated` (https://github.com/boto/boto3/issues/4406).

Not verified on AWS: that RunInstances remembers refusals as well, and that it is the state
`terminated` that counts. What the caller's own policies forbid is refused before the token is looked
at, and not remembered.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from moto.ec2.exceptions import EC2ClientError

from local.aws import tokens
from local.aws.clock import CLOCK
from local.aws.patch import Answer, refuse, shelf
from local.aws.settings import SETTINGS

#: the same request may be answered otherwise a moment later
INDEFINITE = (
    "InternalError",
    "InternalFailure",
    "RequestLimitExceeded",
    "ServiceUnavailable",
    "Throttling",
    "Unavailable",
)


@dataclass
class Bound:
    """The request and answer that a token stands for from its first call on."""

    parameters: dict[str, Any]
    answer: Answer | None
    #: code and message
    refusal: tuple[str, str] | None
    until: float
    calls: int = 0

    def is_under_way(self) -> bool:
        """A twin's call, which was earlier, is not answered yet."""
        return self.calls <= SETTINGS.calls_in_progress or (
            self.calls > 1 and CLOCK.now() < self.until
        )


def once(call: Any, perform: Callable[[], Answer]) -> Answer:
    """Launches, or repeats what this token was answered. In one turn."""
    token = tokens.given(call)
    if token is None:
        return perform()
    known: dict[tuple[str, str], Bound] = shelf(call.ec2_backend, "launch_tokens", dict)
    key = (call._get_action(), token)
    if key not in known:
        known[key] = _bind(call, perform)
        call.local_seconds = SETTINGS.launch_seconds
    bound = known[key]
    tokens.check_same(call, bound.parameters)
    bound.calls += 1
    if bound.is_under_way():
        raise refuse("IdempotentCallInProgress", "The same request is in progress.")
    if bound.answer is None:
        raise refuse(*bound.refusal)
    return bound.answer


def _bind(call: Any, perform: Callable[[], Answer]) -> Bound:
    answer, refusal = None, None
    try:
        answer = perform()
    except EC2ClientError as error:
        if error.code in INDEFINITE:
            raise
        refusal = (error.code, error.message)
    until = CLOCK.now() + SETTINGS.launch_seconds
    return Bound(tokens.parameters(call), answer, refusal, until)
