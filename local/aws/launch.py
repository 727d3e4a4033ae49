"""One launch, by RunInstances or by a fleet.

AWS: a subnet with AssignIpv6AddressOnCreation gives every interface in it an IPv6 address
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifySubnetAttribute.html); with a network
interface in the request, subnet and security groups belong inside it (`InvalidParameterCombination`); an interface or private address that another instance has cannot be
given twice; whether a subnet gives a public address by default counts where nothing is said of it
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceNetworkInterfaceSpecification.html); an instance is `pending` first
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html). moto mixes them, answers an
address in use with HTTP 500, and has the instance running at once.
"""

from dataclasses import dataclass, field
from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES
from moto.ec2.utils import parse_user_data, random_spot_request_id

from local.aws import capacity, deaths, devices, images, instances, keys, options, requests, tags
from local.aws.patch import refuse

#: values of RunInstances that stand for themselves in a template
INTERFACE_OR_TOP = ("SubnetId", "SecurityGroupIds", "SecurityGroups", "PrivateIpAddress")


@dataclass
class Launch:
    """Template, overrides and request already merged, named as RunInstances names them."""

    data: dict[str, Any]
    market: str
    block_devices: list[list[dict[str, Any]] | None]
    instance_tags: dict[str, str] = field(default_factory=dict)
    volume_tags: dict[str, str] = field(default_factory=dict)
    interface_tags: dict[str, str] = field(default_factory=dict)
    #: the tags AWS itself writes
    reserved_tags: dict[str, str] = field(default_factory=dict)
    count: int = 1


@dataclass
class Checked:
    """Everything a launch has been checked for."""

    image: Any
    subnet: Any
    instance_type: str
    mapping: Any


def check(backend: Any, launch: Launch) -> Checked:
    """Checks everything but capacity; nothing is changed."""
    data = launch.data
    image = _image(backend, data)
    instance_type = _instance_type(backend, data)
    _check_interfaces(backend, data)
    options.check(data, instance_type)
    tags.check(launch.instance_tags)
    tags.check(launch.volume_tags)
    tags.check(launch.interface_tags)
    _check_tagged(launch)
    subnet = subnet_of(backend, data)
    _check_key_and_zone(backend, data, subnet)
    mapping = devices.merged(image.block_device_mappings, *launch.block_devices)
    devices.check(backend, mapping, image.root_device_name)
    _check_addresses(data, subnet)
    return Checked(image, subnet, instance_type, mapping)


def start(backend: Any, launch: Launch) -> Any:
    """The reservation; every check comes before the first change."""
    found = check(backend, launch)
    image, subnet, mapping = found.image, found.subnet, found.mapping
    pool = capacity.Pool(subnet.availability_zone, subnet.id, found.instance_type, launch.market)
    capacity.check(pool)
    reservation = _run(backend, launch, subnet)
    for instance in reservation.instances:
        instance.boots_like = images.boots_like(image)
        _complete(instance, launch)
        devices.create(instance, mapping, launch.volume_tags)
        made = [backend.volumes[it.volume_id] for it in instance.block_device_mapping.values()]
        instances.boot(instance, deaths.next_one() if keys.are_usable(made) else deaths.NO_KEY)
    return reservation


def _image(backend: Any, data: dict[str, Any]) -> Any:
    if not data.get("ImageId"):
        raise refuse("MissingParameter", "The request must contain the parameter ImageId")
    (image,) = backend.describe_images(ami_ids=[data["ImageId"]])
    shown = images.view(image)
    if shown["State"] != "available":
        raise refuse("InvalidAMIID.Unavailable", f"The image '{image.id}' is not available")
    if shown["VirtualizationType"] != "hvm" or shown["Architecture"] == "i386":
        message = (
            f"The image '{image.id}' is {shown['Architecture']}, {shown['VirtualizationType']}"
        )
        raise refuse("InvalidParameterValue", message)
    return image


def _instance_type(backend: Any, data: dict[str, Any]) -> str:
    name = data.get("InstanceType") or "m1.small"
    if name not in INSTANCE_TYPES:
        raise refuse("InvalidParameterValue", f"Invalid value '{name}' for InstanceType.")
    return name


def _check_interfaces(backend: Any, data: dict[str, Any]) -> None:
    interfaces = data.get("NetworkInterfaces") or []
    outside = [name for name in INTERFACE_OR_TOP if data.get(name)]
    if interfaces and outside:
        message = (
            f"Network interfaces and an instance-level {outside[0]} may not be specified on the "
            "same request"
        )
        raise refuse("InvalidParameterCombination", message)
    for interface in interfaces:
        nic_id = interface.get("NetworkInterfaceId")
        if nic_id and backend.get_network_interface(nic_id).status == "in-use":
            message = f"Interface: {nic_id} in use."
            raise refuse("InvalidNetworkInterface.InUse", message)


def _check_tagged(launch: Launch) -> None:
    """ "If the instance does not include the resource type that you specify, the instance launch fails"."""
    given = launch.data.get("NetworkInterfaces") or []
    if launch.interface_tags and given and all(it.get("NetworkInterfaceId") for it in given):
        message = "No network interface is made that could be tagged"
        raise refuse("InvalidParameterValue", message)


