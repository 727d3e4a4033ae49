"""What SQS takes as the policy of a queue, and CloudFormation therefore puts into a stack."""

import copy
import json
import uuid
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local import deploy
from local.serving import Server
from local.tests.harness import REGION, Local, code_of

ARN = f"arn:aws:sqs:{REGION}:123456789012"
INVALID = "InvalidAttributeValue"


def statement(*resources: str, actions: int = 1) -> dict[str, Any]:
    named = ["SendMessage", "ReceiveMessage", "DeleteMessage", "PurgeQueue", "GetQueueUrl"]
    named += ["GetQueueAttributes", "ChangeMessageVisibility", "ListQueueTags"]
    return {
        "Effect": "Allow",
        "Principal": "*",
        "Action": [f"sqs:{it}" for it in named[:actions]],
        "Resource": list(resources),
    }


def policy(*statements: dict[str, Any]) -> dict[str, str]:
    return {"Policy": json.dumps({"Version": "2012-10-17", "Statement": list(statements)})}


@pytest.fixture
def queue(aws: Local) -> tuple[str, str]:
    """URL and ARN."""
    name = f"queue-{uuid.uuid4().hex[:8]}"
    return aws.sqs.create_queue(QueueName=name)["QueueUrl"], f"{ARN}:{name}"


# TRAP 42
def test_a_statement_is_about_the_queue_alone(aws: Local, queue: tuple[str, str]) -> None:
    """ "Invalid value for the parameter Policy.": a single resource per statement, and it is the queue."""
    url, own = queue
    other = f"{ARN}:another"
    put = aws.sqs.set_queue_attributes
    for wrong in (statement(own, other), statement(other), statement()):
        assert code_of(put, QueueUrl=url, Attributes=policy(wrong)) == INVALID
        assert code_of(put, QueueUrl=url, Attributes=policy(statement(own), wrong)) == INVALID
    assert code_of(put, QueueUrl=url, Attributes={"Policy": "{"}) == INVALID
    held = lambda: aws.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert "Attributes" not in held()
    right = policy(statement(own), statement(own))
    put(QueueUrl=url, Attributes=right)
    assert held()["Attributes"] == right


# TRAP 42
def test_so_it_is_when_a_queue_is_made(aws: Local) -> None:
    """CreateQueue takes the same attributes."""
    name = f"queue-{uuid.uuid4().hex[:8]}"
    two = policy(statement(f"{ARN}:{name}", f"{ARN}:another"))
    assert code_of(aws.sqs.create_queue, QueueName=name, Attributes=two) == INVALID
    aws.sqs.create_queue(QueueName=name, Attributes=policy(statement(f"{ARN}:{name}")))


def test_a_statement_has_seven_actions(aws: Local, queue: tuple[str, str]) -> None:
    """Actions per statement: 7."""
    url, own = queue
    put = aws.sqs.set_queue_attributes
    put(QueueUrl=url, Attributes=policy(statement(own, actions=7)))
    too_many = policy(statement(own, actions=8))
    assert code_of(put, QueueUrl=url, Attributes=too_many) == "OverLimit"


def both_queues(resources: dict[str, Any]) -> None:
    """One statement for both, as it is short to write."""
    arns = [{"Fn::GetAtt": [it, "Arn"]} for it in ("Queue", "DeadLetterQueue")]
    for it in resources["QueuePolicy"]["Properties"]["PolicyDocument"]["Statement"]:
        it["Resource"] = arns


def one_policy(resources: dict[str, Any]) -> None:
    """One policy for both queues."""
    queues = [{"Ref": "Queue"}, {"Ref": "DeadLetterQueue"}]
    resources["QueuePolicy"]["Properties"]["Queues"] = queues
    del resources["DeadLetterQueuePolicy"]


# TRAP 42
@pytest.mark.parametrize("spoil", [both_queues, one_policy])
def test_a_stack_that_names_two_queues_is_not_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, spoil: Any
) -> None:
    """CloudFormation fails with what SQS answers."""
    real = deploy.translated

    def translated(parameters: dict[str, str]) -> dict[str, Any]:
        template = copy.deepcopy(real(parameters))
        spoil(template["Resources"])
        return template

    monkeypatch.setattr(deploy, "translated", translated)
    with pytest.raises(ClientError, match=r"Invalid value for the parameter Policy\."):
        deployed(tmp_path)


# TRAP 42
def test_the_stack_gives_each_queue_its_policy(tmp_path: Path) -> None:
    """As it stands in the template."""
    for name, found in deployed(tmp_path).items():
        read = json.loads(found["Policy"])["Statement"]
        assert {it["Sid"] for it in read} == {"OnlyOurRules", "NobodyElse"}
        assert [it["Resource"] for it in read] == [found["QueueArn"]] * 2, name


def deployed(directory: Path) -> dict[str, dict[str, str]]:
    """The attributes of both queues."""
    server = Server(directory, 1)
    try:
        made = deploy.deploy(server.endpoint)
        sqs = made.admin.client("sqs", server.endpoint)
        get = lambda url: sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
        urls = {"queue": made.queue_url, "dead letters": made.dead_letter_url}
        return {name: get(url)["Attributes"] for name, url in urls.items()}
    finally:
        server.kill()
