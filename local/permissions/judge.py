"""Asks IAM's rules about requests: `@cloud-copilot/iam-simulate`, which knows every action's resource
types and condition keys from the Service Authorization Reference. The local AWS has a judge of its
own; two that were written apart are unlikely to share a mistake.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from local.permissions.policy import ACCOUNT, Statement, document

SCRIPT = Path(__file__).with_name("judge.mjs")
PRINCIPAL = f"arn:aws:sts::{ACCOUNT}:assumed-role/spot-rescue/function"


@dataclass(frozen=True)
class Request:
    """One action on one resource, and what AWS tells the policy about it."""

    action: str
    resource: str
    context: dict[str, list[str]] = field(default_factory=dict, hash=False)

    def __str__(self) -> str:
        return f"{self.action} on {self.resource}"


@dataclass(frozen=True)
class Verdict:
    allowed: bool
    # Condition keys that this action does not have: the question itself was wrong.
    unknown: list[str]
    error: str = ""


Question = tuple[list[Statement], Request]


def ask(questions: Iterable[Question]) -> list[Verdict]:
    """In the order of the questions. All at once: starting the judge takes longer than judging."""
    policies: list[dict[str, Any]] = []
    # By identity: a policy is asked about many times. Held, so that no identity is used twice.
    known: dict[int, tuple[int, list[Statement]]] = {}
    asked = []
    for policy, request in questions:
        if id(policy) not in known:
            known[id(policy)] = (len(policies), policy)
            policies.append(document(policy))
        asked.append(
            {
                "policy": known[id(policy)][0],
                "action": request.action,
                "resource": request.resource,
                "context": request.context,
            }
        )
    answer = _run({"policies": policies, "questions": asked})
    return [Verdict(it["allowed"], it["unknown"], it.get("error", "")) for it in answer]


def _run(question: dict[str, Any]) -> list[dict[str, Any]]:
    whose = {"account": ACCOUNT, "principal": PRINCIPAL}
    done = subprocess.run(
        ["node", str(SCRIPT)],
        input=json.dumps(whose | question),
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise RuntimeError(f"the judge failed (npm ci done?): {done.stderr[-2000:]}")
    return list(json.loads(done.stdout))
