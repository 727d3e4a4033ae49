"""GetLaunchTemplateData: an instance, described as a launch template.

AWS describes the instance as it is: its interface's id and private addresses, its zone, its devices
with DeleteOnTermination alone, its image, empty strings where there is nothing, reserved tags
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_GetLaunchTemplateData.html and the example in
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/create-launch-template.html). Fed back unchanged it
cannot be launched while the instance lives. moto answers with constants: every device is called
"string", CPU credits are `standard` for all types, and there are no market options.

Not verified on AWS: the error for an instance that has ended.
"""

from typing import Any

from moto.ec2.responses import EC2Response

from local.aws import options, reservations, tags
from local.aws.filters import View
from local.aws.instances import ENDED
from local.aws.patch import Answer, answers, refuse

#: as launched, if given
AS_LAUNCHED = (
    "CapacityReservationSpecification",
    "CpuOptions",
    "EnclaveOptions",
    "LicenseSpecifications",
    "UserData",
)


@answers(EC2Response)
def get_launch_template_data(call: Any) -> Answer:
    instance = call.ec2_backend.get_instance(call._get_param("InstanceId"))
    if instance.state in ENDED:
        message = f"The instance '{instance.id}' is in the '{instance.state}' state."
        raise refuse("IncorrectInstanceState", message)
    return {"LaunchTemplateData": _data(instance)}


def _data(instance: Any) -> View:
    shown = reservations.view(instance)
    given = instance.launched_as
    data = {
        "KernelId": "",
        "RamDiskId": "",
        "EbsOptimized": shown["EbsOptimized"],
        "IamInstanceProfile": _profile(shown),
        "BlockDeviceMappings": [_device(it) for it in shown["BlockDeviceMappings"]],
        "NetworkInterfaces": [_interface(it) for it in shown["NetworkInterfaces"]],
        "ImageId": shown["ImageId"],
        "InstanceType": shown["InstanceType"],
        "KeyName": shown["KeyName"] or "",
        "Monitoring": {"Enabled": shown["Monitoring"]["State"] == "enabled"},
        "Placement": shown["Placement"],
        "DisableApiTermination": bool(instance.disable_api_termination),
        "DisableApiStop": bool(instance.disable_api_stop),
        "InstanceInitiatedShutdownBehavior": instance.instance_initiated_shutdown_behavior,
        "TagSpecifications": _tags(instance),
        "HibernationOptions": shown["HibernationOptions"],
        "MetadataOptions": _metadata(instance),
        "MaintenanceOptions": {"AutoRecovery": "default"},
        "CapacityReservationSpecification": {"CapacityReservationPreference": "open"},
        "EnclaveOptions": {"Enabled": False},
        "PrivateDnsNameOptions": {
            "HostnameType": "ip-name",
            "EnableResourceNameDnsARecord": False,
            "EnableResourceNameDnsAAAARecord": False,
        },
    }
    data["CpuOptions"] = options.own_cpu(instance.instance_type)
    if options.is_burstable(instance.instance_type):
        data["CreditSpecification"] = {"CpuCredits": _credits(instance)}
    if instance.lifecycle == "spot":
        data["InstanceMarketOptions"] = {"MarketType": "spot", "SpotOptions": _spot(given)}
    extra = {name: given[name] for name in AS_LAUNCHED if given.get(name)}
    if "UserData" in extra:
        extra["UserData"] = str(extra["UserData"])
    return data | extra


def _profile(shown: View) -> View | None:
    profile = shown["IamInstanceProfile"]
    return {"Arn": profile["Arn"]} if profile else None


def _device(shown: View) -> View:
    ebs = {"DeleteOnTermination": shown["Ebs"]["DeleteOnTermination"]}
    return {"DeviceName": shown["DeviceName"], "Ebs": ebs}


def _interface(shown: View) -> View:
    association = shown["Association"] or {}
    return {
        "AssociatePublicIpAddress": association.get("IpOwnerId") == "amazon",
        "DeleteOnTermination": shown["Attachment"]["DeleteOnTermination"],
        "Description": shown["Description"] or "",
        "DeviceIndex": shown["Attachment"]["DeviceIndex"],
        "Groups": [it["GroupId"] for it in shown["Groups"]],
        "InterfaceType": "interface",
        "Ipv6Addresses": shown["Ipv6Addresses"],
        "NetworkInterfaceId": shown["NetworkInterfaceId"],
        "PrivateIpAddress": shown["PrivateIpAddress"],
        "PrivateIpAddresses": shown["PrivateIpAddresses"],
        "SubnetId": shown["SubnetId"],
        "NetworkCardIndex": 0,
    }


def _tags(instance: Any) -> list[View]:
    found = tags.shown(instance.ec2_backend, instance.id)
    return [{"ResourceType": "instance", "Tags": found}] if found else []


def _metadata(instance: Any) -> View:
    options = instance.metadata_options
    return {
        "HttpTokens": options.http_tokens,
        "HttpPutResponseHopLimit": options.http_put_response_hop_limit,
        "HttpEndpoint": options.http_endpoint,
        "HttpProtocolIpv6": options.http_protocol_ipv6,
        "InstanceMetadataTags": options.instance_metadata_tags,
    }


def _credits(instance: Any) -> str:
    given = instance.launched_as.get("CreditSpecification") or {}
    default = "standard" if instance.instance_type.startswith("t2.") else "unlimited"
    return given.get("CpuCredits") or default


def _spot(given: View) -> View:
    options = (given.get("InstanceMarketOptions") or {}).get("SpotOptions") or {}
    return {
        "SpotInstanceType": options.get("SpotInstanceType") or "one-time",
        "InstanceInterruptionBehavior": options.get("InstanceInterruptionBehavior") or "terminate",
    }
