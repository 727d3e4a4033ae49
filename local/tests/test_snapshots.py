"""Snapshots, one by one and in sets."""

import uuid

from local.tests.harness import ROOT_DEVICE, ZONE_A, Local, code_of, tag_list, tagged, until

DATA = [{"DeviceName": "/dev/sdf", "Ebs": {"VolumeSize": 1}}]


def _state(aws: Local, snapshot: str) -> str:
    return aws.snapshot(snapshot)["State"]


# TRAP 4
def test_a_snapshot_is_pending_and_of_no_use_until_completed(aws: Local) -> None:
    """ "IncorrectState: Snapshot 'snap-…' is not 'completed'." """
    aws.post("settings", snapshot_seconds=300)
    answer = aws.ec2.create_snapshot(VolumeId=aws.new_volume(Size=2))
    snapshot = answer["SnapshotId"]
    assert answer["State"] == _state(aws, snapshot) == "pending"
    assert aws.snapshot(snapshot)["Progress"] != "100%"
    wanted = {"SnapshotId": snapshot, "AvailabilityZone": ZONE_A}
    assert code_of(aws.ec2.create_volume, **wanted) == "IncorrectState"
    until(lambda: _state(aws, snapshot) == "completed")
    assert aws.snapshot(snapshot)["Progress"] == "100%"
    assert aws.volume(aws.new_volume(SnapshotId=snapshot, Size=2))["SnapshotId"] == snapshot


def test_a_snapshot_survives_its_volume(aws: Local) -> None:
    """ "Deleting a volume has no effect on the snapshots made from it." """
    volume = aws.new_volume()
    snapshot = aws.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    aws.ec2.delete_volume(VolumeId=volume)
    until(lambda: _state(aws, snapshot) == "completed")
    assert aws.snapshot(snapshot)["VolumeId"] == volume


def test_the_event_of_one_snapshot_has_the_region_as_its_account(aws: Local) -> None:
    """ "snapshot_id": "arn:aws:ec2::us-west-2:snapshot/snap-01234567" in EBS Snapshot Notification."""
    ear = aws.listen({"detail-type": ["EBS Snapshot Notification"]})
    volume = aws.new_volume()
    snapshot = aws.ec2.create_snapshot(VolumeId=volume)["SnapshotId"]
    events = until(lambda: [it for it in ear.heard() if snapshot in it["resources"][0]])
    detail = events[0]["detail"]
    assert (detail["event"], detail["result"]) == ("createSnapshot", "succeeded")
    assert detail["snapshot_id"] == f"arn:aws:ec2::us-east-1:snapshot/{snapshot}"
    assert detail["source"] == f"arn:aws:ec2::us-east-1:volume/{volume}"


# TRAP 28
def test_a_set_is_one_moment_and_one_event(aws: Local) -> None:
    """ "EBS Multi-Volume Snapshots Completion Status": the whole set in one event."""
    ear = aws.listen({"detail-type": ["EBS Multi-Volume Snapshots Completion Status"]})
    instance = aws.launch(BlockDeviceMappings=DATA)
    root = aws.devices(instance)[ROOT_DEVICE]
    aws.ec2.create_tags(Resources=[root], Tags=tag_list({"of": "volume", "both": "volume"}))
    answer = aws.ec2.create_snapshots(
        InstanceSpecification={"InstanceId": instance},
        CopyTagsFromSource="volume",
        TagSpecifications=tagged("snapshot", both="request"),
    )
    taken = {it["SnapshotId"]: it for it in answer["Snapshots"]}
    assert len(taken) == 2 and len({it["StartTime"] for it in taken.values()}) == 1
    tags = {it["VolumeId"]: {t["Key"]: t["Value"] for t in it["Tags"]} for it in taken.values()}
    assert tags[root] == {"of": "volume", "both": "request"}
    (event,) = until(lambda: [it for it in ear.heard() if set(taken) == _members(it)])
    assert {it["status"] for it in event["detail"]["snapshots"]} == {"completed"}
    assert event["detail"]["event"] == "createSnapshots"


def _members(event: dict) -> set[str]:
    return {it["snapshot_id"].rsplit("/")[-1] for it in event["detail"]["snapshots"]}


# TRAP 28
def test_a_set_fails_as_a_whole(aws: Local) -> None:
    """ "If any one snapshot ... fails, all of the other snapshots display an error status." """
    aws.post("settings", snapshot_result="failed")
    instance = aws.launch(BlockDeviceMappings=DATA)
    answer = aws.ec2.create_snapshots(InstanceSpecification={"InstanceId": instance})
    ids = [it["SnapshotId"] for it in answer["Snapshots"]]
    until(lambda: {_state(aws, it) for it in ids} == {"error"})


