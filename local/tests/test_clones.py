"""Copies of volumes, made at once."""

from local.tests.harness import Local, code_of, until


# TRAP 33
# TRAP 37
def test_a_copy_is_in_the_zone_of_its_source_and_gp2_unless_told(aws: Local) -> None:
    """ "If not specified, the volume type defaults to gp2"; source_volume_id: "the source volume from
    which the volume copy was created. Only for volume copies." """
    source = aws.new_volume(VolumeType="gp3", Size=9, Iops=4000, Encrypted=True)
    (plain,) = aws.ec2.copy_volumes(SourceVolumeId=source)["Volumes"]
    shown = aws.volume(plain["VolumeId"])
    assert (shown["VolumeType"], shown["Size"], shown["Encrypted"]) == ("gp2", 9, True)
    before = aws.volume(source)
    for name in ("AvailabilityZone", "KmsKeyId"):
        assert shown[name] == before[name]
    assert shown["SourceVolumeId"] == source
    assert "SourceVolumeId" not in before


def test_a_copy_is_made_while_the_source_is_in_use(aws: Local) -> None:
    """ "The volume copy can be attached to an Amazon EC2 instance once it reaches the available state." """
    instance, source = aws.launch(), aws.new_volume()
    aws.ec2.attach_volume(VolumeId=source, InstanceId=instance, Device="/dev/sdh")
    (copy,) = aws.ec2.copy_volumes(SourceVolumeId=source, VolumeType="gp3")["Volumes"]
    until(lambda: aws.volume(copy["VolumeId"])["State"] == "available")


def test_the_same_token_gives_the_same_copy(aws: Local) -> None:
    """ClientToken: "to ensure the idempotency of the request"."""
    source = aws.new_volume()
    made = [
        aws.ec2.copy_volumes(SourceVolumeId=source, ClientToken="one")["Volumes"][0]["VolumeId"]
        for _ in range(2)
    ]
    assert made[0] == made[1]
    other = code_of(aws.ec2.copy_volumes, SourceVolumeId=source, ClientToken="one", Size=20)
    assert other == "IdempotentParameterMismatch"


def test_a_copy_is_not_smaller_than_its_source(aws: Local) -> None:
    """ "The size must be equal to or greater than the size of the source volume." """
    source = aws.new_volume(Size=9)
    too_small = code_of(aws.ec2.copy_volumes, SourceVolumeId=source, Size=8)
    assert too_small == "InvalidParameterValue"
