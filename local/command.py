"""The command line, called as a person would: with a user's own rights, by AWS's clock."""

from __future__ import annotations

import json
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from local.deploy import REGION, Credentials
from local.function import TARGET, libfaketime
from local.stage import Stage

COMMAND = TARGET / "debug" / "spot-rescue"
# What docs/BACKUPS.md tells an administrator to allow.
POLICY = Path(__file__).resolve().parent.parent / "docs" / "restore-policy.json"
# AWS-seconds for each breath of the wall's, while a command waits.
STEP = 2


@dataclass(frozen=True)
class Answer:
    """What a person sees."""

    code: int
    said: str
    complained: str

    @property
    def lines(self) -> list[str]:
        return self.said.splitlines()


def operator(stage: Stage) -> Credentials:
    """A user with these rights and no others."""
    deployment = stage.deployment
    iam = deployment.admin.client("iam", deployment.endpoint)
    iam.create_user(UserName="operator")
    iam.put_user_policy(
        UserName="operator",
        PolicyName="restore",
        PolicyDocument=json.dumps(json.loads(POLICY.read_text())),
    )
    key = iam.create_access_key(UserName="operator")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def call(stage: Stage, user: Credentials, *words: str) -> Answer:
    """Time passes while the command waits."""
    process = subprocess.Popen(
        [str(COMMAND), *words],
        env=environment(stage, user),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while process.poll() is None:
        stage.sleep(STEP)
        time.sleep(0.05)
    said, complained = process.communicate()
    return Answer(process.returncode, said, complained)


def environment(stage: Stage, user: Credentials) -> dict[str, str]:
    return {
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL": stage.deployment.endpoint,
        "AWS_EC2_METADATA_DISABLED": "true",
        "HOME": str(stage.directory),
        "TZ": "UTC",
        "LD_PRELOAD": str(libfaketime()),
        "FAKETIME_TIMESTAMP_FILE": str(stage.clock),
        "FAKETIME_NO_CACHE": "1",
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        **user.environment(),
    }
