"""What a rescue must know although no event tells it: what changed since the last sweep, volumes without
their tags, a warning hours late, false tags, and limits that are reached.
"""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario, interrupt
from local.stage import SWEEP_SECONDS, Stage
from local.world import INSTANCE_TYPE, View, as_dict, as_list, market

NEW_DEVICE = "/dev/sdh"
OURS = "spot-rescue:"
HOURS = 3 * 3600
# With the opt-in and the name, two of the fifty that EC2 allows are left.
USER_TAGS = {f"user-{n:02}": "of the user" for n in range(45)}
GROUPS = 40


# --- late-change ----------------------------------------------------------------------------------


def changed_since_the_sweep(stage: Stage, instances: list[str]) -> None:
    """A disk, a target group and an Elastic IP more; minutes later, before any sweep, the warning."""
    (instance,) = instances
    world = stage.world
    attach(stage, instance)
    world.add_group("late", "TCP", 6000, "instance")
    world.register("late", {"Id": instance})
    world.networked(instance)
    stage.sleep(300)
    stage.meanwhile = world.view(instance)
    interrupt(stage, instances)


def attach(stage: Stage, instance: str) -> str:
    """One more volume, which is to go with its instance."""
    ec2, zone = stage.world.ec2, stage.world.instance(instance)["Placement"]["AvailabilityZone"]
    volume = str(ec2.create_volume(AvailabilityZone=zone, Size=4, VolumeType="gp3")["VolumeId"])
    stage.sleep(30)
    ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=NEW_DEVICE)
    stage.sleep(30)
    flag = {"DeviceName": NEW_DEVICE, "Ebs": {"DeleteOnTermination": True}}
    ec2.modify_instance_attribute(InstanceId=instance, BlockDeviceMappings=[flag])
    return volume


def with_what_was_new(evidence: Evidence) -> list[Result]:
    before: View = evidence.stage.meanwhile
    after = evidence.after()
    changed = evidence.outcome["changed_since_last_sweep"]
    new = before.volumes[NEW_DEVICE][0]
    return [
        checks.equal("same volume ids, the new one too", checks.names(before), checks.names(after)),
        checks.equal("DeleteOnTermination as it was", checks.flags(before), checks.flags(after)),
        checks.equal("same targets, the new one too", before.targets, after.targets),
        checks.equal("each Elastic IP on its interface", seats(before), seats(after)),
        checks.equal("same interfaces", before.interfaces, after.interfaces),
        Result(f"+{new}" in changed, f"the outcome says what was new ({' '.join(changed)})"),
    ]


def seats(view: View) -> dict[str, int]:
    """The primary private address of a replacement is another one."""
    return {address: device for address, (device, _) in view.seats.items()}


# --- stripped-tags --------------------------------------------------------------------------------


def stripped(stage: Stage, instances: list[str]) -> None:
    """Another tool takes all tags that it does not know off the volumes, once they are free."""
    interrupt(stage, instances)
    ended = lambda: set(stage.world.states(instances).values()) == {"terminated"}
    stage.until("the instance to end", ended, 300)
    strip(stage)


def strip(stage: Stage) -> None:
    for volume in stage.world.volumes():
        keys = [it for it in as_dict(volume.get("Tags", [])) if it.startswith(OURS)]
        if keys:
            tags = [{"Key": key} for key in keys]
            stage.world.ec2.delete_tags(Resources=[volume["VolumeId"]], Tags=tags)


# --- late-hours -----------------------------------------------------------------------------------


def hours_late(stage: Stage, instances: list[str]) -> None:
    """The queue is not worked on for three hours: EC2 has forgotten the instance by then."""
    stage.pump.pause()
    interrupt(stage, instances)
    stage.sleep(HOURS)
    stage.meanwhile = set(stage.world.states()) & set(instances)
    stage.pump.resume()
    back = lambda: any(it["outcome"] == "back-in-service" for it in stage.log.outcomes())
    stage.sweeps("the rescue", back, 4)


