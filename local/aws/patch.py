"""How a behaviour takes moto's place: a method of the same name on moto's own class.

Replacing the methods that answer, and not the server around them, keeps moto's signature check
and policy evaluation in front of everything.
"""

from collections.abc import Callable
from functools import wraps
from typing import Any

from moto.core.responses import ActionResult, BaseResponse
from moto.ec2.exceptions import EC2ClientError
from moto.ec2.responses import EC2Response

Answer = dict[str, Any]
Behaviour = Callable[[Any], Answer]


def replaces(owner: type) -> Callable[[Callable], Callable]:
    """The function becomes the method of its name."""

    def put(function: Callable) -> Callable:
        setattr(owner, function.__name__, function)
        return function

    return put


def answers(
    api: type[BaseResponse], look: Callable[[Any], None] | None = None
) -> Callable[[Behaviour], Behaviour]:
    """The function, called with the request, gives the answer to the action of its name.

    A dry run of EC2 ends before it, after permissions, and after the other checks.
    """

    def put(function: Behaviour) -> Behaviour:
        @wraps(function)
        def method(call: Any) -> ActionResult:
            if api is EC2Response:
                if look is not None and call._get_param("DryRun", False):
                    look(call)
                call.error_on_dryrun()
            return ActionResult(function(call))

        setattr(api, function.__name__, method)
        return function

    return put


def refuse(code: str, message: str) -> EC2ClientError:
    """To be raised."""
    return EC2ClientError(code, message)


def shelf(backend: Any, name: str, kind: Callable[[], Any]) -> Any:
    """State that moto's backend has no field for; it goes with everything else when moto is reset."""
    return backend.__dict__.setdefault(f"local_{name}", kind())
