"""Volumes, attached and not."""

import pytest
from botocore.exceptions import ClientError

from local.tests.harness import ROOT_DEVICE, TYPE, ZONE_A, ZONE_B, Local, code_of, until

DEVICE = "/dev/sdh"


# TRAP 33
def test_settings_are_kept_and_the_default_is_gp2(aws: Local) -> None:
    """VolumeType: "Default: gp2"; iops and throughput as created."""
    plain = aws.volume(aws.new_volume())
    assert plain["VolumeType"] == "gp2"
    fast = aws.volume(aws.new_volume(VolumeType="gp3", Iops=4000, Throughput=250, Encrypted=True))
    assert (fast["Iops"], fast["Throughput"], fast["Encrypted"]) == (4000, 250, True)
    assert fast["KmsKeyId"].startswith("arn:aws:kms:")


def test_a_new_volume_is_being_created_first(aws: Local) -> None:
    """Volume states: creating, available, in-use, deleting, deleted, error."""
    instance = aws.launch(running=False)
    answer = aws.ec2.create_volume(AvailabilityZone=ZONE_A, Size=1)
    assert answer["State"] == aws.volume(answer["VolumeId"])["State"] == "creating"
    early = code_of(
        aws.ec2.attach_volume, VolumeId=answer["VolumeId"], InstanceId=instance, Device=DEVICE
    )
    assert early == "IncorrectState"


# TRAP 17
def test_a_volume_is_attached_and_survives_by_default(aws: Local) -> None:
    """ "Attaches an EBS volume to a running or stopped instance"; it is not deleted with it."""
    instance, volume = aws.launch(), aws.new_volume()
    aws.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
    until(lambda: aws.volume(volume)["Attachments"][0]["State"] == "attached")
    (attachment,) = aws.volume(volume)["Attachments"]
    assert attachment["DeleteOnTermination"] is False
    assert (attachment["InstanceId"], attachment["Device"]) == (instance, DEVICE)
    filters = [{"Name": "attachment.instance-id", "Values": [instance]}]
    found = aws.ec2.describe_volumes(Filters=filters)["Volumes"]
    assert {it["VolumeId"] for it in found} == set(aws.devices(instance).values())


# TRAP 17
def test_what_an_attachment_needs(aws: Local) -> None:
    """The volume and instance must be in the same Availability Zone, the volume `available`."""
    attach = aws.ec2.attach_volume
    instance, volume = aws.launch(), aws.new_volume()
    far = aws.new_volume(ZONE_B)
    wanted = {"InstanceId": instance, "Device": DEVICE}
    assert code_of(attach, VolumeId=far, **wanted) == "InvalidVolume.ZoneMismatch"
    attach(VolumeId=volume, **wanted)
    assert code_of(attach, VolumeId=volume, **wanted) == "VolumeInUse"
    other = aws.new_volume()
    with pytest.raises(ClientError, match="is already in use") as caught:
        attach(VolumeId=other, **wanted)
    assert caught.value.response["Error"]["Code"] == "InvalidParameterValue"


# TRAP 17
@pytest.mark.parametrize("state", ["pending", "shutting-down", "terminated"])
def test_no_attachment_to_an_instance_that_is_not_there(aws: Local, state: str) -> None:
    """ "Attaches an EBS volume to a running or stopped instance." """
    aws.post("settings", boot_seconds=100000 if state == "pending" else 1)
    aws.post("settings", shutdown_seconds=100000 if state == "shutting-down" else 1)
    volume = aws.new_volume()
    instance = aws.launch(running=state != "pending")
    if state != "pending":
        aws.ec2.terminate_instances(InstanceIds=[instance])
    aws.reach(instance, state)
    wanted = {"VolumeId": volume, "InstanceId": instance, "Device": DEVICE}
    assert code_of(aws.ec2.attach_volume, **wanted) == "IncorrectState"


# TRAP 15
def test_a_running_root_stays(aws: Local) -> None:
    """If this volume is the root device of an instance, it can't be detached while running."""
    instance = aws.launch()
    root = aws.devices(instance)[ROOT_DEVICE]
    assert code_of(aws.ec2.detach_volume, VolumeId=root) == "OperationNotPermitted"


def test_a_detached_volume_comes_free(aws: Local) -> None:
    """ "detaching", then `available`."""
    instance, volume = aws.launch(), aws.new_volume()
    aws.ec2.attach_volume(VolumeId=volume, InstanceId=instance, Device=DEVICE)
    aws.ec2.detach_volume(VolumeId=volume, InstanceId=instance)
    until(lambda: aws.volume(volume)["State"] == "available")
    assert DEVICE not in aws.devices(instance)


