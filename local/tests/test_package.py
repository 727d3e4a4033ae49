"""What is handed on: the same sources give the same bytes, and all that is in them is named."""

import hashlib
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from local.tests.harness import ROOT


def binary(architecture: str, versions: bytes = b"GLIBC_2.17") -> bytes:
    """As far as anything here reads it."""
    machine = {"arm64": b"\xb7", "x86_64": b"\x3e"}[architecture]
    return b"\x7fELF".ljust(18, b"\0") + machine + b"\0" + versions


def package(folder: Path, made: int) -> dict[str, bytes]:
    """Of a binary that was made at this time."""
    folder.mkdir()
    bootstrap = folder / "bootstrap"
    bootstrap.write_bytes(binary("x86_64") + bytes(100_000))
    os.utime(bootstrap, (made, made))
    subprocess.run(
        [sys.executable, ROOT / "tools" / "package.py", folder, "x86_64"], cwd=ROOT, check=True
    )
    return {it.name: it.read_bytes() for it in folder.iterdir()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Two, made years and folders apart."""
    folder = tmp_path_factory.mktemp("packages")
    return package(folder / "one", 1_000_000_000), package(folder / "another-name", 1_700_000_000)


FITTING = [
    ("arm64", binary("arm64", b"GLIBC_2.2.5 GLIBC_2.17"), None),
    ("x86_64", binary("x86_64", b"GLIBC_2.17 GLIBC_2.34"), None),
    ("arm64", binary("arm64", b"GLIBC_PRIVATE"), None),
    ("arm64", binary("arm64", b"GLIBC_2.35 GLIBC_2.9"), "GLIBC 2.35; Lambda has 2.34"),
    ("x86_64", binary("x86_64", b"GLIBC_2.34.1"), "GLIBC 2.34.1; Lambda has 2.34"),
    ("arm64", binary("x86_64"), "not for arm64 (ELF machine 62, not 183)"),
    ("x86_64", binary("arm64"), "not for x86_64 (ELF machine 183, not 62)"),
    ("x86_64", b"#!/bin/sh\n", "not for x86_64"),
]


@pytest.mark.parametrize(
    ("architecture", "made", "wrong"), FITTING, ids=[it[2] or "fits" for it in FITTING]
)
def test_a_binary_that_lambda_cannot_run_is_neither_packed_nor_deployed(
    architecture: str, made: bytes, wrong: str | None, tmp_path: Path
) -> None:
    """Its processor, its C library."""
    (tmp_path / "bootstrap").write_bytes(made)
    packed, fits = (
        subprocess.run(
            [sys.executable, ROOT / "tools" / tool, tmp_path / file, architecture],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
        )
        for tool, file in (("package.py", "."), ("fits.py", "bootstrap"))
    )
    assert (packed.returncode == 0) == (fits.returncode == 0) == (wrong is None)
    assert (tmp_path / "bootstrap.zip").exists() == (wrong is None)
    assert wrong or (f"{architecture}: zip " in packed.stdout and architecture in fits.stdout)
    assert all(wrong is None or wrong in it.stderr for it in (packed, fits))


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_build_and_deployment_are_of_one_architecture(architecture: str) -> None:
    """Lambda could not run another one."""
    command = ["make", "--dry-run", "deploy", f"ARCH={architecture}", "PARAMETERS=A=b"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    commands = [it for it in run.stdout.splitlines() if re.search(r"sam (build|deploy)|fits", it)]
    build, look, deploy = commands
    assert "sam build" in build and "sam deploy" in deploy and deploy.endswith(" A=b")
    assert look.endswith(f"fits.py .aws-sam/build/Function/bootstrap {architecture}")
    overrides = f"--parameter-overrides Architecture={architecture}"
    assert overrides in build and overrides in deploy


@pytest.mark.parametrize(
    ("tool", "name"),
    [("aws-sam-cli", "SAM CLI"), ("cargo-lambda", "cargo-lambda"), ("ziglang", "zig")],
)
def test_the_guide_names_the_versions_that_are_installed(tool: str, name: str) -> None:
    pinned = (ROOT / "local" / "requirements.txt").read_text()
    version = re.search(rf"^{tool}==([\d.]+)", pinned, re.MULTILINE)
    assert version and f"{name} {version[1]}" in (ROOT / "docs" / "DEPLOY.md").read_text()


Twice = tuple[dict[str, bytes], dict[str, bytes]]


def test_the_same_binary_gives_the_same_package(packages: Twice) -> None:
    """Zip, bill of materials and checksums, byte for byte."""
    assert packages[0] == packages[1]


def test_lambda_can_run_what_is_in_the_zip(packages: Twice, tmp_path: Path) -> None:
    """One file, by the name that the runtime looks for, executable."""
    (tmp_path / "zip").write_bytes(packages[0]["bootstrap.zip"])
    (entry,) = zipfile.ZipFile(tmp_path / "zip").infolist()
    assert entry.filename == "bootstrap"
    assert entry.external_attr >> 16 == 0o100755


def test_the_checksums_are_those_of_zip_and_bill(packages: Twice) -> None:
    lines = packages[0]["SHA256SUMS"].decode().splitlines()
    files = ("bootstrap.zip", "bootstrap.cdx.json")
    assert lines == [f"{hashlib.sha256(packages[0][it]).hexdigest()}  {it}" for it in files]


def test_the_bill_names_what_is_in_the_function_and_what_only_builds_it(packages: Twice) -> None:
    """With the checksums of Cargo.lock, and nothing of what only tests use."""
    bill = json.loads(packages[0]["bootstrap.cdx.json"])
    parts = {it["name"]: it for it in bill["components"]}
    assert parts["rustls"]["scope"] == "required" and parts["serde_derive"]["scope"] == "excluded"
    assert "proptest" not in parts and "allocation-counter" not in parts
    foreign = [it for it in bill["components"] if not it["name"].startswith("spot-rescue")]
    lock = (ROOT / "Cargo.lock").read_text()
    assert len(foreign) > 100
    assert all(f'checksum = "{it["hashes"][0]["content"]}"' in lock for it in foreign)


def built(*packages: str) -> str:
    """Which features of tokio are switched on, and by what, when these are built together."""
    command = ["cargo", "tree", "--locked", "--edges", "normal,features", "--invert", "tokio"]
    run = subprocess.run(
        [*command, *packages], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return run.stdout


def test_nothing_that_is_shipped_has_the_simulators_tokio() -> None:
    """Without a word cargo builds the default members: `bench` is none, lest its tokio gets into the function."""
    clock = 'tokio feature "test-util"'
    assert clock in built("--workspace")
    assert clock not in built()


def test_the_bill_has_nothing_of_this_machine(packages: Twice) -> None:
    """Neither folders nor times nor random numbers."""
    text = packages[0]["bootstrap.cdx.json"].decode()
    assert str(ROOT) not in text and "file://" not in text
    assert "timestamp" not in text and "serialNumber" not in text
