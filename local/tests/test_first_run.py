"""deploy/first-run.sh by the AWS CLI itself, on the local AWS; and what docs/FIRST-RUN.md names is there."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from local.deploy import REGION, STACK
from local.stage import Stage
from local.tests.harness import ROOT
from local.world import as_dict

SCRIPT = ROOT / "deploy" / "first-run.sh"
GUIDE = ROOT / "docs" / "FIRST-RUN.md"
# The one that requirements.txt brings, beside this Python.
AWS = Path(sys.executable).parent / "aws"
TAG = "spot-rescue-first-run"
STREAM = "function"
DEVICE = "/dev/sdf"
# Each look costs the CLI a second of the wall's, and time passes all the same.
LOOK = "60"
# Of the wall's: what a step may take.
PATIENCE = 300
# In place of `sleep`: says how long, and goes on when so much time has passed on the local AWS.
SLEEP = """#!/bin/sh
echo "$1" >"$(dirname "$0")/asked" && read -r _ <"$(dirname "$0")/passed"
"""


@dataclass
class Ended:
    code: int
    said: str
    errors: list[str]

    def found(self, pattern: str) -> str:
        match = re.search(pattern, self.said)
        assert match, f"no {pattern!r} in:\n{self.said}"
        return match[1]


@dataclass
class Person:
    """A person that runs the script, on a machine with the AWS CLI."""

    stage: Stage
    directory: Path
    shipped: int = 0
    logs: Any = field(init=False)
    group: str = field(init=False)

    def __post_init__(self) -> None:
        admin, endpoint = self.stage.deployment.admin, self.stage.deployment.endpoint
        stack = admin.client("cloudformation", endpoint).describe_stacks(StackName=STACK)
        outputs = stack["Stacks"][0]["Outputs"]
        (self.group,) = [it["OutputValue"] for it in outputs if it["OutputKey"] == "LogGroup"]
        self.logs = admin.client("logs", endpoint)
        self.logs.create_log_stream(logGroupName=self.group, logStreamName=STREAM)
        for name in ("asked", "passed"):
            os.mkfifo(self.directory / name)
        (self.directory / "sleep").write_text(SLEEP)
        (self.directory / "sleep").chmod(0o755)
        threading.Thread(target=self._let_time_pass, daemon=True).start()

    def _let_time_pass(self) -> None:
        while True:
            seconds = (self.directory / "asked").read_text()
            with suppress(Exception):  # the script then waits in vain, and is seen to
                self.stage.sleep(float(seconds))
                self._ship_log()
                (self.directory / "passed").write_text("\n")

    def _ship_log(self) -> None:
        """As Lambda does with what a function prints."""
        text = self.stage.log.path.read_bytes()
        new = text[self.shipped : text.rfind(b"\n") + 1]
        self.shipped += len(new)
        now = int(self.stage.control.date().timestamp() * 1000)
        events = [{"timestamp": now, "message": it.decode()} for it in new.splitlines()]
        if events:
            named = {"logGroupName": self.group, "logStreamName": STREAM}
            self.logs.put_log_events(**named, logEvents=events)

    def run(self, *arguments: str, **variables: str) -> Ended:
        deployment = self.stage.deployment
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "AWS": str(AWS),
            "SLEEP": str(self.directory / "sleep"),
            "AWS_ENDPOINT_URL": deployment.endpoint,
            "REGION": REGION,
            "LOOK": LOOK,
            **deployment.admin.environment(),
            **variables,
        }
        ended = subprocess.run(
            [SCRIPT, *arguments],
            env=environment,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            check=False,
        )
        return Ended(ended.returncode, ended.stdout, ended.stderr.splitlines())

    def must(self, step: str) -> Ended:
        ended = self.run(step)
        assert ended.code == 0 and not ended.errors, f"{step}: {ended}"
        return ended

    def refused(self, step: str, **variables: str) -> str:
        """The one line that says why."""
        ended = self.run(step, **variables)
        assert ended.code == 1 and len(ended.errors) == 1, (step, ended)
        return ended.errors[0]

    def left(self) -> dict[str, Any]:
        """All that there is in the account and costs something, or stands in the way of the next run."""
        world, deployment = self.stage.world, self.stage.deployment
        fis = deployment.admin.client("fis", deployment.endpoint)
        roles = deployment.admin.client("iam", deployment.endpoint).list_roles()["Roles"]
        return {
            "instances": {it for it, state in world.states().items() if state != "terminated"},
            "volumes": {it["VolumeId"] for it in world.volumes()},
            "snapshots": {it["SnapshotId"] for it in world.snapshots()},
            "launch templates": {it["LaunchTemplateId"] for it in world.templates()},
            "experiments": {
                it["id"] for it in fis.list_experiment_templates()["experimentTemplates"]
            },
            "roles": {it["RoleName"] for it in roles},
        }


@pytest.fixture
def person(tmp_path: Path) -> Iterator[Person]:
    assert AWS.exists(), "the AWS CLI is not installed: run `make setup`"
    with Stage() as stage:
        yield Person(stage, tmp_path)
        assert stage.pump.errors == []
        stage.forget()


def test_a_run_and_what_is_left_of_it(person: Person) -> None:
    stage, ec2 = person.stage, person.stage.world.ec2
    before = person.left()
    others = another_users(stage)
    assert "run 'launch' first" in person.refused("ready")
    assert "run 'launch' first" in person.refused("interrupt")
    assert "run 'interrupt' first" in person.refused("watch")

    original = person.must("launch").found(r"launched (i-\w+)")
    assert "run 'ready' first" in person.refused("interrupt")
    volume = person.must("ready").found(rf"(vol-\w+) is on {original} as {DEVICE}")

    experiment = person.must("interrupt").found(r"experiment (\w+)\)")
    replacement = person.must("watch").found(rf"data: {volume} is on (i-\w+) as {DEVICE}")
    assert replacement != original
    (moved,) = ec2.describe_volumes(VolumeIds=[volume])["Volumes"]
    assert [(it["InstanceId"], it["Device"]) for it in moved["Attachments"]] == [
        (replacement, DEVICE)
    ]
    states = stage.world.states([original, replacement])
    assert states == {original: "terminated", replacement: "running"}

    # What is done is passed over, and the rest is cleared away.
    ended = person.must("all")
    assert ended.found(r"instance (i-\w+) is there") == replacement
    assert ended.found(r"already, by experiment (\w+)") == experiment
    assert f"outcome: {original} is back-in-service as {replacement}" in ended.said
    stage.settle(500)
    assert_only(person, before, others)
    journal = len(stage.control.journal())
    assert "nothing of a first run" in person.must("clean").said
    calls = [it["action"].partition(":")[2] for it in stage.control.journal()[journal:]]
    reads = ("Describe", "List", "Get")
    assert calls and [it for it in calls if not it.startswith(reads)] == []


def test_what_it_cannot_do_it_says(person: Person) -> None:
    assert "deploy it" in person.run("launch", STACK="another").errors[-1]
    assert "letters, digits and hyphens" in person.refused("launch", STACK="a b")
    assert "install the AWS CLI" in person.refused("launch", AWS="no-such-program")
    assert "no Region" in person.refused("launch", REGION="")
    usage = person.run("everything")
    assert usage.code == 2 and len(usage.errors) == 6
    iam = person.stage.deployment.admin.client("iam", person.stage.deployment.endpoint)
    iam.create_role(RoleName=f"{TAG}-fis-{REGION}", AssumeRolePolicyDocument="{}")
    assert "not made by this script" in person.refused("launch")
    assert "not made by this script" in person.refused("clean")


def another_users(stage: Stage) -> set[str]:
    """A protected instance, which no step has anything to do with."""
    stage.world.build()
    made = set(stage.world.launch())
    stage.settle(400)
    return made


def assert_only(person: Person, before: dict[str, Any], others: set[str]) -> None:
    """What was there, and what is another user's."""
    after = person.left()
    assert after["instances"] - before["instances"] == others
    for instance in others:
        assert as_dict(person.stage.world.instance(instance)["Tags"])["spot-rescue"] == "on"
    volumes = {it["VolumeId"]: it for it in person.stage.world.volumes()}
    for kind in ("snapshots", "experiments"):
        assert after[kind] == before[kind]
    used = {at["InstanceId"] for it in volumes.values() for at in it["Attachments"]}
    assert used == others and all(it["Attachments"] for it in volumes.values())
    assert len(after["launch templates"]) == len(others)
    assert not [it for it in after["roles"] if it.startswith(TAG)]


def test_what_the_guide_names_is_there() -> None:
    """Each row of its last table ends with a file, and a function in it."""
    table = GUIDE.read_text().partition("## What documents leave unproven")[2]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines() if line.startswith("| ")]
    places = [re.fullmatch(r"`([\w./-]+)`: `(\w+)`", row[-1]) for row in rows[1:]]
    assert 10 <= len(places) <= 24 and all(places)
    named = [(it[1], it[2]) for it in places if it]
    lacking = [it for it in named if f"fn {it[1]}(" not in (ROOT / it[0]).read_text()]
    assert lacking == []