def forgotten(evidence: Evidence) -> list[Result]:
    found = evidence.stage.meanwhile
    return [checks.equal("EC2 no longer showed the instance", set(), found)]


# --- copied-tags ----------------------------------------------------------------------------------


def launched_like_it(stage: Stage, instances: list[str]) -> None:
    """An instance with all tags of another one, ours too: from now on there are two."""
    stage.settle(400)
    stage.sweep()
    marked = lambda: "spot-rescue:prepared" in as_dict(stage.world.instance(instances[0])["Tags"])
    stage.until("the first to be prepared", marked, 300)
    copy = like(stage, instances[0])
    instances.append(copy)
    runs = lambda: stage.world.states([copy]) == {copy: "running"}
    stage.until("the copy to run", runs, 200)


def like(stage: Stage, instance: str) -> str:
    world = stage.world
    it = world.instance(instance)
    tags = {key: value for key, value in as_dict(it["Tags"]).items() if not key.startswith("aws:")}
    disk = {"VolumeSize": 4, "VolumeType": "gp3", "DeleteOnTermination": True}
    answer = world.ec2.run_instances(
        ImageId=it["ImageId"],
        InstanceType=INSTANCE_TYPE,
        MinCount=1,
        MaxCount=1,
        SubnetId=it["SubnetId"],
        SecurityGroupIds=[world.security_group],
        IamInstanceProfile={"Arn": world.profile},
        InstanceMarketOptions=market("terminate"),
        BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": disk}],
        TagSpecifications=[{"ResourceType": "instance", "Tags": as_list(tags)}],
    )
    return str(answer["Instances"][0]["InstanceId"])


# --- limits ---------------------------------------------------------------------------------------


def full_of_tags(stage: Stage, instances: list[str]) -> None:
    """With its name, its team and the opt-in the instance has 48."""
    volumes = [it["VolumeId"] for it in stage.world.volumes()]
    tags = as_list(USER_TAGS)
    stage.world.ec2.create_tags(Resources=[*instances, *volumes], Tags=tags)


def all_user_tags(evidence: Evidence) -> list[Result]:
    found = {key: it for key, it in evidence.after().tags.items() if key in USER_TAGS}
    return [checks.equal("all 45 further tags of the user's are there", USER_TAGS, found)]


def in_many_groups(stage: Stage, instances: list[str]) -> None:
    for n in range(GROUPS):
        name = f"k8s-production-databases-{n:04}"
        stage.world.add_group(name, "TCP", 7000 + n, "instance")
        stage.world.register(name, {"Id": instances[0]})


WHOLE = (checks.moved, checks.rejoined, checks.one_replacement, checks.told_once)
SCENARIOS = [
    Scenario(
        name="late-change",
        story="a disk, a target group and addresses that came since the last sweep follow as well",
        drive=changed_since_the_sweep,
        checks=(with_what_was_new, checks.one_replacement, checks.told_once),
    ),
    Scenario(
        name="stripped-tags",
        story="another tool strips our tags off the free volumes: they are found by their ids",
        drive=stripped,
        checks=WHOLE,
    ),
    Scenario(
        name="late-hours",
        story="the queue stands still for three hours: EC2 has forgotten the instance, the record has not",
        drive=hours_late,
        # What has the flag went with its instance.
        delete_first=False,
        checks=(forgotten, checks.moved, checks.rejoined, checks.one_replacement),
        deadline=SWEEP_SECONDS,
    ),
    Scenario(
        name="copied-tags",
        story="an instance launched with all tags of another one is protected by itself, and gets nothing",
        more=launched_like_it,
        checks=WHOLE,
    ),
    Scenario(
        name="full-of-tags",
        story="48 tags of its user's on the instance, 45 on each volume: everything follows, tags and all",
        more=full_of_tags,
        checks=(*WHOLE, all_user_tags),
    ),
    Scenario(
        name="many-groups",
        story="an instance in 43 target groups, as behind Kubernetes services: registered with all of them again",
        more=in_many_groups,
        checks=WHOLE,
    ),
]
