"""DescribeInstances, TerminateInstances: an instance as its owner sees it.

AWS: of a terminated instance block devices, interfaces, addresses, subnet and groups are gone while
image, type, placement and reason remain (from observation; the documents say only "gradually");
`InstanceLifecycle` is absent for On-Demand; one unknown id fails the whole call, an unknown id in a
filter does not (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeInstances.html). moto
shows a terminated instance as if it lived and takes terminated targets out of their groups itself.
"""

from typing import Any

from moto.autoscaling.models import autoscaling_backends
from moto.ec2.responses import EC2Response

from local.aws import licenses, tags
from local.aws.filters import View, matching, page
from local.aws.patch import Answer, answers, refuse

FIELDS = {
    "availability-zone": lambda it: it["Placement"]["AvailabilityZone"],
    "block-device-mapping.volume-id": lambda it: [
        device["Ebs"]["VolumeId"] for device in it["BlockDeviceMappings"]
    ],
    "client-token": lambda it: it["ClientToken"],
    "image-id": lambda it: it["ImageId"],
    "instance-id": lambda it: it["InstanceId"],
    "instance-lifecycle": lambda it: it["InstanceLifecycle"],
    "instance-state-code": lambda it: it["State"]["Code"],
    "instance-state-name": lambda it: it["State"]["Name"],
    "instance-type": lambda it: it["InstanceType"],
    "private-ip-address": lambda it: it.get("PrivateIpAddress"),
    "spot-instance-request-id": lambda it: it["SpotInstanceRequestId"],
    "state-reason-code": lambda it: (it["StateReason"] or {}).get("Code"),
    "subnet-id": lambda it: it.get("SubnetId"),
    "vpc-id": lambda it: it.get("VpcId"),
}


def view(instance: Any) -> View:
    shown = _lasting(instance)
    return shown if instance.state == "terminated" else shown | _attached(instance)


def _lasting(instance: Any) -> View:
    reason = instance.state_reason
    return {
        "AmiLaunchIndex": instance.ami_launch_index,
        "Architecture": instance.architecture or "x86_64",
        "BlockDeviceMappings": [],
        "ClientToken": instance.client_token or "",
        "EbsOptimized": bool(instance.ebs_optimized),
        "HibernationOptions": {"Configured": _hibernates(instance)},
        "Hypervisor": "xen",
        "ImageId": instance.image_id,
        "InstanceId": instance.id,
        "InstanceLifecycle": instance.lifecycle,
        "InstanceType": instance.instance_type,
        "KeyName": instance.key_name,
        "LaunchTime": instance.launch_time,
        "Licenses": licenses.shown(instance),
        "MetadataOptions": instance.metadata_options,
        "Monitoring": {"State": instance.monitoring_state},
        "NetworkInterfaces": [],
        "Placement": _placement(instance),
        "RootDeviceName": instance.root_device_name,
        "RootDeviceType": "ebs",
        "SecurityGroups": [],
        "SpotInstanceRequestId": getattr(instance, "spot_request_id", None),
        "State": {"Code": instance.state_code, "Name": instance.state},
        "StateReason": {"Code": reason.code, "Message": reason.message} if reason.code else None,
        "StateTransitionReason": instance.state_transition_reason or "",
        "Tags": tags.shown(instance.ec2_backend, instance.id),
        "VirtualizationType": "hvm",
        **getattr(instance, "boots_like", {}),
    }


def _placement(instance: Any) -> View:
    given = getattr(instance, "launched_as", {}).get("Placement") or {}
    return {
        "AvailabilityZone": instance.placement.zone,
        "GroupName": given.get("GroupName") or "",
        "Tenancy": given.get("Tenancy") or "default",
    }


def _hibernates(instance: Any) -> bool:
    return bool((instance.hibernation_options or {}).get("Configured"))


