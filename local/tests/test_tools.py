"""What stands around the build: the doctor, the bill, and the wrapper of rustc."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.tests.harness import ROOT

# What the doctor itself calls.
SHELL = ("sh", "sed", "sort", "head", "dirname")
GOOD = {
    "uname": "Linux",
    "rustc": "rustc 1.95.0 (59807616e 2026-04-14)",
    "cargo": "cargo 1.95.0",
    "cc": "cc (Debian 12.2.0-14) 12.2.0",
    "python3": "Python 3.11.7",
    "node": "v20.20.2",
    "npm": "11.19.1",
    "cargo-fmt": "rustfmt",
    "cargo-clippy": "clippy",
}


def doctor(folder: Path, machine: dict[str, str | None], *arguments: str) -> tuple[int, list[str]]:
    """On a machine that has these commands, each saying so of itself, and no others."""
    for name in SHELL:
        (folder / name).symlink_to(str(shutil.which(name)))
    for name, says in machine.items():
        if says is not None:
            command(folder / name, f"echo '{says}'")
    answer = subprocess.run(
        [str(ROOT / "tools" / "doctor"), *arguments],
        env={"PATH": str(folder)},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stderr.splitlines()


def command(path: Path, body: str) -> None:
    path.write_text(f"#!/bin/sh\n{body}\n")
    path.chmod(0o755)


def test_a_machine_with_everything_is_not_complained_of(tmp_path: Path) -> None:
    """Nothing is said."""
    assert doctor(tmp_path, dict(GOOD)) == (0, [])


@pytest.mark.parametrize(
    ("name", "says", "line"),
    [
        ("rustc", None, "Rust is missing; at least 1.94.1 is needed: https://rustup.rs"),
        ("rustc", "rustc 1.94.0 (x)", "Rust is 1.94.0; at least 1.94.1 is needed"),
        ("rustc", "rustc 1.9.0 (x)", "Rust is 1.9.0; at least 1.94.1 is needed"),
        ("cargo", None, "cargo is missing"),
        ("cc", None, "a C compiler (cc) is missing"),
        ("python3", None, "Python is missing; at least 3.11 is needed"),
        ("python3", "Python 3.9.2", "Python is 3.9.2; at least 3.11 is needed"),
        ("node", "v18.19.0", "Node.js is 18.19.0; at least 20 is needed"),
        ("node", None, "Node.js is missing"),
        ("npm", None, "npm is missing"),
        ("cargo-fmt", None, "rustfmt is missing: rustup component add rustfmt"),
        ("cargo-clippy", None, "clippy is missing: rustup component add clippy"),
        ("uname", "Darwin", "this is Darwin"),
    ],
)
def test_what_is_missing_or_too_old_is_one_line(
    name: str, says: str | None, line: str, tmp_path: Path
) -> None:
    """With what to do."""
    status, lines = doctor(tmp_path, GOOD | {name: says})
    assert status == 1 and len(lines) == 1
    assert lines[0].startswith(f"doctor: {line}")


def test_all_of_it_is_told_at_once_and_the_demo_needs_less(tmp_path: Path) -> None:
    """No Node.js, no linters."""
    bare = {"uname": "Linux"}
    status, lines = doctor(tmp_path, dict(bare))
    assert status == 1 and len(lines) == 8
    least = {name: GOOD[name] for name in ("uname", "rustc", "cargo", "cc", "python3")}
    for it in tmp_path.iterdir():
        it.unlink()
    assert doctor(tmp_path, dict(least), "demo") == (0, [])


def bill(folder: Path, *stages: str) -> tuple[int, str, str]:
    (folder / "Makefile").write_text("good:\n\t@echo done\nbad:\n\t@false\n")
    answer = subprocess.run(
        [sys.executable, str(ROOT / "tools" / "bill.py"), *stages],
        cwd=folder,
        env=os.environ | {"MAKEFLAGS": ""},
        capture_output=True,
        text=True,
        check=False,
    )
    return answer.returncode, answer.stdout, (folder / "target" / "bill.txt").read_text()


def test_the_bill_names_every_stage(tmp_path: Path) -> None:
    """And is written to a file as well."""
    status, said, written = bill(tmp_path, "good", "good")
    assert status == 0
    assert written in said and said.endswith("2 passed, 0 failed\n")
    assert [it.split()[0] for it in written.splitlines()] == ["stage", "good", "good", "all", "on"]


def test_the_first_stage_that_fails_ends_the_run(tmp_path: Path) -> None:
    """The table comes all the same."""
    status, said, written = bill(tmp_path, "good", "bad", "good")
    assert status == 1
    assert [it.split()[:2] for it in written.splitlines()[1:3]] == [
        ["good", "ok"],
        ["bad", "FAILED"],
    ]
    assert said.endswith("1 passed, 1 failed\n") and said.count("=== good") == 1


def wrapped(folder: Path, knows_the_flag: bool, compiler: str, *arguments: str) -> str:
    """How the wrapper calls a compiler that shows its arguments."""
    known = "exit 0" if knows_the_flag else "exit 1"
    command(
        folder / compiler,
        f'case "$*" in *"--print sysroot") {known} ;; esac\necho "$* [$RUSTC_BOOTSTRAP]"',
    )
    answer = subprocess.run(
        [str(ROOT / "tools" / "rustc"), str(folder / compiler), *arguments],
        capture_output=True,
        text=True,
        check=True,
    )
    return answer.stdout.strip()


@pytest.mark.parametrize(
    ("knows", "compiler", "crate", "shown"),
    [
        (True, "rustc", "aws_sdk_ec2", "--crate-name aws_sdk_ec2 -Zhint-mostly-unused [1]"),
        (False, "rustc", "aws_sdk_ec2", "--crate-name aws_sdk_ec2 []"),
        (True, "rustc", "aws_smithy_types", "--crate-name aws_smithy_types []"),
        (True, "clippy-driver", "bootstrap", "--crate-name bootstrap --deny warnings []"),
    ],
)
def test_only_the_sdk_is_compiled_otherwise_and_only_where_rustc_can(
    knows: bool, compiler: str, crate: str, shown: str, tmp_path: Path
) -> None:
    """A toolchain without the flag builds all the same."""
    assert wrapped(tmp_path, knows, compiler, "--crate-name", crate) == shown
