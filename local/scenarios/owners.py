"""Other owners of an instance or of its parts: fleets, orchestrators, AWS services."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import INSTANCE_TYPE, ZONES, View, as_dict

FLEET = "aws:ec2:fleet-id"
SPOT_FLEET = "aws:ec2spot:fleet-request-id"
TASK_PORT = 49153
DEVICE = "/dev/sdt"
# Of a member: its root and two data volumes.
KEPT = 3


# --- a fleet that keeps its size -----------------------------------------------------------------


def of_a_fleet(stage: Stage, instances: list[str]) -> None:
    """Its user's, of type maintain, which has launched it."""
    world = stage.world
    data = {
        "ImageId": world.image["ImageId"],
        "InstanceType": INSTANCE_TYPE,
        "SecurityGroupIds": [world.security_group],
    }
    template = world.ec2.create_launch_template(
        LaunchTemplateName="of-the-fleet", LaunchTemplateData=data
    )
    specification = {
        "LaunchTemplateId": template["LaunchTemplate"]["LaunchTemplateId"],
        "Version": "1",
    }
    overrides = [{"SubnetId": world.subnets[ZONES[0]]}]
    fleet = world.ec2.create_fleet(
        Type="maintain",
        LaunchTemplateConfigs=[
            {"LaunchTemplateSpecification": specification, "Overrides": overrides}
        ],
        TargetCapacitySpecification={
            "TotalTargetCapacity": 0,
            "DefaultTargetCapacityType": "spot",
        },
    )["FleetId"]
    for it in instances:
        stage.control.join(fleet, it)


def members(stage: Stage) -> list[str]:
    """Members that run. The interrupted one has lost its tag, or has ended."""
    running = [it for it in stage.world.instances() if it["State"]["Name"] == "running"]
    return [it["InstanceId"] for it in running if FLEET in as_dict(it.get("Tags", []))]


def free(stage: Stage) -> set[str]:
    return {it["VolumeId"] for it in stage.world.volumes() if it["State"] == "available"}


def mended_by_hand(stage: Stage) -> None:
    """As the outcome says: the volumes go to the new member. The user deletes the rest of what was kept."""
    (outcome,) = stage.log.outcomes()
    kept = lambda: len(free(stage)) == KEPT and len(members(stage)) == 1
    stage.until("the fleet to launch another, and the volumes to be free", kept, 300)
    volumes, snapshots = free(stage), stage.world.snapshots()
    stage.meanwhile = (outcome, volumes, snapshots)
    (new,) = members(stage)
    for n, volume in enumerate(sorted(volumes)):
        device = f"/dev/sd{'fgh'[n]}"
        stage.world.ec2.attach_volume(VolumeId=volume, InstanceId=new, Device=device)
    for it in snapshots:
        stage.world.ec2.delete_snapshot(SnapshotId=it["SnapshotId"])
    stage.settle(300)


def kept_for_the_fleet(evidence: Evidence) -> list[Result]:
    stage, before = evidence.stage, evidence.before
    outcome, kept, snapshots = stage.meanwhile
    volumes = {volume for volume, _ in before.volumes.values()}
    launched = [
        it
        for it in stage.journal()
        if it["action"] in ("ec2:CreateFleet", "ec2:RunInstances") and it["t"] >= evidence.since
    ]
    targets = stage.world.targets(before.instance, before.private_address)
    fleet = before.tags[FLEET]
    named = all(it in outcome["message"] for it in (fleet, *volumes))
    return [
        checks.equal("nothing is launched beside the fleet", [], launched),
        checks.equal("its volumes have outlived it", True, volumes | {before.root} <= kept),
        checks.equal("they are in a snapshot set", 3, len(snapshots)),
        checks.equal("nothing sends to it", set(), targets),
        checks.equal("the outcome names fleet and volumes", True, named),
    ]


# --- a Spot Fleet --------------------------------------------------------------------------------


def of_a_spot_fleet(stage: Stage, instances: list[str]) -> None:
    """Its user's; maintaining is what a Spot Fleet does unless it is told otherwise."""
    config = {
        "AllocationStrategy": "lowestPrice",
        "IamFleetRole": "arn:aws:iam::123456789012:role/spot-fleet",
        "LaunchSpecifications": [
            {"ImageId": stage.world.image["ImageId"], "InstanceType": INSTANCE_TYPE}
        ],
        "TargetCapacity": 0,
    }
    fleet = stage.world.ec2.request_spot_fleet(SpotFleetRequestConfig=config)
    for it in instances:
        stage.control.join(fleet["SpotFleetRequestId"], it)


def cleaned_up(stage: Stage) -> None:
    """What was kept is its user's, who needs none of it."""
    kept = lambda: len(free(stage)) == KEPT
    stage.until("the volumes to be free", kept, 300)
    (outcome,) = stage.log.outcomes()
    volumes, snapshots = free(stage), stage.world.snapshots()
    stage.meanwhile = (outcome, volumes, snapshots)
    for it in volumes:
        stage.world.ec2.delete_volume(VolumeId=it)
    for it in snapshots:
        stage.world.ec2.delete_snapshot(SnapshotId=it["SnapshotId"])


