"""The function's policy as it will be on AWS: template.yaml after the SAM transform, with parameters,
conditions and references filled in (`intrinsics`).

Two stacks are looked at: one that leaves open what may be left open, and one that names everything.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from functools import cache
from typing import Any

from local.deploy import ACCOUNT, ASKED_FOR, REGION, STACK, translated
from local.permissions.intrinsics import Stack, as_list

QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-events"
BACKUPS_QUEUE_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-BackupQueue-AAAAAAAAAAAA"
DEAD_LETTERS_ARN = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{STACK}-DeadLetterQueue-AAAAAAAAAAAA"
LOG_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{STACK}:*"
BACKUPS_LOG_ARN = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/{STACK}-backups:*"
SECRET_ARN = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:SealSecret-AAAAAAAAAAAA-AAAAAA"
ROLE = "FunctionRole"
ROLE_NAME = f"{STACK}-{ROLE}-AAAAAAAAAAAA"
BACKUP_ROLE = "BackupRole"
BACKUP_ROLE_NAME = f"{STACK}-{BACKUP_ROLE}-AAAAAAAAAAAA"
SCHEDULER_NAME = f"{STACK}-SweepSchedulerRole-AAAAAAAAAAAA"
KEY_ARN = f"arn:aws:kms:{REGION}:{ACCOUNT}:key/01234567-89ab-cdef-0123-456789abcdef"
ZONE_ARN = "arn:aws:route53:::hostedzone/Z0123456789ABCDEFGHIJ"
OPERATOR = f"arn:aws:iam::{ACCOUNT}:role/operator"
INSTANCE_TYPE = "m6i.large"
SUBNET = "subnet-0123456789abcdef0"
BALANCING = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}"
TARGET_GROUP = f"{BALANCING}:targetgroup/web/0123456789abcdef"
LOAD_BALANCER = f"{BALANCING}:loadbalancer/web"
LATTICE_GROUP = f"arn:aws:vpc-lattice:{REGION}:{ACCOUNT}:targetgroup/tg-0123456789abcdef0"

MADE = {
    "AWS::AccountId": ACCOUNT,
    "AWS::Partition": "aws",
    "AWS::Region": REGION,
    "AWS::StackName": STACK,
    "AWS::URLSuffix": "amazonaws.com",
    "BackupLog.Arn": BACKUPS_LOG_ARN,
    "BackupQueue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/backups",
    "BackupQueue.Arn": BACKUPS_QUEUE_ARN,
    "BackupRole": BACKUP_ROLE_NAME,
    "BackupRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/{BACKUP_ROLE_NAME}",
    "DeadLetterQueue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/dead-letters",
    "DeadLetterQueue.Arn": DEAD_LETTERS_ARN,
    "FunctionLog.Arn": LOG_ARN,
    "FunctionRole": ROLE_NAME,
    "FunctionRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/{ROLE_NAME}",
    "Queue": f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/events",
    "Queue.Arn": QUEUE_ARN,
    "SealSecret": SECRET_ARN,
    "SweepSchedulerRole.Arn": f"arn:aws:iam::{ACCOUNT}:role/{SCHEDULER_NAME}",
    **{
        f"{name}.Arn": f"arn:aws:events:{REGION}:{ACCOUNT}:rule/{STACK}-{name}-AAAAAAAAAAAA"
        for name in (
            "InterruptionRule",
            "RebalanceRule",
            "HealthRule",
            "StateChangeRule",
            "SnapshotRule",
            "GroupLaunchRule",
        )
    },
}

# What the recorded stories were deployed with: nothing that may be left open is named.
OPEN = ASKED_FOR | {"HostedZoneArns": ZONE_ARN, "KmsKeyArns": KEY_ARN}
# Everything is named. The words of `calls` keep to it.
NARROW = OPEN | {
    "AllowedInstanceTypes": f"{INSTANCE_TYPE},c6i.*",
    "AllowedSubnets": SUBNET,
    "OperatorArns": OPERATOR,
    "TargetGroupArns": f"{TARGET_GROUP},{LOAD_BALANCER},{LATTICE_GROUP}",
}

Parameters = dict[str, str]
Statement = dict[str, Any]


@cache
def _stack(given: frozenset[tuple[str, str]]) -> Stack:
    return Stack(translated(dict(given)), dict(given), MADE)


def stack(parameters: Parameters = OPEN) -> Stack:
    return _stack(frozenset(parameters.items()))


@cache
def _statements(given: frozenset[tuple[str, str]]) -> list[Statement]:
    found = (*inline(dict(given)), *managed(dict(given)))
    return [listed(it) for policy in found for it in policy["Statement"]]


def inline(parameters: Parameters = OPEN, role: str = ROLE) -> list[dict[str, Any]]:
    """The documents that stand in the role itself."""
    found: list[dict[str, Any]] = stack(parameters).resource(role)["Policies"]
    return [it["PolicyDocument"] for it in found]


def managed(parameters: Parameters = OPEN) -> list[dict[str, Any]]:
    """The documents that are attached to it."""
    found = stack(parameters).of_type("AWS::IAM::ManagedPolicy")
    return [it["PolicyDocument"] for it in found if ROLE_NAME in it["Roles"]]


def statements(parameters: Parameters = OPEN) -> list[Statement]:
    """Every statement of the role, with lists where one value would do."""
    return copy.deepcopy(_statements(frozenset(parameters.items())))


def of_backups() -> list[Statement]:
    """Every statement of the role of the function that keeps backups."""
    found = inline(role=BACKUP_ROLE)
    return [listed(it) for policy in found for it in policy["Statement"]]


def document(of: list[Statement]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": of}


def without(action: str) -> list[Statement]:
    """The role as it would be without that action."""
    rest = [{**it, "Action": [a for a in it["Action"] if a != action]} for it in statements()]
    return [it for it in rest if it["Action"]]


def actions() -> set[str]:
    return {name for it in statements() for name in it["Action"]}


def grants() -> Iterator[tuple[str, str, str]]:
    """Statement, action, resource: the smallest parts that could be left out. Of denials nothing is missed."""
    for it in (it for it in statements() if it["Effect"] == "Allow"):
        for action in it["Action"]:
            for resource in it["Resource"]:
                yield it["Sid"], action, resource


def listed(statement: Statement) -> Statement:
    names = {key: as_list(statement[key]) for key in ("Action", "Resource")}
    return statement | names
