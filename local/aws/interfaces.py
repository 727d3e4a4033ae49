"""Network interfaces.

AWS: an interface is bound to its zone; one in use cannot be attached again, nor can two be at one place;
one that is attached later survives its instance unless told otherwise
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AttachNetworkInterface.html). Only a call that
names the attachment can change its DeleteOnTermination
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyNetworkInterfaceAttribute.html). Private
addresses are assigned by name or by count, and one that is assigned elsewhere moves only if that is
allowed (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_AssignPrivateIpAddresses.html). Only
a free one can be deleted (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteNetworkInterface.html).
moto attaches anything anywhere, knows no attachment to modify, hands out addresses twice, finds
interfaces by their primary address only, deletes them from under an instance, and keeps their tags.

Not verified on AWS: the error code of an address that is assigned elsewhere.
"""

from typing import Any

from moto.ec2.models.elastic_network_interfaces import NetworkInterface
from moto.ec2.responses import EC2Response

from local.aws import addresses, reservations, tags
from local.aws.filters import View, matching, page
from local.aws.patch import Answer, answers, refuse, replaces

FIELDS = {
    "addresses.private-ip-address": lambda it: [
        address["PrivateIpAddress"] for address in it["PrivateIpAddresses"]
    ],
    "attachment.attachment-id": lambda it: (it["Attachment"] or {}).get("AttachmentId"),
    "attachment.instance-id": lambda it: (it["Attachment"] or {}).get("InstanceId"),
    "availability-zone": lambda it: it["AvailabilityZone"],
    "network-interface-id": lambda it: it["NetworkInterfaceId"],
    "private-ip-address": lambda it: it["PrivateIpAddress"],
    "status": lambda it: it["Status"],
    "subnet-id": lambda it: it["SubnetId"],
    "vpc-id": lambda it: it["VpcId"],
}
MOST_ADDRESSES = 10
MOTO_DELETE = NetworkInterface.delete


def view(nic: Any) -> View:
    held = nic.instance is not None
    shown = reservations.interface_view(nic)
    attachment = shown["Attachment"] | {"InstanceId": nic.instance.id} if held else None
    found = tags.shown(nic.ec2_backend, nic.id)
    return shown | {
        "Attachment": attachment,
        "AvailabilityZone": nic.subnet.availability_zone,
        "Status": "in-use" if held else "available",
        "Tags": found,
        "TagSet": found,
    }


@answers(EC2Response)
def describe_network_interfaces(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = call._get_param("NetworkInterfaceIds") or []
    for nic_id in wanted:
        backend.get_network_interface(nic_id)
    views = [view(it) for it in backend.enis.values() if not wanted or it.id in wanted]
    return page(call, "NetworkInterfaces", matching(call, views, FIELDS), at_most=1000)


@answers(EC2Response)
def attach_network_interface(call: Any) -> Answer:
    backend = call.ec2_backend
    nic = backend.get_network_interface(call._get_param("NetworkInterfaceId"))
    instance = backend.get_instance(call._get_param("InstanceId"))
    device = int(call._get_param("DeviceIndex"))
    _check(nic, instance, device)
    nic.delete_on_termination = False
    attachment = instance.attach_eni(nic, device)
    for address in backend.addresses:
        if address.eni is nic:
            address.instance = instance
    return {"AttachmentId": attachment, "NetworkCardIndex": 0}


def _check(nic: Any, instance: Any, device: int) -> None:
    if nic.instance is not None:
        raise refuse("InvalidNetworkInterface.InUse", f"Interface: [{nic.id}] in use.")
    if instance.state not in ("running", "stopped"):
        message = (
            f"The instance '{instance.id}' is not in a state from which it can be attached to."
        )
        raise refuse("IncorrectState", message)
    if nic.subnet.availability_zone != instance.placement.zone:
        message = (
            "You may not attach a network interface to an instance if they are not in the same "
            "availability zone"
        )
        raise refuse("InvalidParameterCombination", message)
    if device in instance.nics:
        message = f"Instance '{instance.id}' already has an interface attached at device index"
        raise refuse("InvalidParameterValue", f"{message} '{device}'.")


def released(nic: Any) -> None:
    """Its instance has ended without it."""
    nic.instance, nic.attachment_id, nic.status = None, None, "available"
    for address in nic.ec2_backend.addresses:
        if address.eni is nic:
            address.instance = None


@answers(EC2Response)
def modify_network_interface_attribute(call: Any) -> Answer:
    backend = call.ec2_backend
    nic = backend.get_network_interface(call._get_param("NetworkInterfaceId"))
    changes = call._get_param("Attachment")
    if changes is None:
        groups = call._get_param("Groups", [])
        check = call._get_param("SourceDestCheck.Value")
        text = call._get_param("Description.Value")
        backend.modify_network_interface_attribute(nic.id, groups, check, text)
        return {}
    if nic.attachment_id is None or changes.get("AttachmentId") != nic.attachment_id:
        message = f"The networkInterface attachment '{changes.get('AttachmentId')}' does not exist"
        raise refuse("InvalidAttachmentID.NotFound", message)
    if nic.instance.state in ("shutting-down", "terminated"):
        raise refuse("IncorrectState", f"The instance '{nic.instance.id}' is ending.")
    nic.delete_on_termination = str(changes.get("DeleteOnTermination")).lower() == "true"
    return {}


@replaces(NetworkInterface)
def delete(self: Any) -> None:
    MOTO_DELETE(self)
    self.ec2_backend.tags.pop(self.id, None)


@answers(EC2Response)
def delete_network_interface(call: Any) -> Answer:
    backend = call.ec2_backend
    nic = backend.get_network_interface(call._get_param("NetworkInterfaceId"))
    if nic.instance is not None:
        message = f"Network interface '{nic.id}' is currently in use."
        raise refuse("InvalidParameterValue", message)
    for address in backend.addresses:
        if address.eni is nic:
            addresses.leave(address)
    nic.delete()
    return {}


@answers(EC2Response)
def assign_private_ip_addresses(call: Any) -> Answer:
    backend = call.ec2_backend
    nic = backend.get_network_interface(call._get_param("NetworkInterfaceId"))
    named = call._get_param("PrivateIpAddresses") or []
    count = int(call._get_param("SecondaryPrivateIpAddressCount") or 0)
    if bool(named) == bool(count):
        message = "Specify either private IP addresses or their count"
        raise refuse("InvalidParameterCombination", message)
    has = [it["PrivateIpAddress"] for it in nic.private_ip_addresses]
    new = [it for it in named if it not in has]
    _check_free(nic, new, bool(call._get_param("AllowReassignment")))
    if len(has) + len(new) + count > MOST_ADDRESSES:
        message = "Number of private addresses will exceed limit."
        raise refuse("PrivateIpAddressLimitExceeded", message)
    for address in new:
        nic.subnet.request_ip(address, instance=nic.instance)
    new += [nic.subnet.get_available_subnet_ip(instance=nic.instance) for _ in range(count)]
    nic.private_ip_addresses += [{"Primary": False, "PrivateIpAddress": it} for it in new]
    assigned = [{"PrivateIpAddress": it} for it in new]
    return {"NetworkInterfaceId": nic.id, "AssignedPrivateIpAddresses": assigned}


def _check_free(nic: Any, wanted: list[str], moves: bool) -> None:
    taken = [it for it in wanted if it in nic.subnet._subnet_ips]
    if taken and moves:
        raise refuse("UnsupportedOperation", "The local AWS moves no private addresses")
    if taken:
        message = f"[{', '.join(taken)}] assigned, but move is not allowed."
        raise refuse("InvalidParameterValue", message)
