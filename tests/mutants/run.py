#!/usr/bin/env python3
"""Plants one bug at a time in a copy of the source; a suite worth having notices each.

    python3 tests/mutants/run.py [WORD...]

With words, only the bugs whose description has one of them. Golden plans are left out of the suite:
they differ for any change and prove nothing. Ends with an error if a bug is not noticed, or if its
edit no longer applies.
"""

import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

from mutants import MUTANTS, Mutant

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
    "tests",
]
COPIED += ["benches", "examples", "events", "docs", "local", "fuzz"]
# Quick ones first: the first that fails ends the run.
SUITE = [
    ["--lib"],
    ["--test", "events"],
    ["--test", "sim", "--", "--skip", "faults"],
    ["--test", "properties"],
    ["--test", "random"],
    ["--test", "sim", "faults"],
]
CARGO = ["cargo", "test", "--no-default-features", "--features", "sim", "--quiet"]
# A bug that keeps the world from ever being quiet is noticed, too.
PATIENCE = 600


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


def planted(mutant: Mutant) -> str | None:
    """The source with the bug; none if the edit does not apply exactly once."""
    text = (ROOT / mutant.file).read_text()
    return (
        text.replace(mutant.before, mutant.after)
        if text.count(mutant.before) == 1
        else None
    )


def name(part: list[str]) -> str:
    """The binary the tests are in."""
    return part[1] if len(part) > 1 else part[0]


def noticed() -> str | None:
    """What notices it first."""
    environment = os.environ | {
        "CARGO_TARGET_DIR": str(WORK / "target"),
        "RUST_BACKTRACE": "0",
    }
    for part in SUITE:
        try:
            run = subprocess.run(
                [*CARGO, *part], cwd=TREE, env=environment, capture_output=True, text=True,
                timeout=PATIENCE, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            return f"{name(part)}: never ends"
        if run.returncode != 0:
            if "could not compile" in run.stderr:
                sys.exit(f"the suite does not compile:\n{run.stderr[-2000:]}")
            failed = re.findall(r"^    (\S+)$", run.stdout, re.MULTILINE)
            return f"{name(part)}: {failed[-1] if failed else '?'}"
    return None


def judge(mutant: Mutant) -> str | None:
    """Plants, runs, takes out again. None if nobody noticed."""
    bug = planted(mutant)
    if bug is None:
        print(f"{mutant.bug:<58} DOES NOT APPLY to {mutant.file}", flush=True)
        return None
    file = TREE / mutant.file
    file.write_text(bug)
    began = time.monotonic()
    by = noticed()
    file.write_text((ROOT / mutant.file).read_text())
    seconds = time.monotonic() - began
    print(f"{mutant.bug:<58} {by or 'SURVIVED'}  [{seconds:.0f} s]", flush=True)
    return by


def main() -> int:
    """Every bug, or those named."""
    words = sys.argv[1:]
    chosen = [
        it for it in MUTANTS if not words or any(word in it.bug for word in words)
    ]
    copy()
    if by := noticed():
        print(f"the suite fails without a bug: {by}")
        return 1
    caught = sum(judge(it) is not None for it in chosen)
    print(
        f"{len(chosen)} bugs planted, {caught} caught, {len(chosen) - caught} survived"
    )
    return 0 if caught == len(chosen) else 1


if __name__ == "__main__":
    sys.exit(main())
