"""What is installed is what the lock files say, and what it brings is looked at."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from local.tests.harness import ROOT


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
