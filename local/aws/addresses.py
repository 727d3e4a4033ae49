"""Elastic IP addresses.

AWS: an address moves to another instance without being asked unless reassociation is ruled out; an
instance that is pending or has ended cannot get one ("InvalidInstanceID: The pending instance 'i-…' is
not in a valid state for this operation."), a stopped one can; termination disassociates
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html). moto refuses to move
an address unless asked to, and gives one to any instance.
"""

from typing import Any

from moto.ec2.responses import EC2Response

from local.aws import tags
from local.aws.filters import View, matching
from local.aws.patch import Answer, answers, refuse

FIELDS = {
    "allocation-id": lambda it: it["AllocationId"],
    "association-id": lambda it: it["AssociationId"],
    "domain": lambda it: it["Domain"],
    "instance-id": lambda it: it["InstanceId"],
    "network-interface-id": lambda it: it["NetworkInterfaceId"],
    "private-ip-address": lambda it: it["PrivateIpAddress"],
    "public-ip": lambda it: it["PublicIp"],
}


@answers(EC2Response)
def associate_address(call: Any) -> Answer:
    backend = call.ec2_backend
    nic, instance = _target(call)
    address = _address(call)
    held_elsewhere = address.eni is not None and address.eni is not nic
    if held_elsewhere and call._get_param("AllowReassociation") is False:
        message = f"resource {address.public_ip} is already associated"
        raise refuse("Resource.AlreadyAssociated", message)
    if held_elsewhere:
        backend.disassociate_address(address=address.public_ip)
    for other in backend.addresses:
        if other is not address and other.eni is nic:
            backend.disassociate_address(address=other.public_ip)
    moved = backend.associate_address(
        instance=instance, eni=nic, allocation_id=address.allocation_id, reassociate=True
    )
    return {"AssociationId": moved.association_id}


def _target(call: Any) -> tuple[Any, Any]:
    backend = call.ec2_backend
    if not call._get_param("InstanceId"):
        nic = backend.get_network_interface(call._get_param("NetworkInterfaceId"))
        return nic, nic.instance
    instance = backend.get_instance(call._get_param("InstanceId"))
    if instance.state not in ("running", "stopping", "stopped"):
        message = (
            f"The {instance.state} instance '{instance.id}' is not in a valid state for this "
            "operation."
        )
        raise refuse("InvalidInstanceID", message)
    return instance.nics[0], instance


def _address(call: Any) -> Any:
    backend = call.ec2_backend
    if call._get_param("AllocationId"):
        (address,) = backend.address_by_allocation([call._get_param("AllocationId")])
    else:
        (address,) = backend.address_by_ip([call._get_param("PublicIp")])
    return address


def view(address: Any) -> View:
    return {
        "AllocationId": address.allocation_id,
        "AssociationId": address.association_id,
        "Domain": address.domain,
        "InstanceId": address.instance_id or None,
        "NetworkInterfaceId": address.network_interface_id or None,
        "NetworkInterfaceOwnerId": address.network_interface_owner_id,
        "PrivateIpAddress": address.private_ip_address,
        "PublicIp": address.public_ip,
        "PublicIpv4Pool": "amazon",
        "Tags": tags.shown(address.ec2_backend, address.id) if address.id else [],
    }


@answers(EC2Response)
def describe_addresses(call: Any) -> Answer:
    """Not paged: AWS has no pages here."""
    backend = call.ec2_backend
    found = backend.describe_addresses(
        call._get_param("AllocationIds") or [], call._get_param("PublicIps") or [], {}
    )
    return {"Addresses": matching(call, map(view, found), FIELDS)}
