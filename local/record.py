"""What a story's calls needed permission for, in a file: `--record DIRECTORY` of `local.demo`.

Each request is one question to IAM: an action on one resource, with the condition keys that AWS would
fill in. `local.permissions` puts all of them before the policy of `template.yaml` again.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from local.deploy import Deployment
from local.permissions.policy import BACKUPS_QUEUE_ARN, QUEUE_ARN, SECRET_ARN, ZONE_ARN
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
    found = {
        "scenario": scenario,
        "requests": requests(stage, stage.deployment, QUEUE_ARN),
        "backups": requests(stage, stage.backups, BACKUPS_QUEUE_ARN),
    }
    (directory / f"{scenario}.json").write_text(json.dumps(found, indent=1) + "\n")


def read(directory: Path, of: str = "requests") -> dict[str, list[Asked]]:
    """By scenario: the requests of the function that rescues, or of the one that keeps `backups`."""
    found = [json.loads(it.read_text()) for it in sorted(directory.glob("*.json"))]
    return {it["scenario"]: it[of] for it in found}


def requests(stage: Stage, deployment: Deployment, queue_arn: str) -> list[Asked]:
    """Of all calls with the credentials of a function, each once."""
    queue = deployment.queue_url.rsplit("/", 1)[-1]
    found: dict[str, Asked] = {}
    for entry in stage.calls_of(deployment):
        for need in entry["needs"]:
            it = request(entry["action"], need, queue, queue_arn)
            found.setdefault(json.dumps(it, sort_keys=True), it)
    return list(found.values())


def request(call: str, need: dict[str, Any], queue: str, queue_arn: str) -> Asked:
    context = {spelled(key): values for key, values in need["context"].items()}
    # The stack's queue has another name in every run.
    resource = queue_arn if need["arn"].endswith(f":{queue}") else need["arn"]
    # So have its secret, and a hosted zone that its parameter names.
    resource = SECRET_ARN if ":secret:" in resource else resource
    resource = ZONE_ARN if ":hostedzone/" in resource else resource
    return {"call": call, "action": need["action"], "resource": resource, "context": context}


def spelled(key: str) -> str:
    name, slash, tag = key.partition("/")
    return SPELLING.get(name, name) + slash + tag
