"""Interruptions by AWS Fault Injection Service."""

import json
from typing import Any

import pytest

from local.tests.harness import ZONE_A, Local, code_of, now, until

RECOMMENDED = "EC2 Instance Rebalance Recommendation"
WARNED = "EC2 Spot Instance Interruption Warning"
INTERRUPT = "aws:ec2:send-spot-instance-interruptions"


@pytest.fixture
def fis(aws: Local) -> Any:
    return aws.client("fis")


def role(aws: Local, name: str, service: str, action: str) -> str:
    iam = aws.client("iam")
    trust = {"Effect": "Allow", "Principal": {"Service": service}, "Action": "sts:AssumeRole"}
    right = {"Effect": "Allow", "Action": action, "Resource": "*"}
    document = lambda it: json.dumps({"Version": "2012-10-17", "Statement": [it]})
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]
    iam.put_role_policy(RoleName=name, PolicyName="it", PolicyDocument=document(right))
    return str(made["Arn"])


def template(arn: str, instance: str, duration: str = "PT2M", **action: Any) -> dict[str, Any]:
    target = f"arn:aws:ec2:us-east-1:123456789012:instance/{instance}"
    interrupt = {
        "actionId": INTERRUPT,
        "parameters": {"durationBeforeInterruption": duration},
        "targets": {"SpotInstances": "one"},
    }
    kind = "aws:ec2:spot-instance"
    return {
        "description": "interrupts",
        "roleArn": arn,
        "stopConditions": [{"source": "none"}],
        "actions": {"interrupt": interrupt | action},
        "targets": {
            "one": {"resourceType": kind, "resourceArns": [target], "selectionMode": "ALL"}
        },
    }


def start(fis: Any, wanted: dict[str, Any]) -> str:
    made = fis.create_experiment_template(**wanted)["experimentTemplate"]["id"]
    return str(fis.start_experiment(experimentTemplateId=made)["experiment"]["id"])


def test_an_interruption_is_recommended_warned_of_and_carried_out(aws: Local, fis: Any) -> None:
    """ "two minutes before interrupting them"; with four minutes the warning comes after two."""
    arn = role(aws, "fis-good", "fis.amazonaws.com", "ec2:SendSpotInstanceInterruptions")
    for duration, warned_after in (("PT2M", 0), ("PT240S", 120)):
        instance = aws.launch()
        recommended = aws.listen({"detail-type": [RECOMMENDED]})
        warned = aws.listen({"detail-type": [WARNED]})
        began = now()
        experiment = start(fis, template(arn, instance, duration))
        assert recommended.wait_for(1)[0]["detail"] == {"instance-id": instance}
        (event,) = warned.wait_for(1)
        assert event["resources"] == [f"arn:aws:ec2:{ZONE_A}:instance/{instance}"]
        assert warned_after <= now() - began < warned_after + 60
        gone = aws.reach(instance, "terminated")
        assert gone["StateReason"]["Code"] == "Server.SpotInstanceTermination"
        state = lambda it=experiment: fis.get_experiment(id=it)["experiment"]["state"]["status"]
        until(lambda state=state: state() == "completed")


@pytest.mark.parametrize(
    ("name", "service", "action", "why"),
    [
        ("fis-foreign", "ec2.amazonaws.com", "ec2:SendSpotInstanceInterruptions", "assume"),
        ("fis-weak", "fis.amazonaws.com", "ec2:DescribeInstances", "may not call"),
    ],
)
def test_the_role_must_trust_and_allow(
    aws: Local, fis: Any, name: str, service: str, action: str, why: str
) -> None:
    instance = aws.launch()
    experiment = start(fis, template(role(aws, name, service, action), instance))
    state = fis.get_experiment(id=experiment)["experiment"]["state"]
    assert state["status"] == "failed" and why in state["reason"]
    assert aws.instance(instance)["State"]["Name"] == "running"


def test_what_is_no_spot_instance_is_not_interrupted(aws: Local, fis: Any) -> None:
    arn = role(aws, "fis-market", "fis.amazonaws.com", "ec2:SendSpotInstanceInterruptions")
    experiment = start(fis, template(arn, aws.launch(market="on-demand")))
    assert fis.get_experiment(id=experiment)["experiment"]["state"]["status"] == "failed"


@pytest.mark.parametrize(
    ("duration", "action"),
    [
        ("PT1M", {}),
        ("PT16M", {}),
        ("2", {}),
        ("PT2M", {"targets": {"Instances": "one"}}),
        ("PT2M", {"targets": {"SpotInstances": "two"}}),
        ("PT2M", {"actionId": "aws:ec2:interrupt"}),
    ],
)
def test_what_the_service_does_not_know(fis: Any, duration: str, action: dict[str, Any]) -> None:
    """Two to fifteen minutes, and one target of the one kind."""
    wanted = template("arn:aws:iam::123456789012:role/any", "i-0", duration, **action)
    assert code_of(fis.create_experiment_template, **wanted) == "ValidationException"
