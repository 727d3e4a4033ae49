"""`sam build` of the real template, as `make deploy` runs it, around a function that is compiled in a second."""

import os
import platform
import shutil
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from samcli.yamlhelper import yaml_parse

from local.tests.harness import ROOT

ARCHITECTURE = {"aarch64": "arm64"}.get(platform.machine(), "x86_64")
BUILT = Path(".aws-sam", "build")
# The same program in two roles.
FUNCTIONS = ("BackupFunction", "Function")
BOOTSTRAP = BUILT / "Function" / "bootstrap"
LOCK = 'version = 4\n[[package]]\nname = "empty"\nversion = "0.1.0"\n'
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
    """With this project's template and settings."""
    (folder / "Cargo.toml").write_text(f"{MANIFEST}\n[profile.release]\n{shipping_profile()}\n")
    (folder / "main.rs").write_text(f"fn main() {{}}\n{UNWINDS}")
    for name in ("template.yaml", "samconfig.toml", "CargoLambda.toml"):
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


@pytest.fixture(scope="module")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Built once."""
    folder = tmp_path_factory.mktemp("project")
    (folder / "Cargo.lock").write_text(LOCK)
    built = sam_build(folder)
    assert built.returncode == 0, built.stderr
    return folder


def differences(one: Any, other: Any, path: str = "") -> set[str]:
    """Where the two are not the same."""
    if isinstance(one, list) and isinstance(other, list) and len(one) == len(other):
        one, other = dict(enumerate(one)), dict(enumerate(other))
    if isinstance(one, dict) and isinstance(other, dict):
        names = [*one, *(it for it in other if it not in one)]
        pairs = ((f"{path}/{it}", one.get(it), other.get(it)) for it in names)
        return {it for where, a, b in pairs for it in differences(a, b, where)}
    return set() if one == other else {path}


def test_sam_build_does_not_go_beyond_the_lock_file(tmp_path: Path) -> None:
    """There is none here: cargo would make one, were it not told to keep to it."""
    answer = sam_build(tmp_path)
    assert answer.returncode != 0
    assert "because --locked was passed" in answer.stderr


def test_what_sam_builds_unwinds(project: Path) -> None:
    """cargo-lambda has panics abort where the profile does not say otherwise; that would not compile."""
    assert (project / BOOTSTRAP).exists()


def test_sam_changes_nothing_of_the_template_but_where_the_code_is(project: Path) -> None:
    """Conditions, policies and rules are deployed as they are written."""
    written, built = (
        yaml_parse((project / it / "template.yaml").read_text()) for it in (Path(), BUILT)
    )
    changed = ("Metadata/SamResourceId", "Properties/CodeUri")
    wanted = {f"/Resources/{it}/{path}" for it in FUNCTIONS for path in changed}
    assert differences(written, built) == wanted
    for it in FUNCTIONS:
        assert built["Resources"][it]["Properties"]["CodeUri"] == it


def test_lambda_can_run_what_sam_deploys(project: Path) -> None:
    """One executable file by the name that the runtime looks for, for its processor and C library."""
    for it in FUNCTIONS:
        assert [file.name for file in (project / BUILT / it).iterdir()] == ["bootstrap"]
    assert (project / BOOTSTRAP).stat().st_mode & stat.S_IXOTH
    fits = [sys.executable, ROOT / "tools" / "fits.py", project / BOOTSTRAP, ARCHITECTURE]
    assert subprocess.run(fits, check=False).returncode == 0
