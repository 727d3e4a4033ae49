"""README's table of what is rescued names every scenario, and no other."""

import re
from pathlib import Path

from local.scenarios import ALL

README = Path(__file__).resolve().parents[2] / "README.md"
HEAD = "## What is rescued, and how"


def test_every_scenario_has_its_row() -> None:
    section = README.read_text().split(HEAD, 1)[1].split("\n## ", 1)[0]
    rows = [line.strip().strip("|").split("|") for line in section.splitlines() if "`" in line]
    named = [name for row in rows if len(row) == 3 for name in re.findall(r"`([^`]+)`", row[2])]
    assert sorted(named) == sorted(ALL)
