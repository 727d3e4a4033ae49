"""docs/SCENARIOS.md names every scenario, and no other."""

import re

from local import scenarios
from local.scenarios import ALL
from local.tests.harness import ROOT

DOCUMENT = ROOT / "docs" / "SCENARIOS.md"


def test_every_scenario_has_its_row() -> None:
    lines = [line for line in DOCUMENT.read_text().splitlines() if line.startswith("|")]
    rows = [line.strip("|").split("|") for line in lines]
    named = [name for row in rows if len(row) == 3 for name in re.findall(r"`([^`]+)`", row[2])]
    assert sorted(named) == sorted(ALL)


def test_every_file_with_scenarios_is_played() -> None:
    folder = ROOT / "local" / "scenarios"
    files = {it.stem for it in folder.glob("*.py") if "\nSCENARIOS" in it.read_text()}
    listed = {it.__name__.rpartition(".")[2] for it in scenarios.MODULES}
    assert files == listed
