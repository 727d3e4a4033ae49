"""The README's picture is made of what a demo has printed, and of nothing else."""

import subprocess
import sys

import pytest

from local.tests.harness import ROOT

TOLD = ROOT / "docs" / "two-minutes.txt"


def drawn(told: str) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, ROOT / "tools" / "picture.py"]
    return subprocess.run(command, input=told, capture_output=True, text=True, check=False)


def test_the_picture_is_made_of_the_demos_timeline() -> None:
    assert drawn(TOLD.read_text()).stdout == (ROOT / "docs" / "two-minutes.svg").read_text()


@pytest.mark.parametrize("moment", ["traffic comes back", "address moved", "terminated"])
def test_a_timeline_without_a_moment_gives_no_picture(moment: str) -> None:
    lines = [it for it in TOLD.read_text().splitlines() if moment not in it]
    ended = drawn("\n".join(lines))
    assert ended.returncode != 0 and not ended.stdout and "has no line for" in ended.stderr


def test_another_timeline_gives_another_picture() -> None:
    later = TOLD.read_text().replace("  140.5 s", "  150.0 s")
    assert "no service for 150 s" in drawn(later).stdout
