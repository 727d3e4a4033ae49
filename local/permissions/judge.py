"""Asks IAM's rules about requests: `@cloud-copilot/iam-simulate`, which knows every action's resource
types and condition keys from the Service Authorization Reference. The local AWS has a judge of its
own; two that were written apart are unlikely to share a mistake.

The queues and the secret have policies of their own, which are asked as well, for every caller.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.permissions.policy import (
    ACCOUNT,
    NARROW,
    ROLE_NAME,
    Statement,
    document,
    stack,
)

SCRIPT = Path(__file__).with_name("judge.mjs")


@dataclass(frozen=True)
class Principal:
    """The caller: as the request names it, and as `aws:PrincipalArn` does, which services have none of."""

    name: str
    arn: str = ""

    @property
    def context(self) -> dict[str, list[str]]:
        """https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-keys.html"""
        found = {"aws:PrincipalIsAWSService": ["false" if self.arn else "true"]}
        return found | ({"aws:PrincipalArn": [self.arn]} if self.arn else {})


def role(name: str) -> Principal:
    """A session of it: `aws:PrincipalArn` is the role's ARN, not the session's."""
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{name}/session"
    return Principal(session, f"arn:aws:iam::{ACCOUNT}:role/{name}")


FUNCTION = role(ROLE_NAME)


@dataclass(frozen=True)
class Request:
    """One action on one resource, and what AWS tells the policy about it."""

    action: str
    resource: str
    context: dict[str, list[str]] = field(default_factory=dict, hash=False)
    by: Principal = FUNCTION

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    # Condition keys that this action does not have: the question itself was wrong.
    unknown: list[str]
    error: str = ""


Question = tuple[list[Statement], Request]


def ask(questions: Iterable[Question], scp: dict[str, Any] | None = None) -> list[Verdict]:
    """In the order of the questions. All at once: starting the judge takes longer than judging."""
    policies: list[dict[str, Any]] = []
    # By identity: a policy is asked about many times. Held, so that no identity is used twice.
    known: dict[int, tuple[int, list[Statement]]] = {}
    asked = []
    for policy, request in questions:
        if policy and id(policy) not in known:
            known[id(policy)] = (len(policies), policy)
            policies.append(document(policy))
        asked.append(
            {
                # A service has none, and is let in by the resource's own policy or not at all.
                "policy": known[id(policy)][0] if policy else None,
                "principal": request.by.name,
                "action": request.action,
                "resource": request.resource,
                "context": request.context | request.by.context,
            }
        )
    answer = _run({"policies": policies, "questions": asked, "scp": scp})
    return [Verdict(it["allowed"], it["unknown"], it.get("error", "")) for it in answer]


def resource_policies() -> dict[str, Any]:
    """By service: what belongs to a stack has the policy that it makes."""
    made = stack(NARROW)
    return {
        "secretsmanager": made.resource("SealSecretPolicy")["ResourcePolicy"],
        "sqs": document(
            [
                statement
                for name in ("QueuePolicy", "DeadLetterQueuePolicy")
                for statement in made.resource(name)["PolicyDocument"]["Statement"]
            ]
        ),
    }


def _run(question: dict[str, Any]) -> list[dict[str, Any]]:
    account = {"account": ACCOUNT, "resourcePolicies": resource_policies()}
    done = subprocess.run(
        ["node", str(SCRIPT)],
        input=json.dumps(account | question),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the judge failed (npm ci done?): {done.stderr[-2000:]}")
    return list(json.loads(done.stdout))
