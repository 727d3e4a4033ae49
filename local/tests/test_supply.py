"""What is built and installed is what the lock files say."""

import os
import platform
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from local.tests.harness import ROOT

ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), "x86_64")
MANIFEST = """[package]
name = "empty"
version = "0.1.0"
edition = "2024"

[[bin]]
name = "bootstrap"
path = "main.rs"
"""
UNWINDS = """
#[cfg(panic = "abort")]
compile_error!("a panic would end the function before the runtime has reported it");
"""


def shipping_profile() -> str:
    return (ROOT / "Cargo.toml").read_text().split("\n[profile.release]\n")[1].split("\n[")[0]


def sam_build(folder: Path) -> subprocess.CompletedProcess[str]:
    """This project's template and settings, around a function that is compiled in a second."""
    (folder / "Cargo.toml").write_text(f"{MANIFEST}\n[profile.release]\n{shipping_profile()}\n")
    (folder / "main.rs").write_text(f"fn main() {{}}\n{UNWINDS}")
    for name in ("template.yaml", "CargoLambda.toml"):
        shutil.copy(ROOT / name, folder / name)
    path = f"{Path(sys.executable).parent}:{os.environ['PATH']}"
    return subprocess.run(
        ["sam", "build", "--parameter-overrides", f"Architecture={ARCHITECTURE}"],
        cwd=folder,
        env=os.environ | {"PATH": path, "CARGO_TARGET_DIR": str(folder / "target")},
        capture_output=True,
        text=True,
        check=False,
    )


def test_sam_build_does_not_go_beyond_the_lock_file(tmp_path: Path) -> None:
    """There is none here: cargo would make one, were it not told to keep to it."""
    answer = sam_build(tmp_path)
    assert answer.returncode != 0
    assert "because --locked was passed" in answer.stderr


def test_what_sam_builds_unwinds(tmp_path: Path) -> None:
    """cargo-lambda has panics abort where the profile does not say otherwise."""
    (tmp_path / "Cargo.lock").write_text(
        'version = 4\n[[package]]\nname = "empty"\nversion = "0.1.0"\n'
    )
    answer = sam_build(tmp_path)
    assert answer.returncode == 0, answer.stderr


@pytest.mark.parametrize(
    "name",
    [
        "local/requirements.txt",
        "local/compiled-requirements.txt",
        "local/checkov-requirements.txt",
        "local/lock-requirements.txt",
        "bench/baseline/requirements.txt",
    ],
)
def test_every_python_package_has_a_version_and_hashes(name: str) -> None:
    """And nothing says where it is to be fetched from."""
    text = (ROOT / name).read_text()
    entries = re.sub(r"^#.*\n", "", text, flags=re.MULTILINE).replace("\\\n", "").splitlines()
    assert entries
    for entry in filter(None, entries):
        assert re.match(r"[\w.-]+==[\w.]+ .*--hash=sha256:[0-9a-f]{64}", entry), entry
    assert "://" not in text and "--index" not in text and "--find-links" not in text


def deny(folder: Path, **status: int) -> subprocess.CompletedProcess[str]:
    """With a cargo-deny that ends so when it is asked for licences, the database, known vulnerabilities."""
    fake = folder / "cargo-deny"
    cases = "\n".join(f"*{word}*) echo {word}; exit {code} ;;" for word, code in status.items())
    fake.write_text(f'#!/bin/sh\ncase "$*" in\n{cases}\nesac\n')
    fake.chmod(0o755)
    return subprocess.run(
        [str(ROOT / "tools" / "deny")],
        env=os.environ | {"DENY": str(fake)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_that_vulnerabilities_were_not_looked_for_is_said_loudly(tmp_path: Path) -> None:
    """Where the database cannot be had, as offline."""
    answer = deny(tmp_path, licenses=0, fetch=1, advisories=1)
    assert answer.returncode == 0
    assert answer.stderr.startswith("SKIPPED: known vulnerabilities were NOT looked for")


@pytest.mark.parametrize(("licenses", "advisories"), [(1, 0), (0, 1)])
def test_what_cargo_deny_finds_fails(licenses: int, advisories: int, tmp_path: Path) -> None:
    """A licence that is not on the list, or a known vulnerability where the database is there."""
    answer = deny(tmp_path, licenses=licenses, fetch=0, advisories=advisories)
    assert answer.returncode != 0 and "SKIPPED" not in answer.stderr
