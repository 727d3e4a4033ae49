"""The user's side of the account: a network, an image, target groups, and Spot Instances with data.

`World` builds it with the administrator's credentials; `View` is what an instance owns at one
moment, for comparing before and after.
"""

from __future__ import annotations

import json
import re
import threading
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from local.balancers import Balancers
from local.deploy import FUNCTIONS_SESSION, INSTANCE_ROLE, REGION, Deployment

ZONES = [f"{REGION}{letter}" for letter in "abc"]
INSTANCE_TYPE = "m6i.large"
# Deliberately unlike the defaults: a snapshot remembers none of these.
DATA_VOLUMES = {
    "/dev/sdf": {"VolumeType": "gp3", "VolumeSize": 20, "Iops": 3500, "Throughput": 200},
    "/dev/sdg": {"VolumeType": "io2", "VolumeSize": 10, "Iops": 500},
}
LINUX = "amzn2-ami-hvm-2.0.20180810-x86_64-gp2"
WINDOWS = "Windows_Server-2016-English-Nano-Base-2017.10.13"
KEY = "operator"
GROUP = "databases"
EC2 = {"Service": "ec2.amazonaws.com"}
USER_TAGS = {"Name": "database", "team": "storage", "spot-rescue": "on"}


@dataclass(frozen=True)
class View:
    """What one instance owns."""

    instance: str
    zone: str
    private_address: str
    tags: dict[str, str]
    volumes: dict[str, tuple[str, bool]]  # device -> volume, DeleteOnTermination; without the root
    settings: dict[str, dict[str, Any]]  # device -> type, size, IOPS, throughput
    targets: set[tuple[str, str, int]]  # target group, "instance" or "address", port
    addresses: set[str]
    seats: dict[str, tuple[int, str]]  # address -> device index and private address it is on
    interfaces: dict[int, tuple[str, bool]]  # device index -> interface, DeleteOnTermination
    root: str | None