def test_what_a_set_leaves_out(aws: Local) -> None:
    """ExcludeDataVolumeIds: "If you specify the ID of the root volume, the request fails." """
    instance = aws.launch(BlockDeviceMappings=DATA)
    devices = aws.devices(instance)
    root, data = devices[ROOT_DEVICE], devices["/dev/sdf"]

    def spec(**more: object) -> dict:
        return {"InstanceSpecification": {"InstanceId": instance, **more}}

    create = aws.ec2.create_snapshots
    assert code_of(create, **spec(ExcludeDataVolumeIds=[root])) == "InvalidParameterValue"
    only_root = create(**spec(ExcludeDataVolumeIds=[data]))["Snapshots"]
    assert [it["VolumeId"] for it in only_root] == [root]
    only_data = create(**spec(ExcludeBootVolume=True))["Snapshots"]
    assert [it["VolumeId"] for it in only_data] == [data]


def test_no_set_without_an_instance(aws: Local) -> None:
    """Creates crash-consistent snapshots of multiple EBS volumes attached to an instance."""
    create = aws.ec2.create_snapshots
    missing = {"InstanceId": "i-0123456789abcdef0"}
    assert code_of(create, InstanceSpecification=missing) == "InvalidInstanceID.NotFound"
    gone = aws.launch()
    aws.ec2.terminate_instances(InstanceIds=[gone])
    aws.reach(gone, "terminated")
    ended = code_of(create, InstanceSpecification={"InstanceId": gone})
    assert ended == "IncorrectInstanceState"


# TRAP 5
def test_one_snapshot_per_volume_in_fifteen_seconds(aws: Local) -> None:
    """ "The maximum per volume CreateSnapshot request rate has been exceeded." """
    volume = aws.new_volume()
    aws.ec2.create_snapshot(VolumeId=volume)
    again = code_of(aws.ec2.create_snapshot, VolumeId=volume)
    assert again == "SnapshotCreationPerVolumeRateExceeded"


# TRAP 5
def test_five_pending_snapshots_per_volume(aws: Local) -> None:
    """ "ConcurrentSnapshotLimitExceeded": five pending snapshots for a single volume."""
    aws.post("settings", snapshot_seconds=100000)
    volume = aws.new_volume()

    def code() -> str:
        try:
            aws.ec2.create_snapshot(VolumeId=volume)
        except aws.ec2.exceptions.ClientError as error:
            return error.response["Error"]["Code"]
        return ""

    until(lambda: code() == "ConcurrentSnapshotLimitExceeded")
    filters = [{"Name": "volume-id", "Values": [volume]}]
    assert len(aws.ec2.describe_snapshots(Filters=filters)["Snapshots"]) == 5


# TRAP 27
def test_strangers_snapshots_are_listed_unless_owned_by_self(aws: Local) -> None:
    """The snapshots available to you include public snapshots, private snapshots that you own,
    and private snapshots owned by others for which you have explicit permissions."""
    filters = [{"Name": "tag-key", "Values": ["spot-rescue:rescue"]}]
    public = aws.ec2.describe_snapshots(Filters=filters)["Snapshots"]
    own = aws.ec2.describe_snapshots(Filters=filters, OwnerIds=["self"])["Snapshots"]
    assert any(it["OwnerId"] != "123456789012" for it in public)
    assert all(it["OwnerId"] == "123456789012" for it in own)


def test_unknown_snapshots(aws: Local) -> None:
    """InvalidSnapshot.NotFound: The specified snapshot does not exist."""
    unknown = "snap-0123456789abcdef0"
    describe = aws.ec2.describe_snapshots
    assert code_of(aws.ec2.delete_snapshot, SnapshotId=unknown) == "InvalidSnapshot.NotFound"
    assert code_of(describe, SnapshotIds=[unknown]) == "InvalidSnapshot.NotFound"
    filters = [{"Name": "snapshot-id", "Values": [unknown]}]
    assert describe(Filters=filters)["Snapshots"] == []


def test_snapshots_are_found_by_tag_and_status(aws: Local) -> None:
    """Filters: "status - The status of the snapshot", "tag:<key>"."""
    mark = uuid.uuid4().hex
    snapshot = aws.ec2.create_snapshot(
        VolumeId=aws.new_volume(), TagSpecifications=tagged("snapshot", mark=mark)
    )["SnapshotId"]
    filters = [
        {"Name": "tag:mark", "Values": [mark]},
        {"Name": "status", "Values": ["completed"]},
    ]
    found = until(lambda: aws.ec2.describe_snapshots(Filters=filters)["Snapshots"])
    assert [it["SnapshotId"] for it in found] == [snapshot]
