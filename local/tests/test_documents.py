"""What the documents point at is there: files, headings, tests; and the README stays short."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from local.tests.harness import ROOT

DOCUMENTS = [*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")]
LINK = re.compile(r"\]\(([^)\s]+)\)")
TEST = re.compile(r"`((?:tests|src|aws|function|local)/[\w/]+\.(?:rs|py))::(\w+)`")
SOURCE = re.compile(r"`([a-z_]+/[\w/]+\.rs)`")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)
# Ten minutes, with a pager in hand.
MOST_LINES = 150


def anchor(heading: str) -> str:
    """As GitHub makes it."""
    words = re.sub(r"[^\w\- ]", "", heading.lower())
    return words.replace(" ", "-")


def leads_nowhere(document: Path, target: str) -> bool:
    path, _, wanted = target.partition("#")
    found = (document.parent / path).resolve() if path else document
    if not found.exists():
        return True
    return bool(wanted) and wanted not in {anchor(it) for it in HEADING.findall(found.read_text())}


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda it: str(it.relative_to(ROOT)))
def test_links_lead_somewhere(document: Path) -> None:
    links = [it for it in LINK.findall(document.read_text()) if not it.startswith("https://")]
    assert [it for it in links if leads_nowhere(document, it)] == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda it: str(it.relative_to(ROOT)))
def test_tests_that_are_named_exist(document: Path) -> None:
    named = TEST.findall(document.read_text())
    sources = {file: (ROOT / file).read_text() for file, _ in named if (ROOT / file).exists()}
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not re.search(rf"(fn|def) {name}\(", sources.get(file, ""))
    ]
    assert missing == []


@pytest.mark.parametrize("document", DOCUMENTS, ids=lambda it: str(it.relative_to(ROOT)))
def test_sources_that_are_named_exist(document: Path) -> None:
    """Those of the core also without `src/`."""
    named = SOURCE.findall(document.read_text()) if document.name != "CHANGELOG.md" else []
    places = [ROOT, ROOT / "src"]
    assert [it for it in named if not any((place / it).exists() for place in places)] == []


def test_what_must_never_be_has_a_test() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text()
    section = text.split("## What must never be\n", 1)[1].split("\n## ", 1)[0]
    rows = [it for it in section.splitlines() if it.startswith("| ")][1:]
    assert len(rows) > 10 and [it for it in rows if not TEST.search(it)] == []


def test_the_readme_leads_to_every_document() -> None:
    readme = (ROOT / "README.md").read_text()
    guides = [it for it in (ROOT / "docs").glob("*.md")]
    assert [it.name for it in guides if f"(docs/{it.name})" not in readme] == []


def test_the_readme_is_short() -> None:
    assert len((ROOT / "README.md").read_text().splitlines()) <= MOST_LINES


@pytest.mark.parametrize(
    ("target", "nowhere"),
    [("LIMITS.md", False), ("LIMITS.md#data", False), ("LIMITS.md#date", True), ("LIMIT.md", True)],
)
def test_a_link_that_leads_nowhere_is_noticed(target: str, nowhere: bool) -> None:
    assert leads_nowhere(ROOT / "docs" / "POLICY.md", target) == nowhere
