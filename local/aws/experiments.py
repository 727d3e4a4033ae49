"""Experiments of AWS Fault Injection Service that interrupt Spot Instances.

AWS: `aws:ec2:send-spot-instance-interruptions` recommends a rebalance at once, warns two minutes before
the end, and interrupts after `durationBeforeInterruption`, two to fifteen minutes; it acts with the role
that the template names, which has to trust the service
(https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html). moto notes an experiment
down and does nothing.

Guessed: the words of a failed experiment. Simplified: instances are named by ARN only; a role's policies
are searched for the action, their resources and conditions are not looked at.
"""

import json
import re
from typing import Any

from moto.fis.exceptions import FISException
from moto.fis.models import FISBackend
from moto.iam.models import iam_backends

from local.aws import events, requests, spot
from local.aws.clock import CLOCK
from local.aws.patch import replaces
from local.aws.settings import BadInput

ACTION = "aws:ec2:send-spot-instance-interruptions"
RESOURCE = "aws:ec2:spot-instance"
TARGET = "SpotInstances"
PERMISSION = "ec2:SendSpotInstanceInterruptions"
SERVICE = "fis.amazonaws.com"
REBALANCE = "EC2 Instance Rebalance Recommendation"
DURATION = re.compile(r"PT(?:(\d+)M)?(?:(\d+)S)?")
SHORTEST, LONGEST = 120, 900

MOTO_CREATE = FISBackend.create_experiment_template
MOTO_START = FISBackend.start_experiment


class Invalid(FISException):
    code = 400

    def __init__(self, message: str) -> None:
        super().__init__("ValidationException", message)


@replaces(FISBackend)
def create_experiment_template(self: Any, **given: Any) -> dict[str, Any]:
    targets = given.get("targets") or {}
    for action in given["actions"].values():
        if action.get("actionId") != ACTION:
            raise Invalid(f"{action.get('actionId')} is not known here")
        named = action.get("targets") or {}
        if list(named) != [TARGET] or named[TARGET] not in targets:
            raise Invalid(f"the action has one target, {TARGET}")
        target = targets[named[TARGET]]
        if target.get("resourceType") != RESOURCE or not target.get("resourceArns"):
            raise Invalid(f"the target is a list of ARNs of {RESOURCE}")
        if not SHORTEST <= _seconds(action) <= LONGEST:
            raise Invalid("durationBeforeInterruption is PT2M to PT15M")
    return MOTO_CREATE(self, **given)


@replaces(FISBackend)
def start_experiment(self: Any, **given: Any) -> dict[str, Any]:
    before = set(self.experiments)
    answer = MOTO_START(self, **given)
    if answer["id"] in before:
        return answer
    experiment = self.experiments[answer["id"]]
    why = _refusal(experiment) or _carry_out(experiment)
    if why is not None:
        experiment.STATUS_REASONS = {**experiment.STATUS_REASONS, "failed": why}
        experiment.status = "failed"
    return answer


def _carry_out(experiment: Any) -> str | None:
    """Why the experiment fails, if it does."""
    for action in experiment.actions.values():
        target = experiment.targets[action["targets"][TARGET]]
        ids = [arn.rpartition("/")[2] for arn in target["resourceArns"]]
        try:
            for instance in map(spot.find, ids):
                events.emit(
                    REBALANCE,
                    [f"arn:aws:ec2:{events.REGION}:{events.ACCOUNT}:instance/{instance.id}"],
                    {"instance-id": instance.id},
                    instance.ec2_backend,
                )
            _interrupt_after(_seconds(action) - SHORTEST, ids)
        except BadInput as error:
            return str(error)
    return None


def _interrupt_after(seconds: int, ids: list[str]) -> None:
    if seconds:
        CLOCK.after(seconds, lambda: _interrupt(ids))
    else:
        _interrupt(ids)


def _interrupt(ids: list[str]) -> None:
    for it in ids:
        request = requests.of(spot.find(it))
        spot.interrupt([it], request.behaviour if request else "terminate", warn=True)


def _seconds(action: dict[str, Any]) -> int:
    said = (action.get("parameters") or {}).get("durationBeforeInterruption", "")
    found = DURATION.fullmatch(said)
    return int(found[1] or 0) * 60 + int(found[2] or 0) if found else 0


def _refusal(experiment: Any) -> str | None:
    """The error when the service assumes the role and makes the call."""
    name = experiment.role_arn.rpartition("/")[2]
    role = next((it for it in _iam().roles.values() if it.name == name), None)
    if role is None or SERVICE not in json.dumps(role.assume_role_policy_document):
        return f"the service cannot assume {experiment.role_arn}"
    policies = [json.dumps(it) for it in role.policies.values()]
    if not any(PERMISSION in it for it in policies):
        return f"{experiment.role_arn} may not call {PERMISSION}"
    return None


def _iam() -> Any:
    return iam_backends[events.ACCOUNT]["global"]
