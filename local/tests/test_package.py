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


def package(folder: Path, made: int) -> dict[str, bytes]:
    """Of a binary that was made at this time."""
    folder.mkdir()
    binary = folder / "bootstrap"
    binary.write_bytes(b"\x7fELF" + bytes(100_000))
    os.utime(binary, (made, made))
    subprocess.run(
        [sys.executable, ROOT / "tools" / "package.py", folder, "x86_64"], cwd=ROOT, check=True
    )
    return {it.name: it.read_bytes() for it in folder.iterdir()}


@pytest.fixture(scope="module")
def packages(tmp_path_factory: pytest.TempPathFactory) -> tuple[dict[str, bytes], dict[str, bytes]]:
    """Two, made years and folders apart."""
    folder = tmp_path_factory.mktemp("packages")
    return package(folder / "one", 1_000_000_000), package(folder / "another-name", 1_700_000_000)


@pytest.mark.parametrize(
    ("versions", "runs"),
    [
        (b"GLIBC_2.2.5 GLIBC_2.17", True),
        (b"GLIBC_2.17 GLIBC_2.34", True),
        (b"GLIBC_2.35 GLIBC_2.9", False),
        (b"GLIBC_2.34.1", False),
        (b"GLIBC_PRIVATE", True),
    ],
)
def test_a_binary_that_lambda_has_no_c_library_for_is_refused(
    versions: bytes, runs: bool, tmp_path: Path
) -> None:
    """Nothing is packed then."""
    (tmp_path / "bootstrap").write_bytes(b"\x7fELF" + versions)
    command = [sys.executable, ROOT / "tools" / "package.py", tmp_path, "arm64"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (run.returncode == 0) == runs == (tmp_path / "bootstrap.zip").exists()
    assert ("arm64: zip " in run.stdout) == runs
    assert runs or "Lambda has 2.34" in run.stderr


@pytest.mark.parametrize("architecture", ["arm64", "x86_64"])
def test_build_and_deployment_are_of_one_architecture(architecture: str) -> None:
    """Lambda could not run another one."""
    command = ["make", "--dry-run", "deploy", f"ARCH={architecture}", "PARAMETERS=A=b"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True)
    commands = [it for it in run.stdout.splitlines() if re.search(r"sam (build|deploy)", it)]
    assert len(commands) == 2 and "deploy" in commands[1] and commands[1].endswith(" A=b")
    assert all(f"--parameter-overrides Architecture={architecture}" in it for it in commands)


@pytest.mark.parametrize(
    ("tool", "name"),
    [("aws-sam-cli", "SAM CLI"), ("cargo-lambda", "cargo-lambda"), ("ziglang", "zig")],
)
def test_the_readme_names_the_versions_that_are_installed(tool: str, name: str) -> None:
    pinned = (ROOT / "local" / "requirements.txt").read_text()
    version = re.search(rf"^{tool}==([\d.]+)", pinned, re.MULTILINE)
    assert version and f"{name} {version[1]}" in (ROOT / "README.md").read_text()


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
    foreign = [it for it in bill["components"] if it["name"] != "spot-rescue"]
    lock = (ROOT / "Cargo.lock").read_text()
    assert len(foreign) > 100
    assert all(f'checksum = "{it["hashes"][0]["content"]}"' in lock for it in foreign)


def test_the_bill_has_nothing_of_this_machine(packages: Twice) -> None:
    """Neither folders nor times nor random numbers."""
    text = packages[0]["bootstrap.cdx.json"].decode()
    assert str(ROOT) not in text and "file://" not in text
    assert "timestamp" not in text and "serialNumber" not in text
