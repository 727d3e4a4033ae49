"""Every planted bug still has its place: an edit that no longer applies would prove nothing."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
# The list and its runner need nothing but Python; they are no part of the local AWS.
sys.path.append(str(ROOT / "tests" / "mutants"))

from mutants import MUTANTS
from switch import switched


def test_every_bug_applies_exactly_once_and_changes_something() -> None:
    wrong = []
    for it in MUTANTS:
        path = ROOT / it.file
        found = path.read_text().count(it.before) if path.exists() else 0
        if found != 1 or it.before == it.after:
            wrong.append(f"{it.bug}: {found} places in {it.file}")
    assert not wrong, "\n".join(wrong)


def test_every_bug_can_be_put_behind_a_switch() -> None:
    for number, it in enumerate(MUTANTS):
        text, done = switched((ROOT / it.file).read_text(), [(number, it)])
        assert done == [number], it.bug
        assert f"crate::planted::is({number})" in text


def test_no_two_bugs_have_one_name() -> None:
    names = [it.bug for it in MUTANTS]
    assert len(names) == len(set(names))