def kept_for_the_spot_fleet(evidence: Evidence) -> list[Result]:
    stage, before = evidence.stage, evidence.before
    outcome, kept, snapshots = stage.meanwhile
    volumes = {volume for volume, _ in before.volumes.values()}
    launches = {"ec2:CreateFleet", "ec2:RunInstances"}
    launched = [
        it for it in stage.journal() if it["action"] in launches and it["t"] >= evidence.since
    ]
    named = all(it in outcome["message"] for it in (before.tags[SPOT_FLEET], *volumes))
    return [
        checks.equal("nothing is launched beside the fleet", [], launched),
        checks.equal("its volumes have outlived it", True, volumes | {before.root} <= kept),
        checks.equal("they are in a snapshot set", 3, len(snapshots)),
        checks.equal("the outcome names fleet and volumes", True, named),
        Result(stage.called("ec2:DescribeSpotFleetRequests"), "the fleet was asked for its type"),
    ]


# --- ports that an orchestrator chose ------------------------------------------------------------


def with_a_task(stage: Stage, instances: list[str]) -> None:
    """Amazon ECS registers its container instance with the host port of a task."""
    stage.world.add_group("service", "HTTP", 80, "instance")
    for it in instances:
        stage.world.register("service", {"Id": it, "Port": TASK_PORT})


def the_task_is_not(evidence: Evidence) -> list[Result]:
    rest = {it for it in evidence.before.targets if it[0] != "service"}
    return checks.rejoined(replace(evidence, before=replace(evidence.before, targets=rest)))


# --- a Capacity Block, a volume of a service -----------------------------------------------------


def ends_in_ten_minutes(stage: Stage, instances: list[str]) -> None:
    stage.control.interrupt(instances, block_seconds=600)


def with_a_managed_volume(stage: Stage, instances: list[str]) -> None:
    """A service has attached one of its own, which goes with the instance."""
    ec2 = stage.world.ec2
    for it in instances:
        volume = ec2.create_volume(AvailabilityZone=ZONES[0], Size=1)["VolumeId"]
        stage.until(
            "the volume to be there", lambda it=volume: _state(stage, it) == "available", 60
        )
        ec2.attach_volume(VolumeId=volume, InstanceId=it, Device=DEVICE)
        stage.settle(60)
        flag = {"DeviceName": DEVICE, "Ebs": {"DeleteOnTermination": True}}
        ec2.modify_instance_attribute(InstanceId=it, BlockDeviceMappings=[flag])
        stage.control.manage(volume, "ecs.amazonaws.com")


def _state(stage: Stage, volume: str) -> str:
    (found,) = [it for it in stage.world.volumes() if it["VolumeId"] == volume]
    return str(found["State"])


def all_but_the_services(evidence: Evidence) -> list[Result]:
    own: dict[str, Any] = {
        name: it for name, it in evidence.before.volumes.items() if name != DEVICE
    }
    before: View = replace(evidence.before, volumes=own)
    refused = [
        it["action"] for it in evidence.stage.journal() if it["code"] == "OperationNotPermitted"
    ]
    theirs = evidence.before.volumes[DEVICE][0]
    taken = {it["VolumeId"] for it in evidence.stage.world.snapshots()}
    return [
        *checks.moved(replace(evidence, before=before)),
        checks.equal("nothing of the service's was tried to be changed", [], refused),
        checks.equal("and no snapshot of it was taken", False, theirs in taken),
    ]


SCENARIOS = [
    Scenario(
        name="fleet-member",
        story="a member of a fleet that keeps its size: kept, reported, and nothing launched beside it",
        early=of_a_fleet,
        ends=frozenset({"kept"}),
        afterwards=mended_by_hand,
        checks=(kept_for_the_fleet, checks.told_once),
    ),
    Scenario(
        name="spot-fleet-member",
        story="a member of a Spot Fleet: kept, reported, and nothing launched beside it",
        early=of_a_spot_fleet,
        ends=frozenset({"kept"}),
        afterwards=cleaned_up,
        checks=(kept_for_the_spot_fleet, checks.told_once),
    ),
    Scenario(
        name="ecs-ports",
        story="a container instance: the port of its task is not registered for the replacement",
        more=with_a_task,
        checks=(checks.moved, the_task_is_not, checks.one_replacement),
    ),
    Scenario(
        name="capacity-block",
        story="the end of a Capacity Block, ten minutes ahead",
        drive=ends_in_ten_minutes,
        checks=(checks.moved, checks.rejoined, checks.one_replacement, checks.told_once),
        deadline=1200,
    ),
    Scenario(
        name="managed-volume",
        story="a volume that an AWS service manages hinders no step of the rescue",
        more=with_a_managed_volume,
        checks=(all_but_the_services, checks.rejoined, checks.one_replacement),
    ),
]
