"""Whether the forbidden calls say enough: each condition of each statement is taken away in turn, and
one of them must then pass. A statement that denies is taken away whole; without a condition of its own,
some lawful call must be refused.
"""

from __future__ import annotations

from local.permissions import forbidden
from local.permissions.calls import Case
from local.permissions.judge import Request, ask
from local.permissions.policy import NARROW, Statement, statements

# Statement, operator, key.
Condition = tuple[str, str, str]


def conditions() -> list[str]:
    """Conditions without which no forbidden call would pass."""
    tried = [(it, case) for it in every("Allow") for case in forbidden.ALL if concerns(it, case)]
    rest = {it: relaxed(it) for it, _ in tried}
    asked = [(it, case, request) for it, case in tried for request in case.forbidden]
    verdicts = ask((naming(rest[it], request), request) for it, _, request in asked)
    refused = {
        (it, case.name)
        for (it, case, _), verdict in zip(asked, verdicts, strict=True)
        if not verdict.allowed
    }
    missed = {it for it, case in tried if (it, case.name) not in refused}
    return [" ".join(it) + " keeps nothing out" for it in every("Allow") if it not in missed]


def denials() -> list[str]:
    """Deny statements without effect, and conditions in them without effect."""
    whole = {it["Sid"]: without(it["Sid"]) for it in statements(NARROW) if it["Effect"] == "Deny"}
    parts = {it: relaxed(it) for it in every("Deny")}
    forbidding = [
        (sid, n, request, rest)
        for sid, rest in whole.items()
        for n, case in enumerate(forbidden.ALL)
        if concerns((sid, "", ""), case)
        for request in case.forbidden
    ]
    sparing = [
        (it, request, rest)
        for it, rest in parts.items()
        for case in forbidden.ALL
        if concerns(it, case)
        for request in case.lawful
    ]
    verdicts = ask((naming(rest, request), request) for _, _, request, rest in forbidding)
    kept = {
        (sid, n)
        for (sid, n, _, _), verdict in zip(forbidding, verdicts, strict=True)
        if not verdict.allowed
    }
    missed = {sid for sid, n, _, _ in forbidding if (sid, n) not in kept}
    needless = [sid for sid in whole if sid not in missed]
    verdicts = ask((naming(rest, request), request) for _, request, rest in sparing)
    sparse = {
        it for (it, _, _), verdict in zip(sparing, verdicts, strict=True) if not verdict.allowed
    }
    return [
        *(f"{sid} denies what is refused anyway" for sid in needless),
        *(" ".join(it) + " spares nothing" for it in parts if it not in sparse),
    ]


def without(sid: str) -> list[Statement]:
    return [it for it in statements(NARROW) if it["Sid"] != sid]


def every(effect: str) -> list[Condition]:
    return [
        (it["Sid"], operator, key)
        for it in statements(NARROW)
        if it["Effect"] == effect
        for operator, keys in it.get("Condition", {}).items()
        for key in keys
    ]


def concerns(condition: Condition, case: Case) -> bool:
    guarded = {
        action for it in statements(NARROW) if it["Sid"] == condition[0] for action in it["Action"]
    }
    return any(it.action in guarded for it in case.forbidden)


def relaxed(condition: Condition) -> list[Statement]:
    sid, operator, key = condition
    rest = statements(NARROW)
    for it in rest:
        if it["Sid"] == sid:
            del it["Condition"][operator][key]
            it["Condition"] = {name: keys for name, keys in it["Condition"].items() if keys}
    return rest


def naming(policy: list[Statement], request: Request) -> list[Statement]:
    """The statements that can matter: judging gets slower with each of them."""
    return [it for it in policy if request.action in it["Action"]]
