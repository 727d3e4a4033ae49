"""Deploys the project's own template.yaml to the local AWS.

The SAM translator that runs inside AWS turns it into CloudFormation; moto creates the stack. What
moto cannot do is edited out of the deployed copy (`local/edits.py`). The function's role is deployed as
it stands, resources and conditions included, and enforced (`local/aws/permissions.py`). Everything the
functions and the pump need (queue, batch size, environment) is read back from the deployed stack.
"""

from __future__ import annotations

import copy
import json
import logging
import os
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any
from urllib.request import Request, urlopen

import boto3
from samtranslator.public.translator import ManagedPolicyLoader
from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

from local.edits import edited, first

TEMPLATE = Path(__file__).resolve().parent.parent / "template.yaml"
REGION = "us-east-1"
STACK = "spot-rescue"
ACCOUNT = "123456789012"
FUNCTIONS_SESSION = "spot-rescue-function"
BACKUPS_SESSION = "spot-rescue-backups"
# What `sam deploy` asks for: the role of the instance profile that the world's instances have.
INSTANCE_ROLE = "database"
ASKED_FOR = {"InstanceRoleArns": f"arn:aws:iam::{ACCOUNT}:role/{INSTANCE_ROLE}"}

# The translator complains at its end that its usage metrics were not published.
logging.getLogger("samtranslator").setLevel(logging.CRITICAL)


@dataclass(frozen=True)
class Credentials:
    """What an AWS client signs with."""

    access_key: str
    secret_key: str
    token: str | None = None

    def environment(self) -> dict[str, str]:
        """As the Lambda runtime hands them to a function."""
        named = {
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_SESSION_TOKEN": self.token,
        }
        return {name: value for name, value in named.items() if value}

    def client(self, service: str, endpoint: str) -> Any:
        return boto3.client(
            service,
            endpoint_url=endpoint,
            region_name=REGION,
            aws_access_key_id=self.access_key,
            aws_secret_access_key=self.secret_key,
            aws_session_token=self.token,
        )


# Before enforcement is on, any key will do.
ROOT = Credentials("local", "local")


@dataclass(frozen=True)
class Deployment:
    """The deployed stack, as far as the stage needs it."""

    endpoint: str
    queue_url: str
    dead_letter_url: str
    batch_size: int
    batching_window: int
    partial_failures: bool
    timeout: int
    memory: int
    environment: dict[str, str]
    # What the schedule sends.
    sweep: str
    role: Credentials
    admin: Credentials = field(repr=False)
    # Of the function that keeps backups.
    backups: Deployment | None = None


@dataclass(frozen=True)
class Part:
    """A function of the template, and what belongs to it: logical ids, outputs, the name of its sessions."""

    function: str
    name: str
    queue_url: str
    schedule: str
    role: str
    session: str


RESCUE = Part("Function", "FunctionName", "QueueUrl", "Sweep", "FunctionRoleArn", FUNCTIONS_SESSION)
BACKUPS = Part(
    "BackupFunction",
    "BackupFunctionName",
    "BackupQueueUrl",
    "Backups",
    "BackupRoleArn",
    BACKUPS_SESSION,
)


def deploy(endpoint: str, parameters: dict[str, str] | None = None) -> Deployment:
    """Creates the stack, then the identities, then switches IAM enforcement on."""
    given = ASKED_FOR | (parameters or {})
    resources = translated(given)["Resources"]
    outputs = create_stack(endpoint, given)
    admin = administrator(endpoint)
    backups = deployed(BACKUPS, endpoint, resources, outputs, admin)
    deployment = deployed(RESCUE, endpoint, resources, outputs, admin)
    enforce(endpoint)
    return replace(deployment, backups=backups)


