"""What policies allow.

AWS: an action is allowed on a resource if some statement allows it and none denies it; `*` and `?` are
wildcards; a condition on a key that the request does not have is false, except for `IfExists` and
`ForAllValues`
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html).
moto evaluates every action on the resource "*", takes an unmet condition for a denial, and does not
read policies that CloudFormation handed over as objects.
"""

import json
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

Statement = Mapping[str, Any]
Context = Mapping[str, list[str]]

TESTS: dict[str, Callable[[str, str], bool]] = {
    "StringEquals": lambda value, wanted: value == wanted,
    "StringLike": lambda value, wanted: like(value, wanted),
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == wanted.lower(),
    "ArnEquals": lambda value, wanted: like(value, wanted),
    "ArnLike": lambda value, wanted: like(value, wanted),
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
}
NEGATED = {"StringNotEquals": "StringEquals", "StringNotLike": "StringLike"}


def statements(policies: list[Any]) -> list[Statement]:
    """Of policies in any of the forms moto keeps them in."""
    found: list[Statement] = []
    for policy in policies:
        document = _document(policy)
        entries = document["Statement"]
        found += entries if isinstance(entries, list) else [entries]
    return found


def _document(policy: Any) -> Mapping[str, Any]:
    if hasattr(policy, "versions"):
        policy = next(it.document for it in policy.versions if it.is_default)
    if isinstance(policy, Mapping) and "policy_document" in policy:
        policy = policy["policy_document"]
    return json.loads(policy) if isinstance(policy, str) else policy


def allowed(rules: list[Statement], action: str, arn: str, context: Context) -> bool:
    effects = {it["Effect"] for it in rules if _applies(it, action, arn, context)}
    return effects == {"Allow"}


def _applies(rule: Statement, action: str, arn: str, context: Context) -> bool:
    named = _named(rule, "Action", action.lower(), lower=True)
    on_it = _named(rule, "Resource", arn, lower=False)
    return named and on_it and _conditions_hold(rule.get("Condition") or {}, context)


def _named(rule: Statement, element: str, value: str, *, lower: bool) -> bool:
    negated = f"Not{element}" in rule
    patterns = listed(rule[f"Not{element}" if negated else element])
    hit = any(like(value, it.lower() if lower else it) for it in patterns)
    return hit is not negated


def _conditions_hold(conditions: Mapping[str, Mapping[str, Any]], context: Context) -> bool:
    return all(
        _holds(operator, context.get(_key(key)), listed(wanted))
        for operator, keys in conditions.items()
        for key, wanted in keys.items()
    )


def _key(name: str) -> str:
    """Keys are case-insensitive up to the tag's own key."""
    prefix, slash, tag = name.partition("/")
    return prefix.lower() + slash + tag


def _holds(operator: str, values: list[str] | None, wanted: list[str]) -> bool:
    quantifier, _, test = operator.rpartition(":")
    test, if_exists = test.removesuffix("IfExists"), test.endswith("IfExists")
    if test == "Null":
        return (values is None) is (wanted == ["true"])
    if values is None:
        return if_exists or quantifier == "ForAllValues" or test in NEGATED
    compare = TESTS[NEGATED.get(test, test)]
    hits = [any(compare(value, it) for it in wanted) is (test not in NEGATED) for value in values]
    return all(hits) if quantifier == "ForAllValues" else any(hits)


def listed(value: Any) -> list[str]:
    return [str(it) for it in (value if isinstance(value, list) else [value])]


def like(value: str, pattern: str) -> bool:
    """Square brackets are themselves, unlike in fnmatch."""
    return fnmatchcase(value, pattern.replace("[", "[[]"))
