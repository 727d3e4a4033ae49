"""Time: when it runs, when it stands still, where it jumps, and what functions are told of it."""

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from local.aws import clock as module
from local.aws.clock import Clock
from local.function import Function, Log
from local.tests.harness import Local, admin, now, sleep, until

PLENTY = 100_000


class Wall:
    """A wall clock that a test moves."""

    def __init__(self) -> None:
        self.seconds = 50.0

    def monotonic(self) -> float:
        return self.seconds

    def time(self) -> float:
        return 1_700_000_000 + self.seconds


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> Wall:
    found = Wall()
    monkeypatch.setattr(module, "time", found)
    monkeypatch.setattr(module, "wall", found.time)
    python = SimpleNamespace(start=lambda: SimpleNamespace(move_to=lambda _: None))
    monkeypatch.setattr(module.time_machine, "travel", lambda *_, **__: python)
    return found


def test_it_stands_still_runs_and_stands_still(wall: Wall) -> None:
    """It runs while a function works, but not while a call is answered."""
    clock = Clock()
    clock.start()
    wall.seconds += 5
    assert clock.now() == 0
    with clock.turn():
        clock.work(1)
    wall.seconds += 5
    assert clock.now() == 5
    with clock.turn():
        wall.seconds += 5
        assert clock.now() == 5
    wall.seconds += 1
    assert clock.now() == 6
    with clock.turn():
        clock.work(-1)
    wall.seconds += 5
    assert clock.now() == 6


def test_what_is_due_happens_in_its_turn_and_at_its_moment(wall: Wall) -> None:
    """Also what comes of it on the way; and a failure stops nothing."""
    clock = Clock()
    clock.start()
    done: list[tuple[str, float]] = []

    def act(name: str) -> None:
        done.append((name, clock.now()))

    def boot() -> None:
        act("boot")
        clock.after(2, lambda: act("serve"))

    with clock.turn():
        clock.after(9, lambda: act("end"))
        clock.after(3, boot)
        clock.after(4, lambda: 1 // 0)
        clock.after(20, lambda: act("later"))
        assert clock.next_due() == 3
        clock.jump(10)
    assert done == [("boot", 3), ("serve", 5), ("end", 9)]
    assert clock.now() == 10
    with clock.turn():
        clock.jump(7)  # never back
    assert clock.now() == 10


def test_what_becomes_due_while_a_function_works_happens_before_the_next_call(wall: Wall) -> None:
    """No call can have seen that it did not."""
    clock = Clock()
    clock.start()
    done: list[float] = []
    with clock.turn():
        clock.after(3, lambda: done.append(clock.now()))
        clock.work(1)
    wall.seconds += 5
    with clock.turn():
        assert done == [3] and clock.now() == 5


def test_functions_are_told_a_moment_or_how_far_it_is_from_the_walls(
    wall: Wall, tmp_path: Path
) -> None:
    """In libfaketime's two forms."""
    clock, file = Clock(), tmp_path / "clock"
    clock.start(str(file))
    assert file.read_text().strip() == "2023-11-14 22:14:10.000000"
    with clock.turn():
        clock.jump(3600)
        clock.work(1)
    assert file.read_text().strip() == "+3600.000000"
    with clock.turn():
        assert file.read_text().strip() == "2023-11-14 23:14:10.000000"
        wall.seconds += 2
    assert file.read_text().strip() == "+3598.000000"


ASKS = """
import time
while True:
    input()
    print(time.time(), time.monotonic(), flush=True)
"""


def test_a_program_that_asks_the_system_is_told_that_time(tmp_path: Path) -> None:
    """Each time anew, as the function does; its timeouts are measured by a clock that is left alone."""
    file = tmp_path / "clock"
    deployment = SimpleNamespace(
        endpoint="", timeout=1, memory=1, environment={}, role=SimpleNamespace(environment=dict)
    )
    function = Function(deployment, Log(Path(os.devnull)), file, lambda: None)
    with subprocess.Popen(
        [sys.executable, "-c", ASKS],
        env=function._environment(""),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as program:

        def told(clock: str) -> tuple[float, float]:
            file.write_text(f"{clock:<30}\n")
            program.stdin.write("\n")
            program.stdin.flush()
            date, monotonic = program.stdout.readline().split()
            return round(float(date), 3), float(monotonic)

        first, before = told("2023-11-14 22:13:20.250000")
        second, _ = told("+100000000.000000")
        third, after = told("2023-11-15 22:13:20.250000")
        program.kill()
    assert (first, third) == (1_700_000_000.25, 1_700_086_400.25)
    assert second > time.time() + 99_999_000
    assert time.monotonic() > after > before


def jumped(until_t: float, deliver: bool = True) -> dict:
    return admin("jump", {"until": until_t, "deliver": deliver})


@pytest.fixture
def worked() -> Iterator[None]:
    sleep(PLENTY)
    admin("work", {"functions": 1})
    yield
    admin("work", {"functions": -1})


def test_a_jump_ends_at_what_happens_first(aws: Local) -> None:
    """A boot takes eight seconds, an end ten."""
    sleep(PLENTY)  # whatever other tests have left to happen
    began = now()
    instance = aws.launch(running=False)
    assert jumped(began + 100)["t"] == began + 8
    assert aws.instance(instance)["State"]["Name"] == "running"
    assert jumped(began + 9)["t"] == began + 9
    aws.ec2.terminate_instances(InstanceIds=[instance])
    assert not jumped(began + 10)["at_rest"]
    assert jumped(began + 100)["t"] == began + 9 + 10
    until(lambda: aws.instance(instance)["State"]["Name"] == "terminated")


def test_nothing_jumps_over_a_function_at_work(aws: Local, worked: None) -> None:
    """Its seconds are real ones."""
    began = now()
    assert began <= jumped(began + PLENTY)["t"] < began + PLENTY
    assert now() > began


def test_a_jump_ends_where_a_message_is_to_be_delivered(aws: Local) -> None:
    """Unless nothing is delivered."""
    sleep(PLENTY)
    dead = aws.sqs.create_queue(QueueName="jump-dead")["QueueUrl"]
    arn = aws.sqs.get_queue_attributes(QueueUrl=dead, AttributeNames=["QueueArn"])["Attributes"]
    redrive = f'{{"deadLetterTargetArn": "{arn["QueueArn"]}", "maxReceiveCount": "3"}}'
    url = aws.sqs.create_queue(
        QueueName="jump", Attributes={"RedrivePolicy": redrive, "VisibilityTimeout": "60"}
    )["QueueUrl"]
    began = now()
    aws.sqs.send_message(QueueUrl=url, MessageBody="x", DelaySeconds=30)
    found = jumped(began + 100)
    assert (round(found["t"] - began, 2), found["visible"]) == (30, 1)
    assert jumped(began + 100)["t"] == found["t"]
    (message,) = aws.sqs.receive_message(QueueUrl=url)["Messages"]
    assert jumped(began + 50)["visible"] == 0
    assert round(jumped(began + 100)["t"] - began, 2) == 90
    assert round(jumped(began + 100, deliver=False)["t"] - began, 2) == 100
    aws.sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    assert jumped(began + 100)["at_rest"]
