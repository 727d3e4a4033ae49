"""Classic Load Balancers."""

import uuid
from typing import Any

import pytest

from local.tests.harness import ZONE_A, Local, code_of


@pytest.fixture
def classic(aws: Local) -> Any:
    return aws.client("elb")


@pytest.fixture
def name(classic: Any) -> str:
    name = uuid.uuid4().hex
    listener = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 80}
    classic.create_load_balancer(
        LoadBalancerName=name, Listeners=[listener], AvailabilityZones=[ZONE_A]
    )
    return name


def _instances(classic: Any, name: str) -> list[str]:
    (found,) = classic.describe_load_balancers(LoadBalancerNames=[name])["LoadBalancerDescriptions"]
    return [it["InstanceId"] for it in found["Instances"]]


def test_one_call_names_all_load_balancers_and_their_instances(
    aws: Local, classic: Any, name: str
) -> None:
    instance = {"InstanceId": aws.launch()}
    for _ in range(2):
        classic.register_instances_with_load_balancer(LoadBalancerName=name, Instances=[instance])
    found = classic.describe_load_balancers()["LoadBalancerDescriptions"]
    assert {it["LoadBalancerName"]: it["Instances"] for it in found}[name] == [instance]


def test_deregistering_what_is_not_there_succeeds(aws: Local, classic: Any, name: str) -> None:
    """ "You can use DescribeLoadBalancers to verify that the instance is deregistered." """
    instance = {"InstanceId": aws.launch()}
    named = {"LoadBalancerName": name, "Instances": [instance]}
    classic.register_instances_with_load_balancer(**named)
    for _ in range(2):
        classic.deregister_instances_from_load_balancer(**named)
    assert _instances(classic, name) == []


def test_an_unknown_instance_and_an_unknown_load_balancer(classic: Any, name: str) -> None:
    """InvalidInstance: the specified endpoint is not valid; LoadBalancerNotFound."""
    stranger = [{"InstanceId": "i-0123456789abcdef0"}]
    register = classic.register_instances_with_load_balancer
    assert code_of(register, LoadBalancerName=name, Instances=stranger) == "InvalidInstance"
    absent = {"LoadBalancerNames": ["absent"]}
    assert code_of(classic.describe_load_balancers, **absent) == "LoadBalancerNotFound"
