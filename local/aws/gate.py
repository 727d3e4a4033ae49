"""Where every call passes: one at a time, and each into the journal.

Who waits for queue messages does not make the others wait: long polls take no turn.
"""

from contextlib import nullcontext
from typing import Any

from moto.core.responses import BaseResponse

from local.aws.journal import JOURNAL
from local.aws.lock import LOCK
from local.aws.signatures import use_kept_body


def install() -> None:
    moto_call = BaseResponse.call_action

    def call_action(self: Any) -> Any:
        use_kept_body(self)
        turn = nullcontext() if _is_long_poll(self) else LOCK
        try:
            with turn:
                status, headers, body = moto_call(self)
        except Exception as error:
            JOURNAL.write(self, 500, f"<Code>{type(error).__name__}</Code>")
            raise
        JOURNAL.write(self, int(status), _text(body))
        return status, headers, body

    BaseResponse.call_action = call_action


def _is_long_poll(call: Any) -> bool:
    if call.service_name != "sqs" or call._get_action() != "ReceiveMessage":
        return False
    return call._get_param("WaitTimeSeconds") != 0


def _text(body: Any) -> str:
    return body.decode(errors="replace") if isinstance(body, bytes) else str(body)
