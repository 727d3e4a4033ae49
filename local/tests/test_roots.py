"""Other roots for running instances, and images of roots."""

from typing import Any

from local.tests.harness import ROOT_DEVICE, TYPE, ZONE_B, Local, code_of, tagged, until

HVM = {"Architecture": "x86_64", "VirtualizationType": "hvm", "EnaSupport": True}


def task_of(aws: Local, instance: str) -> dict[str, Any]:
    filters = [{"Name": "instance-id", "Values": [instance]}]
    return aws.ec2.describe_replace_root_volume_tasks(Filters=filters)["ReplaceRootVolumeTasks"][-1]


def is_over(aws: Local, instance: str) -> bool:
    states = ("succeeded", "failed", "failed-detached")
    return task_of(aws, instance)["TaskState"] in states


def root_of(aws: Local, instance: str) -> str:
    return aws.devices(instance)[ROOT_DEVICE]


def snapshot_of(aws: Local, volume: str) -> str:
    snapshot = aws.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    state = lambda: aws.ec2.describe_snapshots(SnapshotIds=[snapshot])["Snapshots"][0]["State"]
    until(lambda: state() == "completed")
    return snapshot


def register(aws: Local, name: str, snapshot: str, **said: Any) -> str:
    mapping = {"DeviceName": ROOT_DEVICE, "Ebs": {"SnapshotId": snapshot}}
    answer = aws.ec2.register_image(
        Name=name, RootDeviceName=ROOT_DEVICE, BlockDeviceMappings=[mapping], **said
    )
    image = answer["ImageId"]
    until(lambda: shown(aws, image)["State"] == "available")
    return image


def shown(aws: Local, image: str) -> dict[str, Any]:
    return aws.ec2.describe_images(ImageIds=[image])["Images"][0]


def test_a_free_volume_becomes_the_root_and_the_old_one_stays(aws: Local) -> None:
    """pending, in-progress, succeeded; "the volume remains provisioned in your account"."""
    instance, volume = aws.launch(), aws.new_volume()
    old = root_of(aws, instance)
    wanted = {"InstanceId": instance, "VolumeId": volume, "ClientToken": "one"}
    task = aws.ec2.create_replace_root_volume_task(
        TagSpecifications=tagged("replace-root-volume-task", a="b"), **wanted
    )["ReplaceRootVolumeTask"]
    assert task["TaskState"] == "pending"
    assert root_of(aws, instance) == old
    until(lambda: is_over(aws, instance))
    assert task_of(aws, instance)["TaskState"] == "succeeded"
    assert task_of(aws, instance)["Tags"] == [{"Key": "a", "Value": "b"}]
    assert root_of(aws, instance) == volume
    assert aws.volume(volume)["Attachments"][0]["DeleteOnTermination"] is True
    assert aws.volume(old)["State"] == "available"


def test_a_failed_task_leaves_the_root_or_none(aws: Local) -> None:
    """ "the original root volume is still attached", or "has no root volume attached"."""
    for result, left in (("failed", True), ("failed-detached", False)):
        aws.post("settings", root_by_volume=result)
        instance, volume = aws.launch(), aws.new_volume()
        old = root_of(aws, instance)
        aws.ec2.create_replace_root_volume_task(InstanceId=instance, VolumeId=volume)
        until(lambda it=instance: is_over(aws, it))
        assert task_of(aws, instance)["TaskState"] == result
        assert aws.devices(instance).get(ROOT_DEVICE) == (old if left else None)
        assert aws.volume(volume)["State"] == "available"


def test_what_a_volume_needs_to_become_a_root(aws: Local) -> None:
    """The same zone, available, and encrypted if the original root is."""
    replace = aws.ec2.create_replace_root_volume_task
    instance = aws.launch()
    far, used = aws.new_volume(ZONE_B), root_of(aws, aws.launch())
    for volume in (far, used):
        assert code_of(replace, InstanceId=instance, VolumeId=volume) == "InvalidParameterValue"
    replace(InstanceId=instance, VolumeId=aws.new_volume())
    again = code_of(replace, InstanceId=instance, VolumeId=aws.new_volume())
    assert again == "IncorrectState"


# TRAP 12
def test_an_image_is_what_it_is_said_to_be(aws: Local) -> None:
    """Architecture "Default: i386", VirtualizationType "Default: paravirtual": nothing boots that."""
    snapshot = snapshot_of(aws, root_of(aws, aws.launch()))
    bare = shown(aws, register(aws, "bare", snapshot))
    assert (bare["Architecture"], bare["VirtualizationType"]) == ("i386", "paravirtual")
    assert not bare["EnaSupport"]
    launch = {"InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
    refused = code_of(aws.ec2.run_instances, ImageId=bare["ImageId"], **launch)
    assert refused == "InvalidParameterValue"
    image = register(aws, "full", snapshot, **HVM)
    (made,) = aws.ec2.run_instances(ImageId=image, **launch)["Instances"]
    assert aws.volume(root_of(aws, made["InstanceId"]))["SnapshotId"] == snapshot


def test_a_name_is_used_once_and_a_snapshot_must_be_complete(aws: Local) -> None:
    """ "InvalidAMIName.Duplicate"; a pending snapshot cannot be used."""
    volume = root_of(aws, aws.launch())
    register(aws, "once", snapshot_of(aws, volume))
    mapping = lambda it: [{"DeviceName": ROOT_DEVICE, "Ebs": {"SnapshotId": it}}]
    wanted = {"RootDeviceName": ROOT_DEVICE}
    call = aws.ec2.register_image
    twice = code_of(call, Name="once", BlockDeviceMappings=mapping("snap-0"), **wanted)
    assert twice == "InvalidAMIName.Duplicate"
    pending = aws.ec2.create_snapshot(VolumeId=aws.new_volume())["SnapshotId"]
    early = code_of(call, Name="early", BlockDeviceMappings=mapping(pending), **wanted)
    assert early == "IncorrectState"


def test_the_snapshot_of_an_image_stays_as_long_as_the_image(aws: Local) -> None:
    """ "You cannot delete a snapshot of the root device of an EBS volume used by a registered AMI.\""""
    snapshot = snapshot_of(aws, root_of(aws, aws.launch()))
    image = register(aws, "held", snapshot, **HVM)
    assert code_of(aws.ec2.delete_snapshot, SnapshotId=snapshot) == "InvalidSnapshot.InUse"
    aws.ec2.deregister_image(ImageId=image)
    aws.ec2.delete_snapshot(SnapshotId=snapshot)


def test_a_root_is_made_from_an_image_like_the_instances_own(aws: Local) -> None:
    """ "The new AMI ID is also reflected" by the instance."""
    instance = aws.launch()
    snapshot = snapshot_of(aws, root_of(aws, instance))
    replace = aws.ec2.create_replace_root_volume_task
    other = register(aws, "other", snapshot, VirtualizationType="hvm", Architecture="arm64")
    assert code_of(replace, InstanceId=instance, ImageId=other) == "InvalidParameterValue"
    like = {name: aws.instance(instance).get(name) for name in ("SriovNetSupport",)}
    image = register(aws, "same", snapshot, **HVM, **like)
    replace(InstanceId=instance, ImageId=image)
    until(lambda: is_over(aws, instance))
    assert aws.instance(instance)["ImageId"] == image
    assert aws.volume(root_of(aws, instance))["SnapshotId"] == snapshot
