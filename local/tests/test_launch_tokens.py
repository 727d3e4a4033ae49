"""ClientToken of a launch."""

import uuid
from functools import partial
from typing import Any

import pytest

from local.tests.fleets import fleet, launched, template
from local.tests.harness import TYPE, Local, code_of, sleep

NO_CAPACITY = "InsufficientInstanceCapacity"
ANYWHERE = dict.fromkeys(("availability_zone", "instance_type", "market"), "*")


def _token() -> dict[str, str]:
    return {"ClientToken": uuid.uuid4().hex}


def _run(aws: Local) -> Any:
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    return partial(aws.ec2.run_instances, **wanted)


def _codes(answer: dict[str, Any]) -> list[str]:
    return [it["ErrorCode"] for it in answer["Errors"]]


# TRAP 43
@pytest.mark.parametrize("code", [NO_CAPACITY, "InvalidFleetConfiguration", "TagPolicyViolation"])
def test_what_a_fleet_was_refused_it_is_refused_for_ever(aws: Local, code: str) -> None:
    """Also when the cause has been mended; another token is another request."""
    name, token = template(aws), _token()
    aws.post("capacity", **ANYWHERE, code=code)
    assert _codes(fleet(aws, name, **token)) == [code]
    aws.post("capacity", **ANYWHERE, code=None)
    sleep(24 * 3600)
    assert _codes(fleet(aws, name, **token)) == [code]
    assert fleet(aws, name, **_token())["Instances"]


# TRAP 43
@pytest.mark.parametrize("code", ["UnauthorizedOperation", "InvalidKeyPair.NotFound"])
def test_so_is_a_fleet_that_was_refused_as_a_whole(aws: Local, code: str) -> None:
    """HTTP 400, and no pool was tried."""
    create, token = partial(fleet, aws, template(aws)), _token()
    aws.post("refusal", action="CreateFleet", code=code)
    assert code_of(create, **token) == code
    aws.launch(running=False)
    aws.post("refusal", action="CreateFleet", code=None)
    assert code_of(create, **token) == code
    assert code_of(create, **token, market="on-demand") == "IdempotentParameterMismatch"
    assert create(**_token())["Instances"]


# TRAP 43
def test_so_is_a_fleet_with_a_template_that_is_not_there_yet(aws: Local) -> None:
    """What a look at the account has refused is no less definite."""
    name, token = f"fleet-{uuid.uuid4().hex}", _token()
    missing = "InvalidLaunchTemplateName.NotFoundException"
    assert code_of(partial(fleet, aws, name), **token) == missing
    data = {"ImageId": aws.image, "InstanceType": TYPE}
    aws.ec2.create_launch_template(LaunchTemplateName=name, LaunchTemplateData=data)
    assert code_of(partial(fleet, aws, name), **token) == missing
    assert launched(fleet(aws, name, **_token()))


# TRAP 43
def test_so_is_what_run_instances_was_refused(aws: Local) -> None:
    """There is no 200 with errors: a pool without capacity is an HTTP 400."""
    run, token = _run(aws), _token()
    aws.post("capacity", **ANYWHERE, code=NO_CAPACITY)
    assert code_of(run, **token) == NO_CAPACITY
    aws.post("capacity", **ANYWHERE, code=None)
    assert code_of(run, **token) == NO_CAPACITY
    run(**_token())


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "InternalError"])
def test_what_is_not_definite_leaves_no_trace(aws: Local, code: str) -> None:
    """Errors on AWS's side: retry the request."""
    create, token = partial(fleet, aws, template(aws)), _token()
    aws.post("refusal", action="*", code=code)
    assert code_of(create, **token) == code
    assert code_of(_run(aws), **token) == code
    aws.post("refusal", action="*", code=None)
    assert launched(create(**token))


# TRAP 45
def test_a_fleet_names_the_dead_one_again(aws: Local) -> None:
    """The same answer, whatever has become of it."""
    create = partial(fleet, aws, template(aws), **_token())
    first = launched(create())
    aws.reach(first, "running")
    aws.ec2.terminate_instances(InstanceIds=[first])
    aws.reach(first, "terminated")
    assert launched(create()) == first


# TRAP 7, TRAP 45
def test_run_instances_says_that_it_is_dead(aws: Local) -> None:
    """IdempotentInstanceTerminated, also when EC2 does not show it any more."""
    run, token = _run(aws), _token()
    first = run(**token)["Instances"][0]["InstanceId"]
    aws.reach(first, "running")
    assert run(**token)["Instances"][0]["InstanceId"] == first
    aws.ec2.terminate_instances(InstanceIds=[first])
    aws.reach(first, "terminated")
    assert code_of(run, **token) == "IdempotentInstanceTerminated"
    sleep(2 * 3600)
    assert code_of(run, **token) == "IdempotentInstanceTerminated"


# TRAP 56
def test_while_a_launch_is_under_way_its_token_says_so(aws: Local) -> None:
    """It takes some seconds; a call with other parameters is told that first."""
    aws.post("settings", launch_seconds=3)
    create, token = partial(fleet, aws, template(aws)), _token()
    first = launched(create(**token))
    assert code_of(create, **token) == "IdempotentCallInProgress"
    assert code_of(create, **token, market="on-demand") == "IdempotentParameterMismatch"
    assert launched(create(**_token())) != first
    sleep(3)
    assert launched(create(**token)) == first


# TRAP 56
def test_a_twin_may_have_been_first(aws: Local) -> None:
    """It launches; so many calls later all of them get its answer."""
    aws.post("settings", calls_in_progress=2)
    create, run = partial(fleet, aws, template(aws), **_token()), partial(_run(aws), **_token())
    for call in (create, run):
        before = len(_living(aws))
        assert [code_of(call) for _ in range(2)] == ["IdempotentCallInProgress"] * 2
        assert len(_living(aws)) == before + 1
        call()
        assert len(_living(aws)) == before + 1


def _living(aws: Local) -> list[str]:
    pages = aws.ec2.get_paginator("describe_instances").paginate()
    found = [it for page in pages for r in page["Reservations"] for it in r["Instances"]]
    return [it["InstanceId"] for it in found if it["State"]["Name"] in ("pending", "running")]