def subnet_of(backend: Any, data: dict[str, Any]) -> Any:
    """Given, or the default one of the zone."""
    interfaces = data.get("NetworkInterfaces") or []
    if interfaces and interfaces[0].get("NetworkInterfaceId"):
        return backend.get_network_interface(interfaces[0]["NetworkInterfaceId"]).subnet
    given = data.get("SubnetId") or (interfaces and interfaces[0].get("SubnetId"))
    if given:
        return backend.get_subnet(given)
    wanted = (data.get("Placement") or {}).get("AvailabilityZone")
    defaults = backend.get_default_subnets()
    zone = wanted or f"{backend.region_name}a"
    if zone not in defaults:
        message = f"No default subnet for availability zone: '{zone}'."
        raise refuse("MissingInput", message)
    return defaults[zone]


def _check_key_and_zone(backend: Any, data: dict[str, Any], subnet: Any) -> None:
    """An empty name is a name; the error for the zone is not verified on AWS."""
    key = data.get("KeyName")
    if key is not None and key not in backend.key_pairs:
        raise refuse("InvalidKeyPair.NotFound", f"The key pair '{key}' does not exist")
    zone = (data.get("Placement") or {}).get("AvailabilityZone")
    if zone and zone != subnet.availability_zone:
        message = f"The subnet {subnet.id} is not in the Availability Zone {zone}"
        raise refuse("InvalidParameterValue", message)


def _check_addresses(data: dict[str, Any], subnet: Any) -> None:
    interfaces = data.get("NetworkInterfaces") or []
    listed = [it for nic in interfaces for it in nic.get("PrivateIpAddresses") or []]
    wanted = [data.get("PrivateIpAddress")]
    wanted += [it.get("PrivateIpAddress") for it in [*interfaces, *listed]]
    for address in filter(None, wanted):
        if address in subnet._subnet_ips:
            message = f"Address {address} is in use."
            raise refuse("InvalidIPAddress.InUse", message)


def _run(backend: Any, launch: Launch, subnet: Any) -> Any:
    data = launch.data
    interfaces = [_interface(it, subnet) for it in data.get("NetworkInterfaces") or []]
    monitored = (data.get("Monitoring") or {}).get("Enabled")
    profile = data.get("IamInstanceProfile") or {}
    reservation = backend.run_instances(
        data["ImageId"],
        launch.count,
        parse_user_data(str(data["UserData"]) if data.get("UserData") else None),
        data.get("SecurityGroups") or [],
        instance_type=data.get("InstanceType") or "m1.small",
        is_instance_type_default=False,
        region_name=backend.region_name,
        subnet_id=None if interfaces else subnet.id,
        key_name=data.get("KeyName"),
        security_group_ids=list(data.get("SecurityGroupIds") or []),
        nics=interfaces,
        private_ip=data.get("PrivateIpAddress"),
        associate_public_ip=None,
        ebs_optimized=data.get("EbsOptimized") or False,
        disable_api_stop=data.get("DisableApiStop") or False,
        disable_api_termination=data.get("DisableApiTermination") or False,
        instance_market_options="spot" if launch.market == "spot" else {},
        instance_initiated_shutdown_behavior=data.get("InstanceInitiatedShutdownBehavior"),
        hibernation_options=data.get("HibernationOptions") or {},
        monitoring_state="enabled" if monitored else "disabled",
        metadata_options=data.get("MetadataOptions") or {},
        client_token=data.get("ClientToken"),
        block_device_mappings=[],
    )
    for instance in reservation.instances if profile else []:
        backend.associate_iam_instance_profile(
            instance_id=instance.id,
            iam_instance_profile_name=profile.get("Name"),
            iam_instance_profile_arn=profile.get("Arn"),
        )
    return reservation


def _interface(given: dict[str, Any], subnet: Any) -> dict[str, Any]:
    if given.get("NetworkInterfaceId"):
        return {**given, "DeviceIndex": given.get("DeviceIndex", 0)}
    public = given.get("AssociatePublicIpAddress")
    return {
        **given,
        "AssociatePublicIpAddress": _gives_public(subnet) if public is None else public,
        "DeviceIndex": given.get("DeviceIndex", 0),
        "SubnetId": given.get("SubnetId") or subnet.id,
        "Groups": list(given.get("Groups") or []),
    }


def _gives_public(subnet: Any) -> bool:
    """MapPublicIpOnLaunch, which moto keeps as a bool or as a word."""
    return str(subnet.map_public_ip_on_launch).lower() == "true"


def _complete(instance: Any, launch: Launch) -> None:
    """Fills in what moto leaves open."""
    backend = instance.ec2_backend
    instance.launched_as = launch.data
    if launch.market == "spot":
        instance.lifecycle = "spot"
        instance.spot_request_id = random_spot_request_id()
        options = (launch.data.get("InstanceMarketOptions") or {}).get("SpotOptions") or {}
        requests.made(instance, options)
    given = {it.get("DeviceIndex", 0): it for it in launch.data.get("NetworkInterfaces") or []}
    for index, nic in instance.nics.items():
        asked = given.get(index, {})
        default = "NetworkInterfaceId" not in asked
        wanted = asked.get("DeleteOnTermination")
        nic.delete_on_termination = default if wanted is None else bool(wanted)
        for address in backend.addresses:
            if address.eni is nic:
                address.instance = instance
        if "NetworkInterfaceId" not in asked:
            tags.write(backend, nic.id, launch.interface_tags)
        if nic.subnet.assign_ipv6_address_on_creation and not nic.ipv6_addresses:
            backend.assign_ipv6_addresses(nic.id, None, 1)
    tags.write(backend, instance.id, launch.instance_tags | launch.reserved_tags)
