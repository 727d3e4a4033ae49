"""What CloudFormation makes of the template, by moto and by our own reading of it."""

import ast
from pathlib import Path
from typing import Any

import pytest

from local import deploy
from local.permissions import policy
from local.serving import Server


@pytest.mark.parametrize("given", [policy.OPEN, policy.NARROW], ids=["open", "narrow"])
def test_the_role_that_is_judged_is_the_one_that_is_deployed(
    tmp_path: Path, given: dict[str, str]
) -> None:
    """Conditions, lists that are joined and split again, what is left out."""
    server = Server(tmp_path, 1)
    try:
        found = deploy.deploy(server.endpoint, given)
        deployed = of_role(found)
    finally:
        server.kill()
    judged = {it["Sid"]: it for it in policy.statements(given)}
    assert set(deployed) == set(judged)
    run = {"ReceiveMessages", "ReadSecretOfSeals", "WakeLater", "WriteLog"}
    for sid, it in deployed.items():
        ours = judged[sid] if sid not in run else judged[sid] | {"Resource": it["Resource"]}
        assert it == ours
    for name, variable in {
        "InstanceRoleArns": "SPOT_RESCUE_INSTANCE_ROLES",
        "AllowedInstanceTypes": "SPOT_RESCUE_ALLOWED_TYPES",
        "AllowedSubnets": "SPOT_RESCUE_ALLOWED_SUBNETS",
        "TargetGroupArns": "SPOT_RESCUE_TARGET_GROUPS",
    }.items():
        assert found.environment[variable] == given.get(name, "")


def test_the_secret_is_read_by_the_function(tmp_path: Path) -> None:
    """As the template has it generated."""
    server = Server(tmp_path, 1)
    try:
        found = deploy.deploy(server.endpoint)
        manager = found.role.client("secretsmanager", server.endpoint)
        value = manager.get_secret_value(SecretId=found.environment["SPOT_RESCUE_SECRET_ARN"])
    finally:
        server.kill()
    assert len(value["SecretString"]) == 64 and value["SecretString"].isalnum()


def of_role(found: deploy.Deployment) -> dict[str, dict[str, Any]]:
    """By statement."""
    iam = found.admin.client("iam", found.endpoint)
    role = found.environment["SPOT_RESCUE_ROLE_ARN"].rpartition("/")[2]
    documents = [
        iam.get_role_policy(RoleName=role, PolicyName=it)["PolicyDocument"]
        for it in iam.list_role_policies(RoleName=role)["PolicyNames"]
    ]
    for it in iam.list_attached_role_policies(RoleName=role)["AttachedPolicies"]:
        version = iam.get_policy(PolicyArn=it["PolicyArn"])["Policy"]["DefaultVersionId"]
        shown = iam.get_policy_version(PolicyArn=it["PolicyArn"], VersionId=version)
        documents.append(shown["PolicyVersion"]["Document"])
    # moto keeps what CloudFormation puts into a role as Python writes it.
    read = [ast.literal_eval(it) if isinstance(it, str) else it for it in documents]
    return {it["Sid"]: policy.listed(it) for document in read for it in document["Statement"]}
