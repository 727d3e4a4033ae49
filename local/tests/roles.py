"""Roles with the statements that a test wants, in an account that enforces them."""

import json
import urllib.request
import uuid
from collections.abc import Callable
from typing import Any

import boto3

from local.tests.harness import REGION, Local

DENIED = "UnauthorizedOperation"
EC2 = f"arn:aws:ec2:{REGION}:123456789012"
SERVICE = {"Service": "lambda.amazonaws.com"}
TRUST = {"Statement": [{"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"}]}

Login = Callable[..., Any]


def allow(action: str | list[str], resource: str = "*", **condition: Any) -> dict[str, Any]:
    found = {"Effect": "Allow", "Action": action, "Resource": resource}
    return found | ({"Condition": condition} if condition else {})


def enter(aws: Local, *statements: dict[str, Any], service: str = "ec2") -> Any:
    """A client of a new role."""
    iam, sts = aws.client("iam"), aws.client("sts")
    enforce(aws, "inf")
    name = f"role-{uuid.uuid4().hex[:8]}"
    role = iam.create_role(RoleName=name, AssumeRolePolicyDocument=json.dumps(TRUST))["Role"]
    document = json.dumps({"Version": "2012-10-17", "Statement": list(statements)})
    iam.put_role_policy(RoleName=name, PolicyName="own", PolicyDocument=document)
    keys = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="test")["Credentials"]
    enforce(aws, "0")
    return boto3.client(
        service,
        endpoint_url=aws.endpoint,
        region_name=REGION,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )


def enforce(aws: Local, after_calls: str) -> None:
    url, plain = f"{aws.endpoint}/moto-api/reset-auth", {"Content-Type": "text/plain"}
    urllib.request.urlopen(urllib.request.Request(url, after_calls.encode(), headers=plain))
