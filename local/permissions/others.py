"""What only the function may do, whatever a caller's own policies allow: what belongs
to the stack has policies of its own. Each call differs from an allowed one by its
caller.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from local.permissions.judge import FUNCTION, Principal, Request, Verdict, ask, role
from local.permissions.policy import (
    DEAD_LETTERS_ARN,
    MADE,
    QUEUE_ARN,
    SCHEDULER_NAME,
    SECRET_ARN,
    Statement,
)

# An administrator's rights, which an attacker rarely has: what is refused, these policies refuse.
EVERYTHING: list[Statement] = [{"Effect": "Allow", "Action": ["*"], "Resource": ["*"]}]
# Services are let in by the resource's policy, or not at all.
NOTHING: list[Statement] = []

DEVELOPER = role("developer")
SCHEDULER = role(SCHEDULER_NAME)
OPERATOR = role("operator")
EVENTS = Principal("events.amazonaws.com")
SNS = Principal("sns.amazonaws.com")
RULE = MADE["InterruptionRule.Arn"]
OTHER_RULE = RULE.replace("spot-rescue-InterruptionRule", "mine")
QUEUES = {"the queue": QUEUE_ARN, "the dead letters": DEAD_LETTERS_ARN}
MESSAGES = (
    "CancelMessageMoveTask",
    "ChangeMessageVisibility",
    "DeleteMessage",
    "PurgeQueue",
    "ReceiveMessage",
    "SendMessage",
    "StartMessageMoveTask",
)
VALUES = (
    "GetSecretValue",
    "PutSecretValue",
    "ReplicateSecretToRegions",
    "RotateSecret",
    "UpdateSecret",
    "UpdateSecretVersionStage",
)
# What CloudFormation does in the name of the user who deletes the stack.
CLOSING = {
    SECRET_ARN: ("secretsmanager:DeleteSecret", "secretsmanager:DeleteResourcePolicy"),
    QUEUE_ARN: ("sqs:DeleteQueue", "sqs:SetQueueAttributes"),
    DEAD_LETTERS_ARN: ("sqs:DeleteQueue", "sqs:SetQueueAttributes"),
}


@dataclass(frozen=True)
class Case:
    name: str
    forbidden: Request
    lawful: Request


def by(caller: Principal, action: str, resource: str) -> Request:
    return Request(action, resource, by=caller)


def sent(queue: str, caller: Principal, source: str) -> Request:
    """By a service, on behalf of one of the account's resources."""
    return Request("sqs:SendMessage", queue, {"aws:SourceArn": [source]}, caller)


def cases() -> Iterator[Case]:
    for name, queue in QUEUES.items():
        for action in MESSAGES:
            call = f"sqs:{action}"
            for caller in (DEVELOPER, role("spot-rescue-developer")):
                made = by(caller, call, queue), by(OPERATOR, call, queue)
                yield Case(f"{action} of {name} by {caller.arn}", *made)
        ours = sent(queue, EVENTS, RULE)
        yield Case(f"an event of another rule to {name}", sent(queue, EVENTS, OTHER_RULE), ours)
        yield Case(f"a notification to {name}", sent(queue, SNS, RULE), ours)
        # With the very ARN that lets a rule in: a caller cannot say it, and it would not help.
        yield Case(f"a forged source to {name}", sent(queue, DEVELOPER, RULE), ours)
    for action in VALUES:
        call = f"secretsmanager:{action}"
        for caller in (DEVELOPER, OPERATOR, SCHEDULER):
            made = by(caller, call, SECRET_ARN), by(FUNCTION, call, SECRET_ARN)
            yield Case(f"{action} by {caller.arn}", *made)


ALL = list(cases())
LAWFUL = [
    by(SCHEDULER, "sqs:SendMessage", QUEUE_ARN),
    *(by(DEVELOPER, action, resource) for resource, all_ in CLOSING.items() for action in all_),
]


def refused() -> list[str]:
    asked = [it for case in ALL for it in (case.forbidden, case.lawful)] + LAWFUL
    verdicts = ask((NOTHING if not it.by.arn else EVERYTHING, it) for it in asked)
    answers = dict(zip(asked, verdicts, strict=True))
    return [
        *(f"allowed, but must not be: {it.name}" for it in ALL if answers[it.forbidden].allowed),
        *(f"refused, but lawful: {it.lawful}" for it in ALL if not answers[it.lawful].allowed),
        *(f"refused, but lawful: {it} by {it.by.arn}" for it in LAWFUL if not answers[it].allowed),
        *mistakes(answers),
    ]


def mistakes(answers: dict[Request, Verdict]) -> Iterator[str]:
    for request, it in answers.items():
        if it.error or it.unknown:
            yield f"{request}: {it.error or it.unknown}"
