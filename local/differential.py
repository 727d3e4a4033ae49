"""The same list of operations against the simulator and against the local AWS.

    python -m local.differential tests/differential/*.json

What the world has become is put into the same words on both sides and compared. The simulator's
side is `examples/play.rs`. Both are models of AWS, made apart: where they agree about what the
function leads to, neither is wrong alone.
"""

from __future__ import annotations

import argparse
import json
import signal
import subprocess
import sys
import time
from functools import partial
from pathlib import Path
from typing import Any

from local.apart import JOBS, SideBySide
from local.function import BINARY
from local.replay import Replay
from local.serving import load
from local.stage import Stage

ROOT = Path(__file__).resolve().parent.parent
LISTS = ROOT / "tests" / "differential"
SIMULATOR = ("--no-default-features", "--features", "sim", "--example", "play")

# All that may differ: (list, path in the summary) -> why. Nothing else may; so far nothing has to.
ALLOWED: dict[tuple[str, str], str] = {}


def main() -> int:
    options = arguments()
    paths = [Path(it) for it in options.lists] or sorted(LISTS.glob("*.json"))
    simulated = simulate(paths)
    if options.simulator_only:
        print(json.dumps(simulated, indent=2))
        return 0
    if not BINARY.exists():
        print(f"{BINARY} is missing: run `make build` first", file=sys.stderr)
        return 2
    load()
    lists = SideBySide(options.jobs)
    for it in paths:
        lists.add(it.stem, partial(judge, it, simulated[it.stem]))
    differ = 0
    for name, judged in lists.results():
        same, text = judged or (False, f"{name}: its process has died")
        differ += not same
        print(text, flush=True)
    print(f"{len(paths)} lists, {differ} differ")
    return 1 if differ else 0


def judge(path: Path, simulated: dict[str, Any]) -> tuple[bool, str]:
    """Plays the list on a local AWS of its own; compares the result, in words too."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, Stage.abandon)
    began = time.monotonic()
    with Stage() as stage:
        stage.world.build()
        found = Replay(stage, json.loads(path.read_text())).play()
        differences = list(compared("", simulated, found))
        wrong = [it for it in differences if (path.stem, it[0]) not in ALLOWED]
        verdict = "DIFFERS" if wrong else "same"
        lines = [f"{path.stem:<28} {verdict:<8} {time.monotonic() - began:5.1f} s"]
        for where, here, there in differences:
            why = ALLOWED.get((path.stem, where), "")
            lines.append(f"    {where}: simulator {here}, local AWS {there}  {why}")
        if wrong:
            stage.dump()
            lines.append(f"    logs and journal: {stage.directory}")
    if not wrong:
        stage.forget()
    return not wrong, "\n".join(lines)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.differential", description=__doc__.splitlines()[0])
    parser.add_argument("lists", nargs="*", help="all of tests/differential if none is named")
    parser.add_argument("--jobs", type=int, default=JOBS, help="lists at a time")
    parser.add_argument("--simulator-only", action="store_true")
    return parser.parse_args()


def simulate(paths: list[Path]) -> dict[str, Any]:
    command = ["cargo", "run", "--quiet", "--locked", *SIMULATOR, "--", *map(str, paths)]
    answer = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True)
    return dict(json.loads(answer.stdout))


def compared(where: str, here: Any, there: Any) -> Any:
    """(path, here, there) of everything that is not the same."""
    if isinstance(here, dict) and isinstance(there, dict):
        for key in sorted(here.keys() | there.keys()):
            path = f"{where}.{key}" if where else key
            yield from compared(path, here.get(key), there.get(key))
    elif here != there:
        yield where, here, there


if __name__ == "__main__":
    sys.exit(main())
