"""Network interfaces and private addresses."""

from typing import Any

from local.tests.fleets import template
from local.tests.harness import ZONE_B, Local, code_of, until


def _nic(aws: Local, instance: str) -> str:
    """A free one, beside the instance's own."""
    subnet = aws.instance(instance)["SubnetId"]
    answer = aws.ec2.create_network_interface(SubnetId=subnet)
    return answer["NetworkInterface"]["NetworkInterfaceId"]


def _shown(aws: Local, nic: str) -> dict[str, Any]:
    answer = aws.ec2.describe_network_interfaces(NetworkInterfaceIds=[nic])
    return answer["NetworkInterfaces"][0]


def _attach(aws: Local, nic: str, instance: str, device: int = 1) -> str:
    answer = aws.ec2.attach_network_interface(
        NetworkInterfaceId=nic, InstanceId=instance, DeviceIndex=device
    )
    return answer["AttachmentId"]


def _primary(aws: Local, instance: str) -> dict[str, Any]:
    return aws.instance(instance)["NetworkInterfaces"][0]


def test_an_interface_in_use_or_in_another_zone_or_at_a_taken_place_is_not_attached(
    aws: Local,
) -> None:
    """ "You may not attach a network interface to an instance if they are not in the same availability
    zone"; "Instance 'i-…' already has an interface attached at device index '1'."
    """
    here, there = aws.launch(), aws.launch(Placement={"AvailabilityZone": ZONE_B})
    nic, other = _nic(aws, here), _nic(aws, here)
    attach = aws.ec2.attach_network_interface
    wanted = {"NetworkInterfaceId": nic, "DeviceIndex": 1}
    assert code_of(attach, **wanted, InstanceId=there) == "InvalidParameterCombination"
    _attach(aws, nic, here)
    assert code_of(attach, **wanted, InstanceId=here) == "InvalidNetworkInterface.InUse"
    again = {"NetworkInterfaceId": other, "DeviceIndex": 1, "InstanceId": here}
    assert code_of(attach, **again) == "InvalidParameterValue"


def test_an_interface_survives_unless_it_is_flagged(aws: Local) -> None:
    """Attached later, it persists; kept, it is `available` and has its addresses."""
    instance = aws.launch()
    kept, lost = _nic(aws, instance), _nic(aws, instance)
    _attach(aws, kept, instance)
    attachment = _attach(aws, lost, instance, 2)
    change = aws.ec2.modify_network_interface_attribute
    flag = {"AttachmentId": attachment, "DeleteOnTermination": True}
    foreign = code_of(change, NetworkInterfaceId=kept, Attachment=flag)
    assert foreign == "InvalidAttachmentID.NotFound"
    change(NetworkInterfaceId=lost, Attachment=flag)
    allocation = aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
    aws.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=kept)
    aws.ec2.terminate_instances(InstanceIds=[instance])
    until(lambda: _shown(aws, kept)["Status"] == "available")
    gone = code_of(aws.ec2.describe_network_interfaces, NetworkInterfaceIds=[lost])
    assert gone == "InvalidNetworkInterfaceID.NotFound"
    (address,) = aws.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert address["NetworkInterfaceId"] == kept and "InstanceId" not in address


def test_private_addresses_are_assigned_by_name_if_free_or_by_count(aws: Local) -> None:
    """ "You must specify either the IP addresses or the IP address count in the request." """
    first, second = aws.launch(), aws.launch()
    nics = [_primary(aws, it)["NetworkInterfaceId"] for it in (first, second)]
    assign = aws.ec2.assign_private_ip_addresses
    assert code_of(assign, NetworkInterfaceId=nics[0]) == "InvalidParameterCombination"
    answer = assign(NetworkInterfaceId=nics[0], SecondaryPrivateIpAddressCount=2)
    new = [it["PrivateIpAddress"] for it in answer["AssignedPrivateIpAddresses"]]
    assert len(set(new)) == 2
    taken = code_of(assign, NetworkInterfaceId=nics[1], PrivateIpAddresses=new[:1])
    assert taken == "InvalidParameterValue"
    filters = [{"Name": "addresses.private-ip-address", "Values": new[:1]}]
    (holder,) = aws.ec2.describe_network_interfaces(Filters=filters)["NetworkInterfaces"]
    assert holder["NetworkInterfaceId"] == nics[0]
    aws.ec2.terminate_instances(InstanceIds=[first])
    aws.reach(first, "terminated")
    assign(NetworkInterfaceId=nics[1], PrivateIpAddresses=new[:1])
    addresses = [it["PrivateIpAddress"] for it in _primary(aws, second)["PrivateIpAddresses"]]
    assert addresses[1:] == new[:1]
    many = code_of(assign, NetworkInterfaceId=nics[1], SecondaryPrivateIpAddressCount=9)
    assert many == "PrivateIpAddressLimitExceeded"


def test_an_instance_is_launched_on_an_interface_that_is_free(aws: Local) -> None:
    """ "Interface: [eni-…] in use."; "Network interfaces and an instance-level security groups may not be
    specified on the same request", those of the launch template included.
    """
    old = aws.launch()
    shown = _primary(aws, old)
    nic, group = shown["NetworkInterfaceId"], shown["Groups"][0]["GroupId"]
    bare = template(aws)
    beside = template(aws, SecurityGroupIds=[group])
    wanted = {
        "MinCount": 1,
        "MaxCount": 1,
        "NetworkInterfaces": [{"DeviceIndex": 0, "NetworkInterfaceId": nic}],
        "InstanceMarketOptions": {"MarketType": "spot"},
    }
    run = aws.ec2.run_instances
    named = {"LaunchTemplate": {"LaunchTemplateName": bare, "Version": "$Latest"}}
    assert code_of(run, **wanted, **named) == "InvalidNetworkInterface.InUse"
    flag = {
        "AttachmentId": shown["Attachment"]["AttachmentId"],
        "DeleteOnTermination": False,
    }
    aws.ec2.modify_network_interface_attribute(NetworkInterfaceId=nic, Attachment=flag)
    allocation = aws.ec2.allocate_address(Domain="vpc")["AllocationId"]
    aws.ec2.associate_address(AllocationId=allocation, NetworkInterfaceId=nic)
    aws.ec2.terminate_instances(InstanceIds=[old])
    until(lambda: _shown(aws, nic)["Status"] == "available")
    other = {"LaunchTemplate": {"LaunchTemplateName": beside, "Version": "$Latest"}}
    assert code_of(run, **wanted, **other) == "InvalidParameterCombination"
    (new,) = run(**wanted, **named)["Instances"]
    own = _primary(aws, new["InstanceId"])
    assert own["NetworkInterfaceId"] == nic
    assert own["PrivateIpAddress"] == shown["PrivateIpAddress"]
    assert own["Attachment"]["DeleteOnTermination"] is False
    assert aws.instance(new["InstanceId"])["InstanceLifecycle"] == "spot"
    (address,) = aws.ec2.describe_addresses(AllocationIds=[allocation])["Addresses"]
    assert address["InstanceId"] == new["InstanceId"], "it has stayed on its interface"


def test_only_a_free_interface_is_deleted(aws: Local) -> None:
    """ "You must detach the network interface before you can delete it." """
    instance = aws.launch()
    nic = _nic(aws, instance)
    delete = aws.ec2.delete_network_interface
    used = _primary(aws, instance)["NetworkInterfaceId"]
    assert code_of(delete, NetworkInterfaceId=used) == "InvalidParameterValue"
    delete(NetworkInterfaceId=nic)
    assert code_of(delete, NetworkInterfaceId=nic) == "InvalidNetworkInterfaceID.NotFound"
