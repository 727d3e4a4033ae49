"""Messages that are not what they claim to be: one line each, and nothing is changed."""

from __future__ import annotations

import json
from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.control import SPOT_WARNING, warning
from local.runtime import Crashed
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import INSTANCE_TYPE, ZONES

UNKNOWN = "i-0123456789abcdef0"
MEGABYTE = 1_000_000
ALIVE = "still answers"


def claimed(**detail: Any) -> str:
    return json.dumps({**warning(UNKNOWN, ZONES[0]), "detail": detail})


# Each leads to one warning line.
MALFORMED = {
    "garbage": "not { json",
    "a list": "[1, 2, 3]",
    "an empty object": "{}",
    "wrong types": json.dumps({"source": 7, "detail-type": [], "detail": "x"}),
    "an unknown kind": json.dumps({"source": "aws.ec2", "detail-type": "EC2 Fleet Change"}),
    "no instance id": claimed(**{"instance-action": "terminate"}),
    "an id of the wrong type": claimed(**{"instance-id": 42, "instance-action": "terminate"}),
    "an id that is none": claimed(**{"instance-id": "i-zzz", "instance-action": "terminate"}),
    "an unknown action": claimed(**{"instance-id": UNKNOWN, "instance-action": "explode"}),
    "no time": json.dumps(
        {
            "source": "aws.ec2",
            "detail-type": SPOT_WARNING,
            "detail": {"instance-id": UNKNOWN, "instance-action": "terminate"},
        }
    ),
    "a megabyte": json.dumps({"source": "x" * MEGABYTE, "detail-type": "y"}),
}


def send_nonsense(stage: Stage, instances: list[str]) -> None:
    other = instance_of_another_kind(stage)
    stage.until("the other instance to run", lambda: stage.world.states()[other] == "running", 200)
    for body in MALFORMED.values():
        stage.send(body)
    # Well-formed, but about no instance, and about an On-Demand Instance that has not opted in.
    stage.send(json.dumps(warning(UNKNOWN, ZONES[0])))
    stage.send(json.dumps(warning(other, ZONES[0])))
    invoke_with_more_than_sqs_takes(stage)


def instance_of_another_kind(stage: Stage) -> str:
    answer = stage.world.ec2.run_instances(
        ImageId=stage.world.image["ImageId"],
        InstanceType=INSTANCE_TYPE,
        MinCount=1,
        MaxCount=1,
        SubnetId=stage.world.subnets[ZONES[0]],
    )
    return str(answer["Instances"][0]["InstanceId"])


def invoke_with_more_than_sqs_takes(stage: Stage) -> None:
    """Past SQS's own limit, straight into a function: an answer or an error, and it lives on."""
    function = stage.function()
    function.start()
    payloads: list[Any] = [
        {"Records": [{"messageId": "big", "body": "x" * 4 * MEGABYTE}]},
        {"Records": 5},
        "a string",
        17,
        None,
    ]
    try:
        for payload in payloads:
            try:
                function.invoke(payload)
            except Crashed as error:
                stage.log.write({"refused": str(error)})
        function.invoke({"Records": []})
        stage.log.write({"message": ALIVE})
    finally:
        function.kill()


def a_line_each(evidence: Evidence) -> list[Result]:
    lines = list(evidence.stage.log.lines)
    texts = [json.dumps(it) for it in lines]
    ignored = [it for it in texts if "event ignored" in it and '"WARN"' in it]
    unknown = [it for it in texts if "no such instance" in it]
    longest = max((len(it) for it in texts), default=0)
    # The direct invocations that are no batch are four more lines.
    return [
        Result(
            len(ignored) >= len(MALFORMED) + 1,
            f"a warning line for each of {len(MALFORMED)} bad messages (found {len(ignored)})",
        ),
        Result(bool(unknown), "a line for the instance that does not exist"),
        Result(longest < 8000, f"no line repeats what came in (longest {longest} characters)"),
        Result(any(it.get("message") == ALIVE for it in lines), "the function lives on"),
    ]


def untouched(evidence: Evidence) -> list[Result]:
    """The protected instance is as it was."""
    after = evidence.after()
    return [
        checks.equal("the protected instance is as it was", evidence.before, after),
    ]


SCENARIOS = [
    Scenario(
        name="bad-input",
        story="garbage, wrong types, unknown ids, megabytes",
        drive=send_nonsense,
        ends=frozenset(),
        checks=(a_line_each, checks.nothing_mutated, untouched),
    ),
]
