"""`make demo` and `make e2e`: plays stories on a local AWS and says what came of them.

The exit status is 0 only if every line passed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
import traceback
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from zlib import crc32

from local import record
from local.apart import JOBS, SideBySide
from local.function import BINARY
from local.scenarios import ALL
from local.scenarios.scenario import Scenario, play
from local.serving import load
from local.stage import Stage
from local.timeline import table


@dataclass
class Verdict:
    """The result of one story."""

    name: str
    passed: bool
    seconds: float
    text: str


def main() -> int:
    options = arguments()
    if not BINARY.exists():
        print(f"{BINARY} is missing: run `make build` first", file=sys.stderr)
        return 2
    load()
    if options.scenario == "all":
        verdicts = play_all(options)
    else:
        verdicts = [tell(ALL[options.scenario], options.record, say=announce)]
        print(verdicts[0].text)
    return 0 if all(it.passed for it in verdicts) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.demo", description=__doc__)
    parser.add_argument("--scenario", choices=[*ALL, "all"], default="rescue")
    parser.add_argument("--jobs", type=int, default=JOBS, help="stories at a time, for all")
    parser.add_argument(
        "--record", type=Path, metavar="DIRECTORY", help="what the calls needed permission for"
    )
    return parser.parse_args()


def play_all(options: argparse.Namespace) -> list[Verdict]:
    began = time.monotonic()
    stories = SideBySide(options.jobs)
    # The longest first, so that it is not what everything waits for in the end.
    for scenario in sorted(ALL.values(), key=longest):
        stories.add(scenario.name, partial(tell, scenario, options.record))
    verdicts = []
    for name, told in stories.results():
        verdicts.append(told or Verdict(name, False, 0, f"\n{name}: its process has died"))
        print(verdicts[-1].text)
        print(progress(verdicts, stories, time.monotonic() - began), flush=True)
    print("\nscenario         verdict  seconds")
    for it in verdicts:
        print(f"{it.name:<16} {'PASS' if it.passed else 'FAIL':<8} {it.seconds:7.1f}")
    print(f"{'all':<25} {time.monotonic() - began:7.1f}")
    for it in verdicts:
        if not it.passed:
            print(f"alone: make demo SCENARIO={it.name}")
    passed = sum(it.passed for it in verdicts)
    print(f"{passed} passed, {len(verdicts) - passed} failed")
    return verdicts


def longest(scenario: Scenario) -> tuple[int, float]:
    """Sorts by about how long it takes, the longest first."""
    return -scenario.instances, -scenario.deadline - scenario.rest


def progress(verdicts: list[Verdict], stories: SideBySide, seconds: float) -> str:
    """How many are done, which run and for how long, and about how long it will be."""
    done, now = len(verdicts), time.monotonic()
    running = ", ".join(f"{it.name} {now - it.began:.0f} s" for it in stories.running) or "none"
    left = seconds / done * stories.left()
    failed = sum(not it.passed for it in verdicts)
    return (
        f"--- {done} of {done + stories.left()} done, {failed} failed, after {seconds:.0f} s; "
        f"running: {running}; about {left:.0f} s left"
    )


def tell(
    scenario: Scenario, recorded: Path | None = None, say: Callable[[str], None] | None = None
) -> Verdict:
    """Plays one story on a stage of its own and writes the report."""
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, Stage.abandon)
    began = time.monotonic()
    lines = [f"\n{scenario.name}: {scenario.story}"]
    seed = crc32(scenario.name.encode())
    stage = Stage(scenario.functions, scenario.batch_size, scenario.parameters, seed)
    passed = False
    try:
        with stage:
            stage.say = say or stage.say
            played = play(scenario, stage)
            if recorded:
                record.write(recorded, scenario.name, stage)
            lines.append(table(played))
            lines += [f"  {'PASS' if it.passed else 'FAIL'}  {it.what}" for it in played.results]
            passed = played.passed
    except Exception:  # noqa: BLE001 - the local AWS has ended, for example: told like any failure
        lines += ["  FAIL  the story could not be played", traceback.format_exc()]
    if passed:
        stage.forget()
    else:
        lines += clues(stage)
    return Verdict(scenario.name, passed, time.monotonic() - began, "\n".join(lines))


def announce(what: str) -> None:
    print(f"... {what}", flush=True)


def clues(stage: Stage) -> list[str]:
    """Where to look when something failed."""
    errors = [f"        {error}" for error in stage.errors()[-5:]]
    return [*errors, f"        logs and journal: {stage.directory}"]


if __name__ == "__main__":
    sys.exit(main())
