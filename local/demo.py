"""`make demo`: plays stories on a local AWS and says what came of them.

The exit status is 0 only if every line passed.
"""

from __future__ import annotations

import argparse
import signal
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from local import record
from local.function import BINARY
from local.scenarios import ALL
from local.scenarios.scenario import Played, Scenario, play
from local.stage import Stage
from local.timeline import table


@dataclass
class Verdict:
    """One story, told."""

    name: str
    passed: bool
    seconds: float
    text: str


def main() -> int:
    options = arguments()
    if not BINARY.exists():
        print(f"{BINARY} is missing: run `make build` first", file=sys.stderr)
        return 2
    for ending in (signal.SIGINT, signal.SIGTERM):
        signal.signal(ending, Stage.abandon)
    if options.scenario == "all":
        verdicts = play_all(options)
    else:
        story = ALL[options.scenario]
        verdicts = [tell(story, options.speed, options.record, say=announce)]
        print(verdicts[0].text)
    return 0 if all(it.passed for it in verdicts) else 1


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="local.demo", description=__doc__)
    parser.add_argument("--scenario", choices=[*ALL, "all"], default="rescue")
    parser.add_argument("--speed", type=float, default=10, help="AWS-seconds per second")
    parser.add_argument("--jobs", type=int, default=2, help="stories at a time, for all")
    parser.add_argument(
        "--record", type=Path, metavar="DIRECTORY", help="what the calls needed permission for"
    )
    return parser.parse_args()


def play_all(options: argparse.Namespace) -> list[Verdict]:
    """Mostly they wait, so two at a time cost little; each has a stage of its own."""
    began = time.monotonic()
    verdicts = []
    told = partial(tell, speed=options.speed, recorded=options.record)
    with ThreadPoolExecutor(options.jobs) as pool:
        # The longest first, so that it is not what everybody waits for in the end.
        longest_first = sorted(ALL.values(), key=lambda it: -it.instances)
        stories = [pool.submit(told, scenario) for scenario in longest_first]
        for story in stories:
            verdicts.append(story.result())
            print(verdicts[-1].text, flush=True)
    print("\nscenario         verdict  seconds")
    for it in verdicts:
        print(f"{it.name:<16} {'PASS' if it.passed else 'FAIL':<8} {it.seconds:7.1f}")
    print(f"{'all':<25} {time.monotonic() - began:7.1f}")
    return verdicts


def tell(
    scenario: Scenario,
    speed: float,
    recorded: Path | None = None,
    say: Callable[[str], None] | None = None,
) -> Verdict:
    """Plays one story on a stage of its own and puts it into words."""
    began = time.monotonic()
    lines = [f"\n{scenario.name}: {scenario.story}"]
    arguments = (scenario.functions, scenario.batch_size, scenario.parameters)
    with Stage(speed / scenario.slower, *arguments) as stage:
        stage.say = say or stage.say
        played = play(scenario, stage)
        if recorded:
            record.write(recorded, scenario.name, stage)
        lines.append(table(played))
        lines += [f"  {'PASS' if it.passed else 'FAIL'}  {it.what}" for it in played.results]
        lines += [] if played.passed else clues(played)
    if played.passed:
        stage.forget()
    return Verdict(scenario.name, played.passed, time.monotonic() - began, "\n".join(lines))


def announce(what: str) -> None:
    print(f"... {what}", flush=True)


def clues(played: Played) -> list[str]:
    """Where to look when something failed."""
    errors = [f"        {error}" for error in played.stage.pump.errors[-5:]]
    return [*errors, f"        logs and journal: {played.stage.directory}"]


if __name__ == "__main__":
    sys.exit(main())
