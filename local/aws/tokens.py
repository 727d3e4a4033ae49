"""ClientToken: the same request twice is done once.

AWS: an idempotent API request completes no more than one time; the retry returns the first
result, also when the resource has changed or gone since; the same token with other parameters is
`IdempotentParameterMismatch`. A request that failed leaves no trace; of a launch it does
(`launch_tokens`).
https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html

moto ignores tokens: the retry launches a second instance.
"""

from collections.abc import Callable
from typing import Any

from local.aws.patch import Answer, refuse, shelf

LONGEST_TOKEN = 64


def once(call: Any, perform: Callable[[], Answer]) -> Answer:
    """Performs the call, or repeats the answer of this token. In one turn."""
    token = given(call)
    if token is None:
        return perform()
    answered = shelf(call.ec2_backend, "client_tokens", dict)
    key = (call._get_action(), token)
    if key not in answered:
        answered[key] = (parameters(call), perform())
    first, answer = answered[key]
    check_same(call, first)
    return answer


def given(call: Any) -> str | None:
    token = call._get_param("ClientToken")
    if not token:
        return None
    if len(token) > LONGEST_TOKEN or not token.isascii():
        raise refuse("InvalidParameterValue", "ClientToken: up to 64 ASCII characters")
    return str(token)


def parameters(call: Any) -> dict[str, Any]:
    return {name: it for name, it in call.querystring.items() if name != "ClientToken"}


def check_same(call: Any, first: dict[str, Any]) -> None:
    if parameters(call) != first:
        raise refuse(
            "IdempotentParameterMismatch",
            "The client token was used before with other parameters.",
        )
