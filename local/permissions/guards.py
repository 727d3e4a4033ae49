"""Whether the forbidden calls say enough: each condition of each statement is taken away in turn, and
one of them must then pass.
"""

from __future__ import annotations

import copy

from local.permissions import forbidden
from local.permissions.calls import Case
from local.permissions.judge import Request, ask
from local.permissions.policy import Statement, statements

# Statement, operator, key.
Condition = tuple[str, str, str]


def conditions() -> list[str]:
    """Conditions that nobody would miss."""
    tried = [(it, case) for it in every() for case in forbidden.ALL if concerns(it, case)]
    rest = {it: relaxed(it) for it, _ in tried}
    asked = [(it, case, request) for it, case in tried for request in case.forbidden]
    verdicts = ask((naming(rest[it], request), request) for it, _, request in asked)
    refused = {
        (it, case.name)
        for (it, case, _), verdict in zip(asked, verdicts, strict=True)
        if not verdict.allowed
    }
    missed = {it for it, case in tried if (it, case.name) not in refused}
    return [" ".join(it) + " keeps nothing out" for it in every() if it not in missed]


def every() -> list[Condition]:
    return [
        (it["Sid"], operator, key)
        for it in statements()
        for operator, keys in it.get("Condition", {}).items()
        for key in keys
    ]


def concerns(condition: Condition, case: Case) -> bool:
    guarded = {
        action for it in statements() if it["Sid"] == condition[0] for action in it["Action"]
    }
    return any(it.action in guarded for it in case.forbidden)


def relaxed(condition: Condition) -> list[Statement]:
    sid, operator, key = condition
    rest = copy.deepcopy(statements())
    for it in rest:
        if it["Sid"] == sid:
            del it["Condition"][operator][key]
            it["Condition"] = {name: keys for name, keys in it["Condition"].items() if keys}
    return rest


def naming(policy: list[Statement], request: Request) -> list[Statement]:
    """The statements that can matter: judging is the slower the more there are."""
    return [it for it in policy if request.action in it["Action"]]
