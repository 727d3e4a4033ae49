"""Calls that go wrong on purpose, and only those of one access key."""

from collections.abc import Callable, Iterator

import pytest
from botocore.exceptions import ConnectionClosedError, ReadTimeoutError

from local.tests.harness import ZONE_A, Local, code_of

VICTIM = "AKIAVICTIMVICTIMVICT"
LOST = (ConnectionClosedError, ReadTimeoutError)

Disturb = Callable[[str], None]


@pytest.fixture
def disturb(aws: Local) -> Iterator[Disturb]:
    """Every call of the victim goes wrong, in this way, until the test is over."""
    yield lambda kind: aws.post("chaos", rate=1, principal=VICTIM, kinds=[kind], seed=1)
    aws.post("chaos", rate=0)


def volumes(aws: Local) -> int:
    return len(aws.ec2.describe_volumes()["Volumes"])


@pytest.mark.parametrize(
    ("kind", "service", "call", "code"),
    [
        ("throttled", "ec2", "describe_instances", "RequestLimitExceeded"),
        ("throttled", "elbv2", "describe_target_groups", "Throttling"),
        ("throttled", "sqs", "list_queues", "RequestThrottled"),
        ("unavailable", "ec2", "describe_instances", "ServiceUnavailable"),
        ("unavailable", "elbv2", "describe_target_groups", "ServiceUnavailable"),
    ],
)
def test_each_service_refuses_in_its_own_words(
    aws: Local, disturb: Disturb, kind: str, service: str, call: str, code: str
) -> None:
    disturb(kind)
    assert code_of(getattr(aws.client(service, VICTIM), call)) == code


def test_a_reset_call_is_not_done(aws: Local, disturb: Disturb) -> None:
    before = volumes(aws)
    disturb("reset")
    with pytest.raises(LOST):
        aws.client("ec2", VICTIM).create_volume(AvailabilityZone=ZONE_A, Size=1)
    assert volumes(aws) == before


def test_a_call_with_a_lost_reply_is_done(aws: Local, disturb: Disturb) -> None:
    before = volumes(aws)
    disturb("lost")
    with pytest.raises(LOST):
        aws.client("ec2", VICTIM).create_volume(AvailabilityZone=ZONE_A, Size=1)
    assert volumes(aws) == before + 1


def test_others_are_left_alone(aws: Local, disturb: Disturb) -> None:
    disturb("throttled")
    assert volumes(aws) >= 0


def test_nonsense_is_refused(aws: Local) -> None:
    assert "kinds" in aws.refused("chaos", kinds=["plague"])
    assert "numbers" in aws.refused("chaos", rate="often")
    assert "unknown" in aws.refused("chaos", speed=3)