def deployed(
    part: Part,
    endpoint: str,
    resources: dict[str, Any],
    outputs: dict[str, str],
    admin: Credentials,
) -> Deployment:
    function = resources[part.function]["Properties"]
    # The translator names it after the function and its event.
    mapping = resources[f"{part.function}Queue"]["Properties"]
    details = ROOT.client("lambda", endpoint).get_function_configuration(
        FunctionName=outputs[part.name]
    )
    return Deployment(
        endpoint=endpoint,
        queue_url=outputs[part.queue_url],
        dead_letter_url=outputs["DeadLetterQueueUrl"],
        batch_size=int(mapping["BatchSize"]),
        batching_window=int(mapping.get("MaximumBatchingWindowInSeconds", 0)),
        partial_failures="ReportBatchItemFailures" in mapping.get("FunctionResponseTypes", []),
        timeout=int(function["Timeout"]),
        memory=int(function["MemorySize"]),
        sweep=resources[part.schedule]["Properties"]["Target"]["Input"],
        # Lambda keeps text, whatever the parameter is.
        environment={key: str(it) for key, it in details["Environment"]["Variables"].items()},
        role=assume(endpoint, outputs[part.role], part.session),
        admin=admin,
    )


def translated(parameters: dict[str, str]) -> dict[str, Any]:
    """The template as CloudFormation sees it after the SAM transform."""
    return copy.deepcopy(transformed(frozenset(parameters.items())))


@cache
def transformed(parameters: frozenset[tuple[str, str]]) -> dict[str, Any]:
    template = yaml_parse(TEMPLATE.read_text())
    # `sam build` and `sam deploy` put an S3 address here; the code itself is not uploaded.
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::Serverless::Function":
            resource["Properties"]["CodeUri"] = "s3://local/bootstrap.zip"
    os.environ.setdefault("AWS_DEFAULT_REGION", REGION)  # the translator asks nothing else for it
    return transform(template, dict(parameters), NoManagedPolicies())


class NoManagedPolicies(ManagedPolicyLoader):
    """The template names no managed policy; asking IAM for their ARNs would need an account."""

    def __init__(self) -> None:
        super().__init__(None)

    def load(self) -> dict[str, str]:
        return {}


def create_stack(endpoint: str, parameters: dict[str, str]) -> dict[str, str]:
    """The stack's outputs."""
    template = translated(parameters)
    template = edited(template, {"SealSecret": secret(endpoint, template["Resources"])})
    cloudformation = ROOT.client("cloudformation", endpoint)
    cloudformation.create_stack(
        StackName=STACK,
        TemplateBody=json.dumps(template),
        Parameters=[
            {"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()
        ],
        Capabilities=["CAPABILITY_IAM"],
    )
    stack = cloudformation.describe_stacks(StackName=STACK)["Stacks"][0]
    if stack["StackStatus"] != "CREATE_COMPLETE":
        raise RuntimeError(f"the stack is {stack['StackStatus']}")
    return {it["OutputKey"]: it["OutputValue"] for it in stack["Outputs"]}


def secret(endpoint: str, resources: dict[str, Any]) -> str:
    """The ARN of one generated as the template says; it need not be known."""
    wanted = first(resources, "AWS::SecretsManager::Secret")["GenerateSecretString"]
    manager = ROOT.client("secretsmanager", endpoint)
    value = manager.get_random_password(**wanted)["RandomPassword"]
    made = manager.create_secret(Name=f"{STACK}-SealSecret", SecretString=value)
    return str(made["ARN"])


# --- identities ---------------------------------------------------------------------------------


def assume(endpoint: str, role_arn: str, session: str) -> Credentials:
    answer = ROOT.client("sts", endpoint).assume_role(RoleArn=role_arn, RoleSessionName=session)
    it = answer["Credentials"]
    return Credentials(it["AccessKeyId"], it["SecretAccessKey"], it["SessionToken"])


def administrator(endpoint: str) -> Credentials:
    """The principal that builds the world and looks at it; also the Lambda service, which polls the queue."""
    iam = ROOT.client("iam", endpoint)
    iam.create_user(UserName="administrator")
    everything = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    iam.put_user_policy(
        UserName="administrator",
        PolicyName="everything",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [everything]}),
    )
    key = iam.create_access_key(UserName="administrator")["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])


def enforce(endpoint: str) -> None:
    """From now on every call is checked against its caller's policies."""
    request = Request(
        f"{endpoint}/moto-api/reset-auth", data=b"0", headers={"Content-Type": "text/plain"}
    )
    with urlopen(request, timeout=10) as answer:
        answer.read()
