"""Targets of VPC Lattice."""

from typing import Any

import pytest

from local.tests.harness import Local, code_of, until


@pytest.fixture
def lattice(aws: Local) -> Any:
    return aws.client("vpc-lattice")


def _group(aws: Local, lattice: Any, kind: str = "INSTANCE") -> str:
    vpc = aws.ec2.describe_vpcs()["Vpcs"][0]["VpcId"]
    config = {"port": 80, "protocol": "HTTP", "vpcIdentifier": vpc}
    return lattice.create_target_group(name="web", type=kind, config=config)["arn"]


def _status(lattice: Any, group: str) -> dict[tuple[str, int], str]:
    items = lattice.list_targets(targetGroupIdentifier=group)["items"]
    return {(it["id"], it["port"]): it["status"] for it in items}


def test_a_group_says_what_it_holds_and_where(aws: Local, lattice: Any) -> None:
    group = _group(aws, lattice, "IP")
    (found,) = lattice.list_target_groups()["items"]
    assert (found["arn"], found["type"]) == (group, "IP")
    assert found["vpcIdentifier"].startswith("vpc-")


def test_an_instance_has_several_ports(aws: Local, lattice: Any) -> None:
    """ "The port on which the target is listening"; the group's, if none is named."""
    group, instance = _group(aws, lattice), aws.launch()
    targets = [{"id": instance}, {"id": instance, "port": 8080}]
    answer = lattice.register_targets(targetGroupIdentifier=group, targets=targets)
    assert answer["unsuccessful"] == []
    assert _status(lattice, group) == {(instance, 80): "HEALTHY", (instance, 8080): "HEALTHY"}


def test_what_cannot_be_registered_is_listed_in_a_success(aws: Local, lattice: Any) -> None:
    """ "unsuccessful: the targets that were not registered", with HTTP 200."""
    group, instance = _group(aws, lattice), aws.launch()
    targets = [{"id": instance, "port": 80}, {"id": "i-0123456789abcdef0", "port": 80}]
    answer = lattice.register_targets(targetGroupIdentifier=group, targets=targets)
    assert [it["id"] for it in answer["successful"]] == [instance]
    assert [it["id"] for it in answer["unsuccessful"]] == ["i-0123456789abcdef0"]
    assert all(it["failureCode"] for it in answer["unsuccessful"])


def test_what_leaves_drains_and_then_is_gone(aws: Local, lattice: Any) -> None:
    """ "The target enters the DRAINING state until in-flight requests have completed." """
    group, instance = _group(aws, lattice), aws.launch()
    named = {"targetGroupIdentifier": group, "targets": [{"id": instance, "port": 80}]}
    lattice.register_targets(**named)
    lattice.deregister_targets(**named)
    assert _status(lattice, group) == {(instance, 80): "DRAINING"}
    until(lambda: _status(lattice, group) == {})
    assert lattice.deregister_targets(**named)["unsuccessful"]


def test_a_group_that_is_gone(aws: Local, lattice: Any) -> None:
    absent = "tg-0123456789abcdef0"
    assert code_of(lattice.list_targets, targetGroupIdentifier=absent) == (
        "ResourceNotFoundException"
    )
