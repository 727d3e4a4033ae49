"""The life of an instance."""

from local.tests.harness import ROOT_DEVICE, Local, code_of, until

DATA = "/dev/sdf"
DEVICES = [{"DeviceName": DATA, "Ebs": {"VolumeSize": 1, "DeleteOnTermination": False}}]


def test_an_instance_is_pending_then_running(aws: Local) -> None:
    """The instance enters the pending state ... after it is ready, running."""
    answer = aws.ec2.run_instances(ImageId=aws.image, MinCount=1, MaxCount=1)
    assert answer["Instances"][0]["State"]["Name"] == "pending"
    aws.reach(answer["Instances"][0]["InstanceId"], "running")


def test_every_state_is_an_event(aws: Local) -> None:
    """EC2 sends an EC2 Instance State-change Notification event for every change of state."""
    ear = aws.listen({"detail-type": ["EC2 Instance State-change Notification"]})
    instance = aws.launch()
    aws.ec2.terminate_instances(InstanceIds=[instance])
    aws.reach(instance, "terminated")
    seen = [it for it in ear.wait_for(4) if it["detail"]["instance-id"] == instance]
    states = [it["detail"]["state"] for it in seen]
    assert sorted(states) == ["pending", "running", "shutting-down", "terminated"]
    assert seen[0]["resources"] == [f"arn:aws:ec2:us-east-1:123456789012:instance/{instance}"]


# TRAP 14
def test_a_terminated_instance_has_lost_what_was_attached(aws: Local) -> None:
    """ "Tags and volumes are gradually disassociated" from a terminated instance."""
    instance = aws.launch(BlockDeviceMappings=DEVICES)
    aws.ec2.create_tags(Resources=[instance], Tags=[{"Key": "k", "Value": "v"}])
    aws.ec2.terminate_instances(InstanceIds=[instance])
    ending = aws.instance(instance)
    assert ending["State"]["Name"] == "shutting-down"
    assert ending["StateReason"]["Code"] == "Client.UserInitiatedShutdown"
    gone = aws.reach(instance, "terminated")
    assert gone["BlockDeviceMappings"] == gone["NetworkInterfaces"] == gone["SecurityGroups"] == []
    assert not {"SubnetId", "VpcId", "PrivateIpAddress"} & set(gone)
    assert gone["InstanceLifecycle"] == "spot"
    assert {"ImageId", "InstanceType", "Placement", "Tags"} <= set(gone)


# TRAP 15, TRAP 17
def test_volumes_go_or_stay_as_marked_and_come_free_late(aws: Local) -> None:
    """ "EC2 deletes all EBS volumes" marked so; others are detached and preserved."""
    aws.post("settings", shutdown_seconds=100)
    instance = aws.launch(BlockDeviceMappings=DEVICES)
    root, data = aws.devices(instance)[ROOT_DEVICE], aws.devices(instance)[DATA]
    aws.ec2.terminate_instances(InstanceIds=[instance])
    assert aws.volume(data)["State"] == "in-use"
    assert code_of(aws.ec2.delete_volume, VolumeId=data) == "VolumeInUse"
    until(lambda: aws.volume(data)["State"] == "available")
    assert code_of(aws.ec2.describe_volumes, VolumeIds=[root]) == "InvalidVolume.NotFound"


def test_the_tags_of_a_terminated_instance_go(aws: Local) -> None:
    """Tags and volumes are gradually disassociated from the instance."""
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "k", "Value": "v"}]}]
    instance = aws.launch(TagSpecifications=tags)
    aws.ec2.terminate_instances(InstanceIds=[instance])
    until(lambda: not aws.instance(instance).get("Tags"))


# TRAP 35
def test_on_demand_has_no_lifecycle(aws: Local) -> None:
    """ "Indicates whether this is a Spot Instance"; absent for On-Demand Instances."""
    on_demand = aws.instance(aws.launch(market="on-demand", running=False))
    spot = aws.instance(aws.launch(running=False))
    assert "InstanceLifecycle" not in on_demand and "SpotInstanceRequestId" not in on_demand
    assert spot["InstanceLifecycle"] == "spot" and spot["SpotInstanceRequestId"]


# TRAP 35
def test_a_stale_id_fails_a_list_and_not_a_filter(aws: Local) -> None:
    """ "If you specify an instance ID that is not valid, an error is returned." """
    instance, stale = aws.launch(running=False), "i-0123456789abcdef0"
    describe = aws.ec2.describe_instances
    assert code_of(describe, InstanceIds=[instance, stale]) == "InvalidInstanceID.NotFound"
    found = describe(Filters=[{"Name": "instance-id", "Values": [instance, stale]}])
    assert [it["InstanceId"] for r in found["Reservations"] for it in r["Instances"]] == [instance]
    both = code_of(describe, InstanceIds=[instance], MaxResults=5)
    assert both == "InvalidParameterCombination"


def test_filters_by_tag_and_pages(aws: Local) -> None:
    """ "Filters are joined with an AND"; the next page is behind NextToken."""
    tags = [{"ResourceType": "instance", "Tags": [{"Key": "page-test", "Value": "a b"}]}]
    ids = {aws.launch(running=False, TagSpecifications=tags) for _ in range(7)}
    for it in (
        {"Name": "tag:page-test", "Values": ["a*"]},
        {"Name": "tag-key", "Values": ["page-test"]},
    ):
        pages = aws.ec2.get_paginator("describe_instances").paginate(
            Filters=[it], PaginationConfig={"PageSize": 5}
        )
        found = [i["InstanceId"] for p in pages for r in p["Reservations"] for i in r["Instances"]]
        assert set(found) == ids and len(found) == len(ids)
    unknown = code_of(aws.ec2.describe_instances, Filters=[{"Name": "no-such", "Values": ["x"]}])
    assert unknown == "InvalidParameterValue"
