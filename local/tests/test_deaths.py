"""Instances that die while booting."""

import pytest

from local.tests.fleets import fleet, launched, template
from local.tests.harness import ROOT_DEVICE, Local, code_of

INTERNAL = "Server.InternalError"


# TRAP 46
@pytest.mark.parametrize(
    "code",
    [
        INTERNAL,
        "Client.InternalError",
        "Client.InvalidSnapshot.NotFound",
        "Client.VolumeLimitExceeded",
        "Server.InsufficientInstanceCapacity",
    ],
)
def test_the_launch_has_answered_and_the_instance_dies(aws: Local, code: str) -> None:
    """From pending to terminated; only the StateReason tells."""
    ear = aws.listen({"detail-type": ["EC2 Instance State-change Notification"]})
    aws.post("deaths", code=code)
    instance = launched(fleet(aws, template(aws)))
    assert aws.instance(instance)["State"]["Name"] == "pending"
    root = aws.devices(instance)[ROOT_DEVICE]
    gone = aws.reach(instance, "terminated")
    assert gone["StateReason"]["Code"] == code
    seen = [it["detail"] for it in ear.wait_for(2) if it["detail"]["instance-id"] == instance]
    assert [it["state"] for it in seen] == ["pending", "terminated"]
    assert code_of(aws.ec2.describe_volumes, VolumeIds=[root]) == "InvalidVolume.NotFound"


def test_so_many_die_and_the_others_live(aws: Local) -> None:
    """Or all, until it is lifted."""
    aws.post("deaths", code=INTERNAL, count=2)
    three = [aws.launch(running=False) for _ in range(3)]
    ends = ["terminated", "terminated", "running"]
    for instance, end in zip(three, ends, strict=True):
        aws.reach(instance, end)
    aws.post("deaths", code=INTERNAL)
    for instance in [aws.launch(running=False, market="on-demand") for _ in range(3)]:
        aws.reach(instance, "terminated")
    aws.post("deaths", code=None)
    aws.launch()


def test_an_instance_ended_while_booting_dies_of_that(aws: Local) -> None:
    """Once."""
    aws.post("deaths", code=INTERNAL, count=1)
    instance = aws.launch(running=False)
    aws.ec2.terminate_instances(InstanceIds=[instance])
    gone = aws.reach(instance, "terminated")
    assert gone["StateReason"]["Code"] == "Client.UserInitiatedShutdown"


def test_what_cannot_be_foretold(aws: Local) -> None:
    """400 with a sentence."""
    assert "code is one of" in aws.refused("deaths", code="Client.Bored")
    assert "number of instances" in aws.refused("deaths", code=INTERNAL, count=0)
