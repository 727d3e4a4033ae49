"""Every planted bug still has its place: an edit that no longer applies would prove nothing."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

ROOT = Path(__file__).resolve().parents[2]


def planted() -> ModuleType:
    """The list is beside its runner, which needs nothing but Python."""
    path = ROOT / "tests" / "mutants" / "mutants.py"
    spec = importlib.util.spec_from_file_location("mutants", path)
    assert spec and spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["mutants"] = module
    spec.loader.exec_module(module)
    return module


def test_every_bug_applies_exactly_once_and_changes_something() -> None:
    wrong = []
    for it in planted().MUTANTS:
        path = ROOT / it.file
        found = path.read_text().count(it.before) if path.exists() else 0
        if found != 1 or it.before == it.after:
            wrong.append(f"{it.bug}: {found} places in {it.file}")
    assert not wrong, "\n".join(wrong)


def test_no_two_bugs_have_one_name() -> None:
    names = [it.bug for it in planted().MUTANTS]
    assert len(names) == len(set(names))
