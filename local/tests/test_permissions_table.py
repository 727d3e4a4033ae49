"""docs/PERMISSIONS.md says what the template says, and why."""

import json

from local.permissions import accepted, policy, table


def test_the_table_is_the_templates() -> None:
    """On a mismatch: `python -m local.permissions.table` prints the table as it should be."""
    assert table.written() == table.table(table.reasons())
    assert table.written(1) == table.table(table.reasons(1), policy.of_backups())


def test_every_statement_has_a_reason() -> None:
    for number in (0, 1):
        assert [it for it, reason in table.reasons(number).items() if len(reason) < 20] == []


def test_what_is_accepted_is_told() -> None:
    text = table.DOCUMENT.read_text()
    assert [it.what for it in accepted.ALL if it.what not in text] == []


def test_no_policy_is_too_large() -> None:
    """The quotas of IAM, which does not count white space; half a managed policy is left for keys.

    https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_iam-quotas.html
    """
    size = lambda it: len(json.dumps(it, separators=(",", ":")))
    assert sum(size(it) for it in policy.inline(policy.NARROW)) <= 10240
    assert [size(it) for it in policy.managed(policy.NARROW) if size(it) > 6144] == []
