"""Elastic IP addresses."""

from typing import Any

from local.tests.harness import Local, code_of, until


def _address(aws: Local) -> str:
    return aws.ec2.allocate_address(Domain="vpc")["AllocationId"]


def _shown(aws: Local, allocation: str) -> dict[str, Any]:
    return aws.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"][0]


def test_an_address_moves_without_being_asked(aws: Local) -> None:
    """AllowReassociation: "reassociation is automatic. Therefore, you can specify false"."""
    first, second, allocation = aws.launch(), aws.launch(), _address(aws)
    associate = aws.ec2.associate_address
    associate(AllocationId=allocation, InstanceId=first)
    assert _shown(aws, allocation)["InstanceId"] == first
    stay = code_of(associate, AllocationId=allocation, InstanceId=second, AllowReassociation=False)
    assert stay == "Resource.AlreadyAssociated"
    associate(AllocationId=allocation, InstanceId=second)
    moved = _shown(aws, allocation)
    assert moved["InstanceId"] == second and moved["AssociationId"]
    assert aws.instance(second)["PublicIpAddress"] == moved["PublicIp"]
    assert aws.instance(first).get("PublicIpAddress") != moved["PublicIp"]


def test_a_pending_instance_gets_none(aws: Local) -> None:
    """ "InvalidInstanceID: The pending instance 'i-…' is not in a valid state for this operation." """
    aws.post("settings", boot_seconds=100000)
    instance = aws.launch(running=False)
    code = code_of(aws.ec2.associate_address, AllocationId=_address(aws), InstanceId=instance)
    assert code == "InvalidInstanceID"


def test_termination_disassociates(aws: Local) -> None:
    """An Elastic IP address is disassociated from your instance when you terminate it."""
    instance, allocation = aws.launch(), _address(aws)
    aws.ec2.associate_address(AllocationId=allocation, InstanceId=instance)
    aws.ec2.terminate_instances(InstanceIds=[instance])
    until(lambda: "InstanceId" not in _shown(aws, allocation))
    assert "AssociationId" not in _shown(aws, allocation)


def test_every_private_address_has_an_elastic_ip_of_its_own(aws: Local) -> None:
    """ "If you associate an Elastic IP address with an instance that has an existing Elastic IP address,
    the existing address is disassociated from the instance"; with several interfaces the instance
    must not be named.
    """
    instance = aws.launch()
    nic = aws.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    answer = aws.ec2.assign_private_ip_addresses(
        NetworkInterfaceId=nic, SecondaryPrivateIpAddressCount=1
    )
    secondary = answer["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"]
    first, second, third = (_address(aws) for _ in range(3))
    associate = aws.ec2.associate_address
    associate(AllocationId=first, InstanceId=instance)
    associate(AllocationId=second, NetworkInterfaceId=nic, PrivateIpAddress=secondary)
    assert _shown(aws, second)["PrivateIpAddress"] == secondary
    assert aws.instance(instance)["PublicIpAddress"] == _shown(aws, first)["PublicIp"]
    associate(AllocationId=third, NetworkInterfaceId=nic, PrivateIpAddress=secondary)
    assert "AssociationId" not in _shown(aws, second)
    other = aws.ec2.create_network_interface(SubnetId=aws.instance(instance)["SubnetId"])
    other = other["NetworkInterface"]["NetworkInterfaceId"]
    aws.ec2.attach_network_interface(NetworkInterfaceId=other, InstanceId=instance, DeviceIndex=1)
    assert code_of(associate, AllocationId=first, InstanceId=instance) == "InvalidInstanceID"
