"""The function's policy as it will be on AWS: template.yaml after the SAM transform, with the pseudo
parameters and references filled in.
"""

from __future__ import annotations

import copy
import re
from collections.abc import Iterator
from functools import cache
from typing import Any

from local.deploy import REGION, STACK, translated

ACCOUNT = "123456789012"
QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-Queue-AAAAAAAAAAAA"
LOG_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{STACK}:*"
ROLE = "FunctionRole"
MANAGED = ("LaunchPolicy", "KeyPolicy", "DnsPolicy")
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
ZONE_ARN = "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"

KNOWN = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
    "FunctionLog.Arn": LOG_ARN,
    "HostedZoneArns": [ZONE_ARN],
    "KmsKeyArns": [KEY_ARN],
    "Queue.Arn": QUEUE_ARN,
}
VARIABLE = re.compile(r"\$\{([^}]+)\}")

Statement = dict[str, Any]


@cache
def _resources() -> dict[str, Any]:
    return translated({})["Resources"]


@cache
def _statements() -> list[Statement]:
    found = [it for policy in (*inline(), *managed()) for it in policy["Statement"]]
    return [listed(resolved(it)) for it in found]


def inline() -> list[dict[str, Any]]:
    """The documents that stand in the role itself."""
    return [it["PolicyDocument"] for it in _resources()[ROLE]["Properties"]["Policies"]]


def managed() -> list[dict[str, Any]]:
    """The documents that are attached to it."""
    return [_resources()[name]["Properties"]["PolicyDocument"] for name in MANAGED]


def statements() -> list[Statement]:
    """Every statement of the role, with lists where one value would do."""
    return copy.deepcopy(_statements())


def document(of: list[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": of}


def without(action: str) -> list[Statement]:
    """The role as it would be without that action."""
    rest = [{**it, "Action": [a for a in it["Action"] if a != action]} for it in statements()]
    return [it for it in rest if it["Action"]]


def actions() -> set[str]:
    return {name for it in statements() for name in it["Action"]}


def grants() -> Iterator[tuple[str, str, str]]:
    """Statement, action, resource: the smallest parts of which one could do without."""
    for it in statements():
        for action in it["Action"]:
            for resource in it["Resource"]:
                yield it["Sid"], action, resource


def listed(statement: Statement) -> Statement:
    names = {key: as_list(statement[key]) for key in ("Action", "Resource")}
    return statement | names


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def resolved(value: Any) -> Any:
    """Unknown intrinsics are an error: guessing would judge another policy."""
    if isinstance(value, list):
        return [resolved(it) for it in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Fn::Sub"}:
        return VARIABLE.sub(lambda it: KNOWN[it[1]], value["Fn::Sub"])
    if set(value) == {"Fn::GetAtt"}:
        return KNOWN[".".join(as_list(value["Fn::GetAtt"]))]
    if set(value) == {"Ref"}:
        return KNOWN[value["Ref"]]
    return {key: resolved(it) for key, it in value.items()}
