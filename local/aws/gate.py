"""Where every call passes: after its time on the way, one at a time, and each into the journal."""

import time
from typing import Any

from moto.core.responses import BaseResponse

from local.aws.clock import CLOCK
from local.aws.journal import JOURNAL
from local.aws.settings import SETTINGS
from local.aws.signatures import use_kept_body


def install() -> None:
    moto_call = BaseResponse.call_action

    def call_action(self: Any) -> Any:
        use_kept_body(self)
        if _is_of_a_role(self):
            time.sleep(SETTINGS.call_seconds)
        with CLOCK.turn():
            try:
                status, headers, body = moto_call(self)
            except Exception as error:
                JOURNAL.write(self, 500, f"<Code>{type(error).__name__}</Code>")
                raise
            JOURNAL.write(self, int(status), _text(body))
        if _is_of_a_role(self):
            # What it has done is done; its caller hears of it later, and twins come in between.
            time.sleep(getattr(self, "local_seconds", 0))
        return status, headers, body

    BaseResponse.call_action = call_action


def _is_of_a_role(call: Any) -> bool:
    """A call of a function: calls that build the world or look at it take no time."""
    return "X-Amz-Security-Token" in call.headers


def _text(body: Any) -> str:
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)
