"""Elastic IP addresses.

AWS: an address is associated with one private address of one interface; it moves to another silently
unless reassociation is ruled out, and puts out whichever sat there; an instance can be named only if it
has one interface; one that is pending or has ended cannot get one ("InvalidInstanceID: The pending instance 'i-…' is
not in a valid state for this operation."), a stopped one can; termination disassociates
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssociateAddress.html). moto refuses to move
an address unless asked to, gives one to any instance, and knows no private addresses but the primary.
"""

from typing import Any

from moto.ec2.responses import EC2Response
from moto.ec2.utils import random_eip_association_id

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
    seat = call._get_param("PrivateIpAddress") or nic.private_ip_address
    if seat not in {it["PrivateIpAddress"] for it in nic.private_ip_addresses}:
        message = f"The private IP address {seat} is not assigned to {nic.id}"
        raise refuse("InvalidParameterValue", message)
    address = _address(call)
    before = (address.eni, private_address(address))
    held_elsewhere = address.eni is not None and before != (nic, seat)
    if held_elsewhere and call._get_param("AllowReassociation") is False:
        message = f"resource {address.public_ip} is already associated"
        raise refuse("Resource.AlreadyAssociated", message)
    for other in backend.addresses:
        if other is address or (other.eni is nic and private_address(other) == seat):
            leave(other)
    address.eni, address.instance, address.local_seat = nic, instance, seat
    address.association_id = random_eip_association_id()
    if seat == nic.private_ip_address:
        nic.public_ip = address.public_ip
    return {"AssociationId": address.association_id}


def private_address(address: Any) -> str | None:
    return getattr(address, "local_seat", None) if address.eni else None


def leave(address: Any) -> None:
    """The address is free."""
    if address.eni is None:
        return
    if private_address(address) == address.eni.private_ip_address:
        address.eni.public_ip = None
        address.eni.start()
    address.eni, address.instance, address.association_id = None, None, None


def _target(call: Any) -> tuple[Any, Any]:
    backend = call.ec2_backend
    if not call._get_param("InstanceId"):
        nic = backend.get_network_interface(call._get_param("NetworkInterfaceId"))
        instance = nic.instance
        if instance is not None:
            _check_state(instance)
        return nic, instance
    instance = backend.get_instance(call._get_param("InstanceId"))
    _check_state(instance)
    if len(instance.nics) > 1:
        message = f"There are multiple interfaces attached to instance '{instance.id}'"
        raise refuse("InvalidInstanceID", message)
    return instance.nics[0], instance


def _check_state(instance: Any) -> None:
    if instance.state not in ("running", "stopping", "stopped"):
        message = (
            f"The {instance.state} instance '{instance.id}' is not in a valid state for this "
            "operation."
        )
        raise refuse("InvalidInstanceID", message)


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
        "PrivateIpAddress": private_address(address),
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
