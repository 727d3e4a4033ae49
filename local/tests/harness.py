"""A server process, clients of it, and waiting with a deadline."""

import json
import os
import subprocess
import sys
import urllib.error
import urllib.request
import uuid
from collections.abc import Callable
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

ROOT = Path(__file__).resolve().parents[2]
REGION = "us-east-1"
ZONE_A, ZONE_B = f"{REGION}a", f"{REGION}b"
DEFAULTS = {
    "tokens_enforced": 0,
    "launch_seconds": 0,
    "calls_in_progress": 0,
    "snapshot_seconds": 40,
    "shutdown_seconds": 10,
    "boot_seconds": 8,
    "relaunch_seconds": 20,
    "root_seconds": 20,
    "snapshot_result": "succeeded",
    "root_by_volume": "succeeded",
}
# AWS-seconds: what anything here takes at most, and how often a test looks.
DEADLINE = 4000
STEP = 5
ROOT_DEVICE = "/dev/xvda"
TYPE = "m5.large"


class Server:
    """`python -m local.server` on a free port; there is one at a time."""

    endpoint: ClassVar[str]

    def __enter__(self) -> Self:
        command = [sys.executable, "-m", "local.server", "--port", "0"]
        self._process = subprocess.Popen(
            command, cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        assert self._process.stdout is not None
        port = self._process.stdout.readline().strip()
        if not port:
            pytest.exit("the server has ended")
        Server.endpoint = f"http://127.0.0.1:{port}"
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._process.kill()
        self._process.wait()


def admin(name: str, body: dict[str, Any] | None = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(f"{Server.endpoint}/local-aws/{name}", data)
    return json.load(urllib.request.urlopen(request))


def now() -> float:
    """In AWS-seconds."""
    return admin("health")["t"]


def sleep(aws_seconds: float) -> None:
    end = now() + aws_seconds
    while admin("jump", {"until": end, "deliver": False})["t"] < end:
        pass


def until(holds: Callable[[], Any]) -> Any:
    """What it gives, once that is true: looks whenever something happens, and every few seconds."""
    t = now()
    end = t + DEADLINE
    while not (found := holds()):
        assert t < end, "the deadline has passed"
        t = admin("jump", {"until": t + STEP, "deliver": False})["t"]
    return found


def code_of(call: Callable[..., Any], **parameters: Any) -> str:
    """The error code of a call that must fail."""
    with pytest.raises(ClientError) as caught:
        call(**parameters)
    return caught.value.response["Error"]["Code"]


def tag_list(tags: dict[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]


def tagged(resource_type: str, **tags: str) -> list[dict[str, Any]]:
    return [{"ResourceType": resource_type, "Tags": tag_list(tags)}]


class Local:
    """The account, and what tests keep doing to it."""

    def __init__(self, endpoint: str) -> None:
        self.endpoint = endpoint
        self.ec2 = self.client("ec2")
        self.elb = self.client("elbv2")
        self.sqs = self.client("sqs")
        self.events = self.client("events")
        images = self.ec2.describe_images(Owners=["amazon"])["Images"]
        self.image = next(it for it in images if it["RootDeviceName"] == ROOT_DEVICE)["ImageId"]

    def client(self, service: str, key: str = "AKIAIOSFODNN7EXAMPLE", secret: str = "x") -> Any:
        os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
        return boto3.client(
            service,
            endpoint_url=self.endpoint,
            region_name=REGION,
            aws_access_key_id=key,
            aws_secret_access_key=secret,
            config=Config(retries={"max_attempts": 0}),
        )

    def reset(self) -> None:
        any_pool = dict.fromkeys(("availability_zone", "instance_type", "market"), "*")
        self.post("capacity", **any_pool, code=None)
        self.post("refusal", action="*", code=None)
        self.post("deaths", code=None)
        self.post("settings", **DEFAULTS)

    def post(self, name: str, **body: Any) -> Any:
        return admin(name, body)

    def refused(self, name: str, **body: Any) -> str:
        """The message of a request that must be a 400."""
        with pytest.raises(urllib.error.HTTPError) as caught:
            self.post(name, **body)
        assert caught.value.code == 400
        return json.load(caught.value)["error"]

    def journal(self, since: int = 0) -> list[dict[str, Any]]:
        return admin(f"journal?since={since}")

    def launch(self, *, market: str = "spot", running: bool = True, **more: Any) -> str:
        """One instance, in zone a unless told otherwise."""
        wanted = {"ImageId": self.image, "InstanceType": TYPE, "MinCount": 1, "MaxCount": 1}
        if market == "spot":
            wanted["InstanceMarketOptions"] = {"MarketType": "spot"}
        answer = self.ec2.run_instances(**wanted | more)
        instance = answer["Instances"][0]["InstanceId"]
        if running:
            self.reach(instance, "running")
        return instance

    def persistent(self, behaviour: str) -> str:
        options = {"SpotInstanceType": "persistent", "InstanceInterruptionBehavior": behaviour}
        market = {"MarketType": "spot", "SpotOptions": options}
        return self.launch(InstanceMarketOptions=market)

    def instance(self, instance_id: str) -> dict[str, Any]:
        answer = self.ec2.describe_instances(InstanceIds=[instance_id])
        return answer["Reservations"][0]["Instances"][0]

    def reach(self, instance_id: str, state: str) -> dict[str, Any]:
        until(lambda: self.instance(instance_id)["State"]["Name"] == state)
        return self.instance(instance_id)

    def volume(self, volume_id: str) -> dict[str, Any]:
        return self.ec2.describe_volumes(VolumeIds=[volume_id])["Volumes"][0]

    def new_volume(self, zone: str = ZONE_A, **more: Any) -> str:
        """An available one."""
        answer = self.ec2.create_volume(AvailabilityZone=zone, **{"Size": 1} | more)
        volume = answer["VolumeId"]
        until(lambda: self.volume(volume)["State"] == "available")
        return volume

    def devices(self, instance_id: str) -> dict[str, str]:
        """Device name -> volume."""
        mappings = self.instance(instance_id)["BlockDeviceMappings"]
        return {it["DeviceName"]: it["Ebs"]["VolumeId"] for it in mappings}

    def snapshot(self, snapshot_id: str) -> dict[str, Any]:
        return self.ec2.describe_snapshots(SnapshotIds=[snapshot_id])["Snapshots"][0]

    def listen(self, pattern: dict[str, Any]) -> "Ear":
        return Ear(self, pattern)


class Ear:
    """A rule with a queue behind it."""

    def __init__(self, aws: Local, pattern: dict[str, Any]) -> None:
        name = f"ear-{uuid.uuid4().hex[:8]}"
        self._aws = aws
        self._url = aws.sqs.create_queue(QueueName=name)["QueueUrl"]
        aws.events.put_rule(Name=name, EventPattern=json.dumps(pattern))
        arn = f"arn:aws:sqs:{REGION}:123456789012:{name}"
        aws.events.put_targets(Rule=name, Targets=[{"Id": "1", "Arn": arn}])
        self._heard: list[dict[str, Any]] = []

    def heard(self) -> list[dict[str, Any]]:
        answer = self._aws.sqs.receive_message(
            QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=0
        )
        for message in answer.get("Messages", []):
            self._heard.append(json.loads(message["Body"]))
            handle = message["ReceiptHandle"]
            self._aws.sqs.delete_message(QueueUrl=self._url, ReceiptHandle=handle)
        return self._heard

    def wait_for(self, count: int) -> list[dict[str, Any]]:
        until(lambda: len(self.heard()) >= count)
        return self._heard
