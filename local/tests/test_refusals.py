"""Launches that are refused, pool by pool or as a whole."""

from functools import partial
from typing import Any

from local.tests.fleets import fleet, launched, subnet, template
from local.tests.harness import TYPE, ZONE_A, ZONE_B, Local, code_of

OTHER_TYPE = "m5.xlarge"
WRONG = "InvalidFleetConfiguration"


def _refuse(aws: Local, code: str | None, **pool: str) -> None:
    any_pool = dict.fromkeys(("availability_zone", "instance_type", "market"), "*")
    aws.post("capacity", **any_pool | pool, code=code)


def _codes(answer: dict[str, Any]) -> list[str]:
    return [it["ErrorCode"] for it in answer["Errors"]]


# TRAP 43
def test_a_market_may_be_refused_for_any_reason(aws: Local) -> None:
    """Errors of a 200, with what the code means; the other market is free."""
    _refuse(aws, WRONG, market="spot")
    answer = fleet(aws, template(aws))
    assert _codes(answer) == [WRONG] and answer["Instances"] == []
    assert "not supported" in answer["Errors"][0]["ErrorMessage"]
    assert aws.journal()[-1]["refused"] == [WRONG]
    assert launched(fleet(aws, template(aws), market="on-demand"))
    _refuse(aws, None, market="spot")
    assert launched(fleet(aws, template(aws)))


def test_each_pool_may_be_refused_for_a_reason_of_its_own(aws: Local) -> None:
    """By subnet, by zone, by type; the newest word about a pool counts."""
    here, there = subnet(aws, ZONE_A), subnet(aws, ZONE_B)
    _refuse(aws, "UnauthorizedOperation", availability_zone=here, instance_type=OTHER_TYPE)
    _refuse(aws, WRONG, availability_zone=ZONE_B)
    places = [(OTHER_TYPE, here), (TYPE, there), (TYPE, here)]
    overrides = [{"InstanceType": it, "SubnetId": place} for it, place in places]
    answer = fleet(aws, template(aws), overrides=overrides)
    assert _codes(answer) == ["UnauthorizedOperation", WRONG]
    assert aws.instance(answer["Instances"][0]["InstanceIds"][0])["SubnetId"] == here
    _refuse(aws, "TagLimitExceeded", availability_zone=here)
    answer = fleet(aws, template(aws), overrides=overrides)
    assert _codes(answer) == ["TagLimitExceeded", WRONG, "TagLimitExceeded"]


def test_a_launch_may_be_refused_as_a_whole(aws: Local) -> None:
    """HTTP 400, until it is lifted; each action by itself."""
    wanted = {"ImageId": aws.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    aws.post("refusal", action="RunInstances", code="InvalidKeyPair.NotFound")
    assert code_of(aws.ec2.run_instances, **wanted) == "InvalidKeyPair.NotFound"
    assert launched(fleet(aws, template(aws)))
    aws.post("refusal", action="*", code=WRONG)
    assert code_of(aws.ec2.run_instances, **wanted) == WRONG
    assert code_of(partial(fleet, aws, template(aws))) == WRONG
    aws.post("refusal", action="*", code=None)
    aws.ec2.run_instances(**wanted)
    assert "action is one of" in aws.refused("refusal", action="CreateVolume", code=WRONG)
    assert "error code" in aws.refused("refusal", action="*", code=7)
