"""What a story's calls needed permission for, in a file: `--record DIRECTORY` of `local.demo`.

Each request is one question to IAM: an action on one resource, with the condition keys that AWS would
fill in. `local.permissions` puts all of them before the policy of `template.yaml` again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local.permissions.policy import QUEUE_ARN, SECRET_ARN, ZONE_ARN
from local.stage import Stage

# The local AWS compares keys in lower case; here they are written as AWS documents them.
SPELLING = {
    it.lower(): it
    for it in (
        "aws:RequestTag",
        "aws:ResourceTag",
        "aws:TagKeys",
        "ec2:CreateAction",
        "ec2:ResourceTag",
        "iam:PassedToService",
        "route53:ChangeResourceRecordSetsActions",
        "route53:ChangeResourceRecordSetsNormalizedRecordNames",
        "route53:ChangeResourceRecordSetsRecordTypes",
    )
}

Asked = dict[str, Any]


def write(directory: Path, scenario: str, stage: Stage) -> None:
    directory.mkdir(parents=True, exist_ok=True)
    found = {"scenario": scenario, "requests": requests(stage)}
    (directory / f"{scenario}.json").write_text(json.dumps(found, indent=1) + "\n")


def read(directory: Path) -> dict[str, list[Asked]]:
    """By scenario."""
    found = [json.loads(it.read_text()) for it in sorted(directory.glob("*.json"))]
    return {it["scenario"]: it["requests"] for it in found}


def requests(stage: Stage) -> list[Asked]:
    """Of all calls with the function's credentials, each once."""
    queue = stage.deployment.queue_url.rsplit("/", 1)[-1]
    found: dict[str, Asked] = {}
    for entry in stage.journal():
        for need in entry["needs"]:
            it = request(entry["action"], need, queue)
            found.setdefault(json.dumps(it, sort_keys=True), it)
    return list(found.values())


def request(call: str, need: dict[str, Any], queue: str) -> Asked:
    context = {spelled(key): values for key, values in need["context"].items()}
    # The stack's queue has another name in every run.
    resource = QUEUE_ARN if need["arn"].endswith(f":{queue}") else need["arn"]
    # So have its secret, and a hosted zone that its parameter names.
    resource = SECRET_ARN if ":secret:" in resource else resource
    resource = ZONE_ARN if ":hostedzone/" in resource else resource
    return {"call": call, "action": need["action"], "resource": resource, "context": context}


def spelled(key: str) -> str:
    name, slash, tag = key.partition("/")
    return SPELLING.get(name, name) + slash + tag
