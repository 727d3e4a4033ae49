"""Queues, the journal and settings."""

import uuid

from local.tests.harness import STEP, ZONE_A, Local, code_of, now, until


def test_messages_wait_in_aws_seconds(aws: Local) -> None:
    """DelaySeconds and VisibilityTimeout, in AWS-seconds."""
    url = aws.sqs.create_queue(
        QueueName=f"fast-{uuid.uuid4().hex}", Attributes={"VisibilityTimeout": "100"}
    )["QueueUrl"]
    began = now()
    aws.sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=200)

    def receive() -> list:
        answer = aws.sqs.receive_message(
            QueueUrl=url, WaitTimeSeconds=0, AttributeNames=["ApproximateReceiveCount"]
        )
        return answer.get("Messages", [])

    assert receive() == []
    (first,) = until(receive)
    (again,) = until(receive)
    assert first["MessageId"] == again["MessageId"]
    assert again["Attributes"]["ApproximateReceiveCount"] == "2"
    assert 200 + 100 <= now() - began <= 200 + 100 + 2 * STEP


def test_every_call_is_in_the_journal(aws: Local) -> None:
    """Also those that fail."""
    start = len(aws.journal())
    volume = aws.new_volume()
    code_of(aws.ec2.attach_volume, VolumeId=volume, InstanceId="i-0123456789abcdef0", Device="x")
    entries = aws.journal(start)
    created = next(it for it in entries if it["action"] == "ec2:CreateVolume")
    assert created["params"]["AvailabilityZone"] == ZONE_A and volume in created["ids"]
    refused = entries[-1]
    assert (refused["action"], refused["status"]) == ("ec2:AttachVolume", 400)
    assert refused["code"] == "InvalidInstanceID.NotFound"
    assert refused["principal"] == "AKIAIOSFODNN7EXAMPLE"
    assert [it["n"] for it in entries] == list(range(start, start + len(entries)))
    aws.elb.describe_target_groups()
    assert aws.journal()[-1]["action"] == "elasticloadbalancing:DescribeTargetGroups"


def test_bad_input_is_told(aws: Local) -> None:
    """400 with a sentence."""
    assert "unknown setting" in aws.refused("settings", warp=9)
    assert "not negative" in aws.refused("settings", boot_seconds=-1)
    assert "until" in aws.refused("jump", until="later")
    assert "functions" in aws.refused("work", functions=2)
    assert "snapshot_result" in aws.refused("settings", snapshot_result="maybe")
    assert "market" in aws.refused(
        "capacity", availability_zone="*", instance_type="*", market="moon", code="x"
    )
    assert "needed" in aws.refused("capacity", market="spot")
    assert "missing" in aws.refused("interrupt")
