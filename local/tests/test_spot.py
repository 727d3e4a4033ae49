"""Interruptions."""

from local.tests.harness import ZONE_A, Local, sleep, until

WARNING = {
    "source": ["aws.ec2"],
    "detail-type": ["EC2 Spot Instance Interruption Warning"],
    "detail": {"instance-action": ["terminate", "stop", "hibernate"]},
}


# TRAP 1, TRAP 26
def test_a_warning_two_minutes_before_the_end(aws: Local) -> None:
    """ "arn:aws:ec2:us-east-2a:instance/i-…"; the instance goes on running for two minutes."""
    instance, ear = aws.launch(), aws.listen(WARNING)
    aws.post("interrupt", instance_id=instance, action="terminate")
    (event,) = ear.wait_for(1)
    assert event["resources"] == [f"arn:aws:ec2:{ZONE_A}:instance/{instance}"]
    assert event["detail"] == {"instance-id": instance, "instance-action": "terminate"}
    assert aws.instance(instance)["State"]["Name"] == "running"
    gone = aws.reach(instance, "terminated")
    assert gone["StateReason"]["Code"] == "Server.SpotInstanceTermination"
    warned, ended = _times(aws, instance)
    assert ended - warned >= 120


def _times(aws: Local, instance: str) -> tuple[float, float]:
    """AWS-seconds of the first and the last look at it."""
    seen = [it["t"] for it in aws.journal() if instance in it["ids"]]
    return min(seen), max(seen)


# TRAP 3
def test_without_a_warning(aws: Local) -> None:
    """ "It is possible that your Spot Instance is interrupted before the warnings can be made
    available." """
    instance, ear = aws.launch(), aws.listen(WARNING)
    aws.post("interrupt", instance_ids=[instance], action="terminate", warn=False)
    aws.reach(instance, "terminated")
    assert ear.heard() == []


def test_a_warning_that_comes_to_nothing(aws: Local) -> None:
    """ "sent on a best-effort basis": nothing says that what was warned of must happen."""
    instance, ear = aws.launch(), aws.listen(WARNING)
    aws.post("interrupt", instance_id=instance, action="terminate", carry_out=False)
    ear.wait_for(1)
    sleep(1000)
    assert aws.instance(instance)["State"]["Name"] == "running"
    sir = aws.instance(instance)["SpotInstanceRequestId"]
    assert _request(aws, sir)["State"] == "active"
    nothing = {"instance_id": instance, "warn": False, "carry_out": False}
    assert "nothing happens" in aws.refused("interrupt", **nothing)
    assert "carry_out" in aws.refused("interrupt", instance_id=instance, carry_out="maybe")


# TRAP 2, TRAP 3
def test_a_hibernated_instance_comes_back(aws: Local) -> None:
    """You receive an interruption notice, but ... not two minutes before: it begins at once."""
    instance, ear = aws.persistent("hibernate"), aws.listen(WARNING)
    before = aws.instance(instance)
    aws.post("interrupt", instance_id=instance, action="hibernate")
    ear.wait_for(1)
    stopped = aws.reach(instance, "stopped")
    assert stopped["StateReason"]["Code"] == "Server.SpotInstanceShutdown"
    assert stopped["BlockDeviceMappings"] == before["BlockDeviceMappings"]
    assert stopped["PrivateIpAddress"] == before["PrivateIpAddress"]
    aws.post("start", instance_id=instance)
    again = aws.reach(instance, "running")
    assert again["LaunchTime"] >= before["LaunchTime"] and "StateReason" not in again


# TRAP 2
def test_a_stopped_instance_is_ec2s_to_start(aws: Local) -> None:
    """Only Amazon EC2 can restart an interrupted stopped Spot Instance."""
    instance = aws.persistent("stop")
    aws.post("interrupt", instance_id=instance, action="stop")
    aws.reach(instance, "stopped")
    try:
        aws.ec2.start_instances(InstanceIds=[instance])
    except aws.ec2.exceptions.ClientError as error:
        assert error.response["Error"]["Code"] == "IncorrectSpotRequestState"
    aws.post("start", instance_id=instance)
    aws.reach(instance, "running")


def test_what_cannot_be_interrupted(aws: Local) -> None:
    """Only Spot Instances are interrupted."""
    on_demand = aws.launch(market="on-demand")
    assert "not a Spot Instance" in aws.refused("interrupt", instance_id=on_demand)
    assert "no instance" in aws.refused("interrupt", instance_id="i-nowhere")
    spot = aws.launch()
    assert "action is one of" in aws.refused("interrupt", instance_id=spot, action="explode")
    assert "not stopped" in aws.refused("start", instance_id=spot)


def test_any_event_can_be_delivered(aws: Local) -> None:
    """Nested patterns match on content, as documented for EventBridge."""
    ear = aws.listen(WARNING)
    event = {
        "source": "aws.ec2",
        "detail-type": WARNING["detail-type"][0],
        "time": "2026-01-02T03:04:05Z",
        "resources": [],
        "detail": {"instance-id": "i-1", "instance-action": "stop"},
    }
    aws.post("event", **event)
    aws.post("event", **event | {"detail": {"instance-action": "other"}})
    heard = until(ear.heard)
    assert [it["detail"]["instance-id"] for it in heard] == ["i-1"]
    assert heard[0]["time"] == event["time"]
    assert "detail-type" in aws.refused("event", source="aws.ec2", detail={})


def test_no_other_sender_speaks_for_ec2(aws: Local) -> None:
    """The prefix aws. is reserved: PutEvents does not take it."""
    entry = {"Source": "aws.ec2", "DetailType": "x", "Detail": "{}"}
    answer = aws.events.put_events(Entries=[entry, entry | {"Source": "mine"}])
    assert answer["FailedEntryCount"] == 1
    assert answer["Entries"][0]["ErrorCode"] == "NotAuthorizedForSourceException"


# TRAP 25, TRAP 26
def test_a_persistent_request_launches_again_unless_it_is_cancelled(aws: Local) -> None:
    """At the notice it is open again; cancelling it does not end what runs."""
    for cancelled in (False, True):
        instance = aws.launch()
        aws.post("persistent", instance_id=instance)
        sir = aws.instance(instance)["SpotInstanceRequestId"]
        aws.post("interrupt", instance_id=instance, action="terminate")
        assert _request(aws, sir)["State"] == "open"
        if cancelled:
            aws.ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[sir])
            assert aws.instance(instance)["State"]["Name"] == "running"
        aws.reach(instance, "terminated")
        again = _request(aws, sir)["InstanceId"] != instance
        assert again is not cancelled


# TRAP 2
def test_cancelling_the_request_of_what_is_stopped_ends_it(aws: Local) -> None:
    """If you cancel a Spot request, EC2 terminates the associated stopped instance."""
    instance = aws.persistent("stop")
    aws.post("interrupt", instance_id=instance, action="stop")
    aws.reach(instance, "stopped")
    sir = aws.instance(instance)["SpotInstanceRequestId"]
    aws.ec2.cancel_spot_instance_requests(SpotInstanceRequestIds=[sir])
    aws.reach(instance, "terminated")


def _request(aws: Local, sir: str) -> dict:
    filters = [{"Name": "spot-instance-request-id", "Values": [sir]}]
    (found,) = aws.ec2.describe_spot_instance_requests(Filters=filters)["SpotInstanceRequests"]
    return found