# TRAP 15
def test_delete_on_termination_of_several_devices_at_once(aws: Local) -> None:
    """Ebs.DeleteOnTermination: "the default is true" where it is left out."""
    names = ["/dev/sdf", "/dev/sdg"]
    devices = [{"DeviceName": it, "Ebs": {"VolumeSize": 1}} for it in names]
    instance = aws.launch(BlockDeviceMappings=devices)
    flags = [{"DeviceName": it, "Ebs": {"DeleteOnTermination": False}} for it in names]
    modify = aws.ec2.modify_instance_attribute
    modify(InstanceId=instance, BlockDeviceMappings=flags)
    assert _flags(aws, instance) == {ROOT_DEVICE: True, "/dev/sdf": False, "/dev/sdg": False}
    modify(InstanceId=instance, BlockDeviceMappings=[{"DeviceName": "/dev/sdf", "Ebs": {}}])
    assert _flags(aws, instance)["/dev/sdf"] is True
    aws.ec2.terminate_instances(InstanceIds=[instance])
    late = code_of(modify, InstanceId=instance, BlockDeviceMappings=flags)
    assert late == "IncorrectInstanceState"


def _flags(aws: Local, instance: str) -> dict[str, bool]:
    mappings = aws.instance(instance)["BlockDeviceMappings"]
    return {it["DeviceName"]: it["Ebs"]["DeleteOnTermination"] for it in mappings}


def test_an_instance_gets_the_devices_of_image_and_request(aws: Local) -> None:
    """NoDevice: "To omit the device from the block device mapping, specify an empty string." """
    image = aws.ec2.register_image(
        Name=f"with-data-{id(aws)}",
        RootDeviceName=ROOT_DEVICE,
        Architecture="x86_64",
        VirtualizationType="hvm",
        EnaSupport=True,
        BlockDeviceMappings=[
            {"DeviceName": name, "Ebs": {"VolumeSize": 2, "VolumeType": "gp3"}}
            for name in ("/dev/sdb", "/dev/sdc")
        ],
    )["ImageId"]
    state = lambda: aws.ec2.describe_images(ImageIds=[image])["Images"][0]["State"]
    until(lambda: state() == "available")
    own = [
        {"DeviceName": "/dev/sdb", "NoDevice": ""},
        {"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 3, "VolumeType": "io2", "Iops": 150}},
        {"DeviceName": ROOT_DEVICE, "Ebs": {"VolumeSize": 9}},
    ]
    instance = aws.launch(ImageId=image, InstanceType=TYPE, BlockDeviceMappings=own)
    volumes = {name: aws.volume(it) for name, it in aws.devices(instance).items()}
    sizes = {name: it["Size"] for name, it in volumes.items()}
    assert sizes == {ROOT_DEVICE: 9, "/dev/sdc": 2, "/dev/sdf": 3}
    assert volumes["/dev/sdf"]["Iops"] == 150
    assert all(_flags(aws, instance).values())


def test_a_shared_volume_has_several_instances(aws: Local) -> None:
    """ "Multi-Attach enabled volumes can be attached to up to 16 instances … in the same Availability Zone"."""
    first, second, third = (aws.launch() for _ in range(3))
    shared = aws.new_volume(VolumeType="io2", Iops=100, MultiAttachEnabled=True)
    for instance in (first, second):
        aws.ec2.attach_volume(VolumeId=shared, InstanceId=instance, Device="/dev/sdf")
    assert aws.volume(shared)["MultiAttachEnabled"]
    held = lambda: {it["InstanceId"] for it in aws.volume(shared)["Attachments"]}
    assert held() == {first, second}
    twice = {"VolumeId": shared, "InstanceId": first, "Device": "/dev/sdg"}
    assert code_of(aws.ec2.attach_volume, **twice) == "VolumeInUse"
    assert code_of(aws.ec2.detach_volume, VolumeId=shared) == "InvalidParameterCombination"
    aws.ec2.terminate_instances(InstanceIds=[first])
    until(lambda: held() == {second})
    assert aws.volume(shared)["State"] == "in-use"
    aws.ec2.attach_volume(VolumeId=shared, InstanceId=third, Device="/dev/sdf")
    aws.ec2.detach_volume(VolumeId=shared, InstanceId=second)
    until(lambda: held() == {third})


def test_only_provisioned_iops_are_shared(aws: Local) -> None:
    """ "Multi-Attach is supported exclusively on Provisioned IOPS SSD (io1 and io2) volumes"."""
    wanted = {
        "AvailabilityZone": ZONE_A,
        "Size": 1,
        "VolumeType": "gp3",
        "MultiAttachEnabled": True,
    }
    assert code_of(aws.ec2.create_volume, **wanted) == "InvalidParameterCombination"
