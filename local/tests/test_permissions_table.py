"""docs/PERMISSIONS.md says what the template says, and why."""

from local.permissions import accepted, table


def test_the_table_is_the_templates() -> None:
    """On a mismatch: `python -m local.permissions.table` prints the table as it should be."""
    assert table.written() == table.table(table.reasons())


def test_every_statement_has_a_reason() -> None:
    assert [it for it, reason in table.reasons().items() if len(reason) < 20] == []


def test_what_is_accepted_is_told() -> None:
    text = table.DOCUMENT.read_text()
    assert [it.what for it in accepted.ALL if it.what not in text] == []
