"""The build for arm64: what is asked for, what is made of it, and that each reason not to build is told.

Compiler, qemu, apt and cargo are stand-ins here; `make arm64` has the real ones.
"""

import os
import subprocess
from pathlib import Path

import pytest

from local.tests.harness import ROOT

SKIPPED = "SKIPPED: the function was NOT built for arm64: "
# Debian's, as far as the script asks. What is unpacked of the packages are stand-ins, too.
MACHINE = {
    "uname": "echo x86_64",
    "apt-get": """case "$*" in
        *indextargets*) printf '%s\\n' http://mirror/debian-security/ http://mirror/debian/ ;;
        *download*) for it in "$@"; do case $it in *:*) : >"${it%%:*}.deb" ;; esac; done ;;
        esac""",
    "apt-cache": """case "$*" in
        *"show rustc"*) echo "Version: 1.97.1" ;;
        *"show libstd"*) echo "Depends: libstd-rust-1.97" ;;
        *depends*) printf '%s\\n' "libstd-rust-1.97:amd64" "  Depends: libc6" "libc6:amd64" ;;
        esac""",
    "dpkg": """libraries=$3/usr/lib/x86_64-linux-gnu
        mkdir -p "$3/usr/bin" "$libraries"
        cp "$0-qemu" "$3/usr/bin/qemu-aarch64"
        cp "$0-rustc" "$libraries/ld-linux-x86-64.so.2"
        : >"$3/usr/lib/libfaketime.so.1\"""",
    "dpkg-qemu": 'echo "qemu $*"',
    "dpkg-rustc": 'echo "rustc 1.97.1"',
    "cargo": 'echo "cargo $*"; echo "for $CARGO_TARGET_DIR by $RUSTC"',
}


def machine(folder: Path, changes: dict[str, str]) -> dict[str, str]:
    """The environment in which these commands hide the real ones."""
    commands = folder / "commands"
    commands.mkdir(exist_ok=True)
    for name, body in (MACHINE | changes).items():
        (commands / name).write_text(f"#!/bin/sh\n{body}\n")
        (commands / name).chmod(0o755)
    return os.environ | {"PATH": f"{commands}:{os.environ['PATH']}", "MAKEFLAGS": ""}


def run(environment: dict[str, str], *command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )


def arm64(folder: Path, changes: dict[str, str], *flags: str) -> subprocess.CompletedProcess[str]:
    return run(machine(folder, changes), "tools/arm64", str(folder / "built"), *flags)


def failing(command: str, pattern: str) -> dict[str, str]:
    return {command: f'case "$*" in {pattern}) exit 1 ;; esac\n{MACHINE[command]}'}


REASONS = [
    ({"uname": "echo aarch64"}, "this is aarch64, where it cannot be done"),
    ({"apt-get": "echo http://mirror/ubuntu/"}, "apt has no source of Debian's packages"),
    (failing("apt-get", "*update*"), "the list of Debian's unstable suite cannot be had"),
    ({"apt-cache": ":"}, "Debian's unstable suite has no rustc"),
    (
        failing("apt-get", "*download*libstd-rust-dev:arm64=1.97.1*"),
        "Debian's unstable suite does not have rustc 1.97.1 for both architectures today",
    ),
    (failing("dpkg", "*debs/rustc.deb*"), "Debian's unstable suite does not have rustc 1.97.1"),
    (failing("apt-get", "*download*libc6:arm64*"), "there is no C library for arm64"),
    ({"dpkg-rustc": 'echo "rustc 1.94.0"'}, "Debian's rustc is 1.94.0; at least 1.94.1 is needed"),
]


@pytest.mark.parametrize(("changes", "reason"), REASONS)
def test_where_it_cannot_be_built_the_reason_is_told(
    changes: dict[str, str], reason: str, tmp_path: Path
) -> None:
    """By a status of its own, and nothing is left to be run."""
    (tmp_path / "built").mkdir()
    (tmp_path / "built" / "bootstrap").touch()
    answer = arm64(tmp_path, changes)
    assert answer.returncode == 75
    assert answer.stderr.splitlines()[-1].startswith(SKIPPED + reason)
    assert "cargo" not in answer.stdout
    assert not (tmp_path / "built" / "bootstrap").exists()


def test_it_is_built_by_debians_compiler_and_run_by_its_qemu(tmp_path: Path) -> None:
    """rustup is not asked for the target; time is told by a library for the emulated processor."""
    built = tmp_path / "built"
    answer = arm64(tmp_path, {}, "--release")
    assert answer.returncode == 0, answer.stderr
    cargo, where = answer.stdout.splitlines()
    assert cargo == (
        "cargo lambda build --arm64 --skip-target-check --locked --bin bootstrap --release"
    )
    assert where == f"for {built}/target by {built}/toolchain/rustc"
    sources = (built / "toolchain" / "apt" / "sources.list").read_text()
    assert sources.endswith(" http://mirror/debian/ sid main\n")
    ran = run(dict(os.environ), str(built / "bootstrap"), "an argument")
    library = f"{built}/toolchain/arm64"
    assert ran.stdout.strip() == (
        f"qemu -L {library} -E LD_PRELOAD={library}/usr/lib/libfaketime.so.1 "
        f"{built}/target/lambda/bootstrap/bootstrap an argument"
    )


def test_what_has_been_unpacked_is_not_fetched_again(tmp_path: Path) -> None:
    """Without a network, too."""
    assert arm64(tmp_path, {}).returncode == 0
    again = arm64(tmp_path, {"apt-get": "exit 1"})
    assert again.returncode == 0 and (tmp_path / "built" / "bootstrap").exists()


def test_what_does_not_compile_is_a_failure(tmp_path: Path) -> None:
    """No reason to skip."""
    answer = arm64(tmp_path, {"cargo": "exit 101"})
    assert answer.returncode == 101 and "SKIPPED" not in answer.stderr
    assert not (tmp_path / "built" / "bootstrap").exists()


@pytest.mark.parametrize(
    ("changes", "passes", "skipped"),
    [({"uname": "echo aarch64"}, True, True), ({"cargo": "exit 101"}, False, False)],
)
def test_make_goes_on_only_where_it_cannot_be_built(
    changes: dict[str, str], passes: bool, skipped: bool, tmp_path: Path
) -> None:
    """A build that fails, fails `make arm64`."""
    environment = machine(tmp_path, changes) | {"CARGO_TARGET_DIR": str(tmp_path)}
    answer = run(environment, "make", "arm64")
    assert (answer.returncode == 0) == passes
    assert (SKIPPED in answer.stderr) == skipped