class World:
    """Everything the user has."""

    def __init__(self, deployment: Deployment) -> None:
        self._deployment = deployment
        self._local = threading.local()
        self.subnets: dict[str, str] = {}
        self.groups: dict[str, str] = {}
        self.image: dict[str, Any] = {}
        self.vpc = ""
        self.security_group = ""
        self.profile = ""

    @property
    def ec2(self) -> Any:
        return self._client("ec2")

    @property
    def elb(self) -> Any:
        return self._client("elbv2")

    @cached_property
    def balancers(self) -> Balancers:
        return Balancers(self._client("elb"), self._client("vpc-lattice"))

    @property
    def dns(self) -> Any:
        return self._client("route53")

    @property
    def scaling(self) -> Any:
        return self._client("autoscaling")

    def build(self) -> None:
        vpc = self.ec2.create_vpc(CidrBlock="10.7.0.0/16")["Vpc"]["VpcId"]
        self.vpc = vpc
        for n, zone in enumerate(ZONES):
            subnet = self.ec2.create_subnet(
                VpcId=vpc, CidrBlock=f"10.7.{n}.0/24", AvailabilityZone=zone
            )
            self.subnets[zone] = subnet["Subnet"]["SubnetId"]
        group = self.ec2.create_security_group(GroupName="data", Description="data", VpcId=vpc)
        self.security_group = group["GroupId"]
        self.profile = self.profile_of(INSTANCE_ROLE)
        self.ec2.create_key_pair(KeyName=KEY, KeyType="ed25519")
        self.image = self._amazons(LINUX)
        self.add_group("web", "HTTP", 80, "instance")
        self.add_group("data", "TCP", 5432, "instance")
        self.add_group("by-ip", "TCP", 9000, "ip")

    def add_group(self, name: str, protocol: str, port: int, kind: str, **more: Any) -> None:
        answer = self.elb.create_target_group(
            Name=name, Protocol=protocol, Port=port, VpcId=self.vpc, TargetType=kind, **more
        )
        self.groups[name] = answer["TargetGroups"][0]["TargetGroupArn"]

    def use_windows(self) -> None:
        self.image = self._amazons(WINDOWS)

    def launch(
        self,
        count: int = 1,
        action: str = "terminate",
        tags: dict[str, str] | None = None,
        delete_first: bool = True,
        zone: str = ZONES[0],
        more: dict[str, Any] | None = None,
    ) -> list[str]:
        """Spot Instances with a root, two data volumes, three registrations and an address each."""
        answer = self.ec2.run_instances(
            ImageId=self.image["ImageId"],
            InstanceType=INSTANCE_TYPE,
            MinCount=count,
            MaxCount=count,
            SubnetId=self.subnets[zone],
            SecurityGroupIds=[self.security_group],
            KeyName=KEY,
            IamInstanceProfile={"Arn": self.profile},
            UserData="#!/bin/sh\nsystemctl start database\n",
            InstanceMarketOptions=market(action),
            BlockDeviceMappings=self._devices(delete_first),
            TagSpecifications=[
                {"ResourceType": "instance", "Tags": as_list({**USER_TAGS, **(tags or {})})}
            ],
            **(more or {}),
        )
        return [it["InstanceId"] for it in answer["Instances"]]

    def serve(self, instance: str) -> None:
        """Registers a running instance: plain, on two other ports, by address; and an Elastic IP."""
        self.register("web", {"Id": instance})
        self.register("data", {"Id": instance, "Port": 15432}, {"Id": instance, "Port": 25432})
        self.register("by-ip", {"Id": self.instance(instance)["PrivateIpAddress"]})
        address = self.ec2.allocate_address(Domain="vpc")["AllocationId"]
        self.ec2.associate_address(AllocationId=address, InstanceId=instance)

    def group(
        self, members: list[str], rebalance: bool, hook: str | None, least: int | None
    ) -> None:
        """An Auto Scaling group of these instances, as large as it may be; `least` is its minimum."""
        size = len(members)
        tags = as_dict(self.instance(members[0])["Tags"])
        users = {
            key: it for key, it in tags.items() if not key.startswith(("aws:", "spot-rescue:"))
        }
        data = {
            "ImageId": self.image["ImageId"],
            "InstanceType": INSTANCE_TYPE,
            "SecurityGroupIds": [self.security_group],
            "KeyName": KEY,
            "IamInstanceProfile": {"Arn": self.profile},
            "InstanceMarketOptions": market("terminate"),
        }
        template = self.ec2.create_launch_template(
            LaunchTemplateName=GROUP, LaunchTemplateData=data
        )["LaunchTemplate"]["LaunchTemplateId"]
        policy = {key: it for key, it in tags.items() if key == "spot-rescue:replace"}
        self.scaling.create_auto_scaling_group(
            AutoScalingGroupName=GROUP,
            LaunchTemplate={"LaunchTemplateId": template},
            MinSize=0,
            MaxSize=size,
            DesiredCapacity=0,
            VPCZoneIdentifier=self.subnets[ZONES[0]],
            TargetGroupARNs=[self.groups["web"]],
            CapacityRebalance=rebalance,
            Tags=[{**it, "PropagateAtLaunch": True} for it in as_list(users | policy)],
        )
        self.scaling.attach_instances(AutoScalingGroupName=GROUP, InstanceIds=members)
        self.scaling.update_auto_scaling_group(
            AutoScalingGroupName=GROUP, MinSize=size if least is None else least
        )
        if hook:
            self.scaling.put_lifecycle_hook(
                AutoScalingGroupName=GROUP,
                LifecycleHookName=hook,
                LifecycleTransition="autoscaling:EC2_INSTANCE_LAUNCHING",
            )

    def networked(self, instance: str) -> None:
        """A secondary private address and a second interface, each with an Elastic IP."""
        ec2, it = self.ec2, self.instance(instance)
        primary = it["NetworkInterfaces"][0]["NetworkInterfaceId"]
        answer = ec2.assign_private_ip_addresses(
            NetworkInterfaceId=primary, SecondaryPrivateIpAddressCount=1
        )
        self._elastic_ip(primary, answer["AssignedPrivateIpAddresses"][0]["PrivateIpAddress"])
        nic = ec2.create_network_interface(SubnetId=it["SubnetId"], Groups=[self.security_group])[
            "NetworkInterface"
        ]
        nic_id = nic["NetworkInterfaceId"]
        attachment = ec2.attach_network_interface(
            NetworkInterfaceId=nic_id, InstanceId=instance, DeviceIndex=1
        )["AttachmentId"]
        ec2.modify_network_interface_attribute(
            NetworkInterfaceId=nic_id,
            Attachment={"AttachmentId": attachment, "DeleteOnTermination": True},
        )
        self._elastic_ip(nic_id, nic["PrivateIpAddress"])

    def _elastic_ip(self, nic: str, private_address: str) -> None:
        self.ec2.associate_address(
            AllocationId=self.ec2.allocate_address(Domain="vpc")["AllocationId"],
            NetworkInterfaceId=nic,
            PrivateIpAddress=private_address,
        )

    def view(self, instance: str) -> View:
        it = self.instance(instance)
        address = it.get("PrivateIpAddress", "")
        attached = {nic["NetworkInterfaceId"]: nic["Attachment"] for nic in it["NetworkInterfaces"]}
        held = [
            found
            for found in self.ec2.describe_addresses()["Addresses"]
            if found.get("InstanceId") == instance
        ]
        mappings = {device["DeviceName"]: device["Ebs"] for device in it["BlockDeviceMappings"]}
        root = mappings.pop(it["RootDeviceName"], None)
        ids = [ebs["VolumeId"] for ebs in mappings.values()]
        found = self.ec2.describe_volumes(VolumeIds=ids)["Volumes"] if ids else []
        by_id = {volume["VolumeId"]: volume for volume in found}
        return View(
            instance=instance,
            zone=it["Placement"]["AvailabilityZone"],
            private_address=address,
            tags=as_dict(it.get("Tags", [])),
            volumes={
                name: (ebs["VolumeId"], ebs["DeleteOnTermination"])
                for name, ebs in mappings.items()
            },
            settings={name: settings(by_id[ebs["VolumeId"]]) for name, ebs in mappings.items()},
            targets=self.targets(instance, address),
            addresses={found["AllocationId"] for found in held},
            seats={
                found["AllocationId"]: (
                    attached[found["NetworkInterfaceId"]]["DeviceIndex"],
                    found["PrivateIpAddress"],
                )
                for found in held
            },
            interfaces={
                at["DeviceIndex"]: (nic, at["DeleteOnTermination"])
                for nic, at in attached.items()
                if at["DeviceIndex"] > 0
            },
            root=root and root["VolumeId"],
        )

    def targets(self, instance: str, address: str) -> set[tuple[str, str, int]]:
        """Registrations that send traffic; what drains does not."""
        names = {instance: "instance", address: "address"}
        names |= dict.fromkeys(self.ipv6(instance), "ipv6")
        registered = self.balancers.registered()
        found = {(group, names[it], port) for group, it, port in registered if it in names}
        for name, arn in self.groups.items():
            for health in self.elb.describe_target_health(TargetGroupArn=arn)[
                "TargetHealthDescriptions"
            ]:
                target = health["Target"]
                draining = health["TargetHealth"]["State"] == "draining"
                if target["Id"] in names and not draining:
                    found.add((name, names[target["Id"]], target["Port"]))
        return found

    def ipv6(self, instance: str) -> list[str]:
        found = self.instances([instance])
        interfaces = [nic for it in found for nic in it.get("NetworkInterfaces", [])]
        return [ip["Ipv6Address"] for it in interfaces for ip in it.get("Ipv6Addresses", [])]

    def instance(self, instance: str) -> dict[str, Any]:
        return self.instances([instance])[0]

    def instances(self, ids: list[str] | None = None) -> list[dict[str, Any]]:
        filters = [{"Name": "instance-id", "Values": ids}] if ids else []
        pages = self.ec2.get_paginator("describe_instances").paginate(Filters=filters)
        return [it for page in pages for r in page["Reservations"] for it in r["Instances"]]

    def states(self, ids: list[str] | None = None) -> dict[str, str]:
        return {it["InstanceId"]: it["State"]["Name"] for it in self.instances(ids)}

    def snapshots(self) -> list[dict[str, Any]]:
        return self.ec2.describe_snapshots(OwnerIds=["self"])["Snapshots"]

    def images(self) -> list[dict[str, Any]]:
        """The account's own."""
        return self.ec2.describe_images(Owners=["self"])["Images"]

    def volumes(self) -> list[dict[str, Any]]:
        return self.ec2.describe_volumes()["Volumes"]

    def templates(self) -> list[dict[str, Any]]:
        """The prepared rescues, and claims: the function's by EC2's own word, whatever name others have."""
        found = self.ec2.describe_launch_templates()["LaunchTemplates"]
        return [it for it in found if f"/{FUNCTIONS_SESSION}" in it["CreatedBy"]]

    def _amazons(self, name: str) -> dict[str, Any]:
        named = [{"Name": "name", "Values": [name]}]
        (image,) = self.ec2.describe_images(Owners=["amazon"], Filters=named)["Images"]
        return image

    def profile_of(self, name: str) -> str:
        """An instance profile with a role in it: a launch with it passes the role on."""
        iam = self._client("iam")
        trust = {"Effect": "Allow", "Principal": EC2, "Action": "sts:AssumeRole"}
        document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
        iam.create_role(RoleName=name, AssumeRolePolicyDocument=document)
        profile = iam.create_instance_profile(InstanceProfileName=name)["InstanceProfile"]
        iam.add_role_to_instance_profile(InstanceProfileName=name, RoleName=name)
        return str(profile["Arn"])

    def _devices(self, delete_first: bool) -> list[dict[str, Any]]:
        root = {"VolumeType": "gp3", "VolumeSize": 8, "DeleteOnTermination": True}
        devices = [{"DeviceName": self.image["RootDeviceName"], "Ebs": root}]
        for n, (name, ebs) in enumerate(DATA_VOLUMES.items()):
            delete = delete_first and n == 0
            devices.append({"DeviceName": name, "Ebs": {**ebs, "DeleteOnTermination": delete}})
        return devices

    def register(self, group: str, *targets: dict[str, Any]) -> None:
        self.elb.register_targets(TargetGroupArn=self.groups[group], Targets=list(targets))

    def _client(self, service: str) -> Any:
        clients = self._local.__dict__
        if service not in clients:
            clients[service] = self._deployment.admin.client(service, self._deployment.endpoint)
        return clients[service]


def market(action: str) -> dict[str, Any]:
    """Only a persistent request can be stopped or hibernated."""
    kind = "one-time" if action == "terminate" else "persistent"
    options = {"SpotInstanceType": kind, "InstanceInterruptionBehavior": action}
    return {"MarketType": "spot", "SpotOptions": options}


def settings(volume: dict[str, Any]) -> dict[str, Any]:
    keys = ("VolumeType", "Size", "Iops", "Throughput", "Encrypted")
    return {key: volume.get(key) for key in keys}


def as_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def as_dict(tags: list[dict[str, str]]) -> dict[str, str]:
    return unsealed({it["Key"]: it["Value"] for it in tags})


# What the function adds to its tags, to know them again.
SEAL = re.compile(r" @[A-Za-z0-9_-]{16}$")


def unsealed(tags: dict[str, str]) -> dict[str, str]:
    """As readers without the key see them: without the seals, behind a value or in a tag beside it."""
    return {
        key: SEAL.sub("", value) if key.startswith("spot-rescue:") else value
        for key, value in tags.items()
        if not (key.startswith("spot-rescue:") and key.endswith("-seal"))
    }