def _attached(instance: Any) -> View:
    """Attachments that end with the instance."""
    primary = instance.nics[0]
    association = instance.ec2_backend.iam_instance_profile_associations.get(instance.id)
    profile = association and association.iam_instance_profile
    return {
        "BlockDeviceMappings": [_device(it) for it in instance.block_device_mapping.items()],
        "IamInstanceProfile": {"Arn": profile.arn, "Id": profile.id} if profile else None,
        "NetworkInterfaces": [interface_view(it) for it in instance.nics.values()],
        "PrivateDnsName": instance.private_dns_name,
        "PrivateIpAddress": primary.private_ip_address,
        "PublicIpAddress": primary.public_ip,
        "SecurityGroups": groups(primary),
        "SourceDestCheck": True,
        "SubnetId": primary.subnet.id,
        "VpcId": primary.subnet.vpc_id,
    }


def _device(pair: tuple[str, Any]) -> View:
    name, device = pair
    return {
        "DeviceName": name,
        "Ebs": {
            "AttachTime": device.attach_time,
            "DeleteOnTermination": bool(device.delete_on_termination),
            "Status": device.status,
            "VolumeId": device.volume_id,
        },
    }


def groups(nic: Any) -> list[View]:
    unique = {it.id: it.name for it in nic.group_set}
    return [{"GroupId": key, "GroupName": name} for key, name in unique.items()]


def interface_view(nic: Any) -> View:
    return {
        "NetworkInterfaceId": nic.id,
        "Association": _association(nic),
        "Attachment": {
            "AttachTime": nic.attach_time,
            "AttachmentId": nic.attachment_id,
            "DeleteOnTermination": bool(nic.delete_on_termination),
            "DeviceIndex": nic.device_index,
            "NetworkCardIndex": 0,
            "Status": "attached",
        },
        "Description": nic.description,
        "Groups": groups(nic),
        "InterfaceType": "interface",
        "Ipv6Addresses": [{"Ipv6Address": it} for it in nic.ipv6_addresses],
        "MacAddress": nic.mac_address,
        "OwnerId": nic.owner_id,
        "PrivateIpAddress": nic.private_ip_address,
        "PrivateIpAddresses": nic.private_ip_addresses,
        "SourceDestCheck": True,
        "Status": "in-use",
        "SubnetId": nic.subnet.id,
        "VpcId": nic.subnet.vpc_id,
    }


def _association(nic: Any) -> View | None:
    """An automatic public address is Amazon's, an Elastic one the account's."""
    if not nic.public_ip:
        return None
    elastic = any(it.public_ip == nic.public_ip for it in nic.ec2_backend.addresses)
    return {"PublicIp": nic.public_ip, "IpOwnerId": nic.owner_id if elastic else "amazon"}


def reservation_view(reservation: Any, members: list[View]) -> View:
    return {
        "Groups": [],
        "Instances": members,
        "OwnerId": reservation.owner_id,
        "ReservationId": reservation.id,
    }


@answers(EC2Response)
def describe_instances(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = call._get_param("InstanceIds") or []
    if wanted and call._get_param("MaxResults"):
        message = "The parameter instancesSet cannot be used with the parameter maxResults"
        raise refuse("InvalidParameterCombination", message)
    for instance_id in wanted:
        backend.get_instance(instance_id)
    found = []
    for reservation in backend.reservations.values():
        views = [view(it) for it in reservation.instances if not wanted or it.id in wanted]
        members = matching(call, views, FIELDS)
        if members:
            found.append(reservation_view(reservation, members))
    return page(call, "Reservations", found, at_most=1000)


@answers(EC2Response)
def terminate_instances(call: Any) -> Answer:
    ids = call._get_param("InstanceIds") or []
    changed = call.ec2_backend.terminate_instances(ids)
    autoscaling_backends[call.current_account][call.region].notify_terminate_instances(ids)
    return {
        "TerminatingInstances": [
            {
                "InstanceId": instance.id,
                "CurrentState": {"Code": instance.state_code, "Name": instance.state},
                "PreviousState": {"Code": before.code, "Name": before.name},
            }
            for instance, before in changed
        ]
    }
