"""The table in docs/PERMISSIONS.md: its reasons are written by people, the rest is the template's.

`python -m local.permissions.table` prints the table as it should be, with the reasons it has.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

from local.permissions.intrinsics import as_list
from local.permissions.policy import OPEN, Statement, of_backups, statements

DOCUMENT = Path(__file__).resolve().parents[2] / "docs" / "PERMISSIONS.md"
HEAD = "| statement | actions | why | on | if |"
RULE = "|---|---|---|---|---|"
ANYWHERE = "everything: AWS knows no resources here"
SCOPES = {
    "targetgroup": "target group",
    "loadbalancer": "load balancer",
    "log-group": "the function's log",
    "secretsmanager": "the secret",
    "sqs": "the queue",
}
# Where a value is the user's, the parameter's name stands for it.
NAMED = OPEN | {it: it for it in ("AllowedInstanceTypes", "AllowedSubnets")}
ROW = re.compile(r"^\| (\w+) \| ([^|]+) \| ([^|]*) \| ([^|]+) \| ([^|]*) \|$")


def table(reasons: dict[str, str], of: list[Statement] | None = None) -> list[str]:
    of = statements(NAMED) if of is None else of
    return [HEAD, RULE, *(row(it, reasons.get(it["Sid"], "")) for it in of)]


def row(statement: Statement, reason: str) -> str:
    actions = ", ".join(f"`{it}`" for it in statement["Action"])
    actions = actions if statement["Effect"] == "Allow" else f"never {actions}"
    on = ", ".join(dict.fromkeys(scope(it) for it in statement["Resource"]))
    return f"| {statement['Sid']} | {actions} | {reason} | {on} | {conditions(statement)} |"


def scope(resource: str) -> str:
    if resource == "*":
        return ANYWHERE
    service, rest = resource.split(":")[2], resource.split(":", 5)[5]
    kind = re.split("[/:]", rest)[0]
    return SCOPES.get(service) or SCOPES.get(kind) or kind


def conditions(statement: Statement) -> str:
    found = [
        condition(operator, key, as_list(value))
        for operator, keys in statement.get("Condition", {}).items()
        for key, value in keys.items()
    ]
    return " and ".join(it for it in found if it)


def condition(operator: str, key: str, values: list[Any]) -> str:
    told = " or ".join(f"`{it}`" for it in values)
    if operator == "Null":
        return f"`{key}` is there" if values == ["false"] else f"`{key}` is not there"
    if operator.startswith("ForAllValues:"):
        return f"every one of `{key}` is {told}"
    if values == ["*"]:
        return f"has `{key}`"
    return f"`{key}` is {'not ' if 'Not' in operator else ''}{told}"


def written(number: int = 0) -> list[str]:
    """A table as the document has it: of the role that rescues, then of the one that keeps backups."""
    lines = DOCUMENT.read_text().splitlines()
    begin = [n for n, it in enumerate(lines) if it == HEAD][number]
    rest = lines[begin:]
    return rest[: next((n for n, it in enumerate(rest) if not it.startswith("|")), len(rest))]


def reasons(number: int = 0) -> dict[str, str]:
    rows = (ROW.match(it) for it in written(number)[2:])
    return {it[1]: it[3].strip() for it in rows if it}


if __name__ == "__main__":
    print("\n".join([*table(reasons()), "", *table(reasons(1), of_backups())]))
