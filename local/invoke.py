"""`make invoke EVENT=events/x.json`: one event into the function, on a local AWS of its own.

Prints the answer, the function's log, and the calls it made.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from local.function import SEEN
from local.runtime import Crashed
from local.stage import Stage


def main() -> int:
    event = json.loads(Path(sys.argv[1]).read_text())
    with Stage(functions=1) as stage:
        try:
            print("answer:", json.dumps(stage.functions[0].invoke(event)))
            status = 0
        except Crashed as error:
            print("error:", error)
            status = 1
        for line in stage.log.lines:
            print("log:   ", json.dumps({key: it for key, it in line.items() if key != SEEN}))
        for it in stage.journal():
            print("call:  ", it["action"], it["code"] or "ok")
    stage.forget()
    return status


if __name__ == "__main__":
    sys.exit(main())
