#!/usr/bin/env python3
"""Plants bugs in a copy of the source, one at a time; a suite worth having notices each.

    python3 tests/mutants/run.py [WORD...]

With words, only the bugs with one of them in the description. All are compiled at once, each behind a
switch (`switch.py`). Golden plans are left out of the suite: they differ for any change and prove
nothing. Ends with an error if a bug is not noticed, or if its edit no longer applies.
"""

import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

from mutants import MUTANTS
from switch import SWITCH, switched

ROOT = Path(__file__).resolve().parents[2]
WORK = Path(os.environ.get("CARGO_TARGET_DIR", ROOT / "target")) / "mutants"
TREE = WORK / "tree"
COPIED = [
    "Cargo.toml",
    "Cargo.lock",
    "clippy.toml",
    "README.md",
    "template.yaml",
    "src",
    "aws",
    "bench",
    "cli",
    "function",
    "tests",
]
COPIED += ["benches", "examples", "events", "docs", "local", "fuzz"]
# Test binary, and what of it, quick ones first; the first that fails ends the run.
SUITE = [
    ("spot_rescue", []),
    ("events", []),
    ("sim", ["--skip", "faults"]),
    ("properties", []),
    ("random", []),
    ("sim", ["faults"]),
]
TARGETS = [
    "--lib",
    *(
        it
        for name in ("events", "sim", "properties", "random")
        for it in ("--test", name)
    ),
]
BUILD = ["cargo", "test", "-p", "spot-rescue", "--features", "sim", "--no-run"]
BUILD += ["--message-format=json"]
# No bug has this number.
NONE = 1_000_000
# A bug that keeps the world from ever being quiet is noticed, too: by the CPU seconds it takes, which
# are the same on a busy machine. One that only waits has the hour.
CPU = 1200
PATIENCE = 3600
NEVER_ENDS = (-signal.SIGXCPU, -signal.SIGKILL)


def copy() -> None:
    """A fresh tree; the dependencies compiled for the last one stay useful.

    Files get the time of the copy: with their own, older one, cargo would take what it compiled of
    the last bug for up to date.
    """
    shutil.rmtree(TREE, ignore_errors=True)
    TREE.mkdir(parents=True)
    for name in COPIED:
        source = ROOT / name
        if source.is_dir():
            ignored = shutil.ignore_patterns("target", "__pycache__")
            shutil.copytree(
                source, TREE / name, ignore=ignored, copy_function=shutil.copy
            )
        elif source.exists():
            shutil.copy(source, TREE / name)


def plant() -> set[int]:
    """All bugs, each behind its switch; the numbers of those that could be planted."""
    done: set[int] = set()
    for file in {it.file for it in MUTANTS}:
        bugs = [(n, it) for n, it in enumerate(MUTANTS) if it.file == file]
        text, numbers = switched((ROOT / file).read_text(), bugs)
        (TREE / file).write_text(text)
        done.update(numbers)
    crate = TREE / "src" / "lib.rs"
    crate.write_text(crate.read_text() + SWITCH)
    return done


def build() -> dict[str, str]:
    """The test binaries by name."""
    environment = os.environ | {"CARGO_TARGET_DIR": str(WORK / "target")}
    run = subprocess.run(
        [*BUILD, *TARGETS],
        cwd=TREE,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    messages = [json.loads(it) for it in run.stdout.splitlines() if it.startswith("{")]
    if run.returncode != 0:
        errors = [it["message"]["rendered"] for it in messages if "message" in it]
        wrong = "".join(it for it in errors if it and it.startswith("error"))
        sys.exit(f"the bugs do not compile:\n{wrong or run.stderr}")
    built = [it for it in messages if it.get("executable")]
    return {it["target"]["name"]: it["executable"] for it in built}


def limit() -> None:
    """What a test binary may take."""
    resource.setrlimit(resource.RLIMIT_CPU, (CPU, CPU))


def noticed(binaries: dict[str, str], number: int) -> str | None:
    """What notices it first."""
    environment = os.environ | {"PLANTED": str(number), "RUST_BACKTRACE": "0"}
    for name, part in SUITE:
        try:
            run = subprocess.run(
                [binaries[name], "--quiet", *part], cwd=TREE, env=environment, capture_output=True,
                text=True, timeout=PATIENCE, check=False, preexec_fn=limit,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"{name}: never ends"
        if run.returncode in NEVER_ENDS:
            return f"{name}: never ends"
        if run.returncode != 0:
            failed = re.findall(r"^    (\S+)$", run.stdout, re.MULTILINE)
            return f"{name}: {failed[-1] if failed else '?'}"
    return None


def main() -> int:
    """Every bug, or those named."""
    words = sys.argv[1:]
    wanted = [not words or any(word in it.bug for word in words) for it in MUTANTS]
    chosen = [n for n, is_wanted in enumerate(wanted) if is_wanted]
    copy()
    planted, binaries = plant(), build()
    if by := noticed(binaries, NONE):
        print(f"the suite fails without a bug: {by}")
        return 1
    caught = 0
    for number in chosen:
        began = time.monotonic()
        by = noticed(binaries, number) if number in planted else None
        caught += by is not None
        verdict = by or ("SURVIVED" if number in planted else "DOES NOT APPLY")
        seconds = time.monotonic() - began
        print(f"{MUTANTS[number].bug:<75} {verdict}  [{seconds:.0f} s]", flush=True)
    print(f"{len(chosen)} bugs planted, {caught} caught, {len(chosen) - caught} not")
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
