"""Targets of load balancers.

AWS: a target is an id and a port, and one instance may be registered on several; if the target was
registered with a port override, you must specify both; deregistering what is not there succeeds; a
deregistered target drains for the deregistration delay, 300 seconds by default, and then is unused
(https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_DeregisterTargets.html,
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_TargetHealth.html). Only running
instances can be registered; a stopped or terminated one stays registered as `Target.InvalidState`.
Quotas limit the targets of a group, and a call that exceeds one registers no target
(https://docs.aws.amazon.com/elasticloadbalancing/latest/application/load-balancer-limits.html). moto
knows ids without ports, fails on absent targets, and drains nothing.

Simplified: a target group without a listener counts as used.
"""

from dataclasses import dataclass
from typing import Any

from moto.elbv2.exceptions import ELBClientError, TargetGroupNotFoundError
from moto.elbv2.models import FakeTargetGroup
from moto.elbv2.responses import ELBV2Response

from local.aws.clock import CLOCK
from local.aws.patch import Answer, answers, replaces
from local.aws.settings import SETTINGS

REGISTRATION_SECONDS = 10
DELAY = "deregistration_delay.timeout_seconds"

Key = tuple[str, int]


@dataclass
class Registration:
    since: float
    #: when draining ends; None while it is registered
    drained: float | None = None


def registrations(group: Any) -> dict[Key, Registration]:
    """Registrations, without those that have drained."""
    table = group.__dict__.setdefault("local_targets", {})
    now = CLOCK.now()
    for key in [key for key, it in table.items() if it.drained is not None and it.drained <= now]:
        del table[key]
    return table


def _key(group: Any, target: dict[str, Any]) -> Key:
    return (target["Id"], int(target.get("Port") or group.port))


@replaces(FakeTargetGroup)
def register(self: Any, targets: list[dict[str, Any]]) -> None:
    for target in targets:
        _check_running(self, target["Id"])
    table = registrations(self)
    kept = {key for key, it in table.items() if it.drained is None}
    if len(kept | {_key(self, it) for it in targets}) > SETTINGS.targets_per_group:
        raise ELBClientError("TooManyTargets", "The maximum number of targets has been reached")
    for target in targets:
        key = _key(self, target)
        if key not in table or table[key].drained is not None:
            table[key] = Registration(since=CLOCK.now())


def _check_running(group: Any, target_id: str) -> None:
    if group.target_type != "instance":
        return
    instance = group.ec2_backend.get_instance_by_id(target_id)
    if instance is None:
        message = f"The following targets are not in the target group VPC: '{target_id}'"
        raise ELBClientError("InvalidTarget", message)
    if instance.state != "running":
        message = (
            "The following targets are not in a running state and cannot be registered: "
            f"'{target_id}'"
        )
        raise ELBClientError("InvalidTarget", message)


@replaces(FakeTargetGroup)
def deregister(self: Any, targets: list[dict[str, Any]]) -> None:
    table = registrations(self)
    for target in targets:
        found = table.get(_key(self, target))
        if found is not None and found.drained is None:
            found.drained = CLOCK.now() + float(self.attributes[DELAY])


@replaces(FakeTargetGroup)
def deregister_terminated_instances(self: Any, instance_ids: list[str]) -> None:
    """Terminated targets stay until they are deregistered."""


@answers(ELBV2Response)
def describe_target_health(call: Any) -> Answer:
    group = call.elbv2_backend.target_groups.get(call._get_param("TargetGroupArn"))
    if group is None:
        raise TargetGroupNotFoundError()
    table = registrations(group)
    asked = call._get_param("Targets") or []
    keys = [_key(group, it) for it in asked] or list(table)
    return {"TargetHealthDescriptions": [_description(group, it, table.get(it)) for it in keys]}


def _description(group: Any, key: Key, found: Registration | None) -> Answer:
    target_id, port = key
    state, reason, text = _health(group, target_id, found)
    return {
        "Target": {"Id": target_id, "Port": port},
        "HealthCheckPort": str(port),
        "TargetHealth": {"State": state, "Reason": reason, "Description": text},
    }


Health = tuple[str, str | None, str | None]


def _health(group: Any, target_id: str, found: Registration | None) -> Health:
    if found is None:
        text = "Target is not registered to the target group"
        return "unused", "Target.NotRegistered", text
    if found.drained is not None:
        text = "Target deregistration is in progress"
        return "draining", "Target.DeregistrationInProgress", text
    instance = _instance(group, target_id)
    if instance is not None and instance.state in ("stopped", "terminated"):
        return "unused", "Target.InvalidState", f"Target is in the {instance.state} state"
    if CLOCK.now() - found.since < REGISTRATION_SECONDS:
        return "initial", "Elb.RegistrationInProgress", "Target registration is in progress"
    if instance is None or instance.state != "running":
        return "unhealthy", "Target.Timeout", "Request timed out"
    return "healthy", None, None


def _instance(group: Any, target_id: str) -> Any:
    """By id, or the instance that has that address now."""
    if group.target_type == "instance":
        return group.ec2_backend.get_instance_by_id(target_id)
    alive = [it for it in group.ec2_backend.all_instances() if it.state != "terminated"]
    addresses = ((it, nic.private_ip_addresses) for it in alive for nic in it.nics.values())
    holders = (
        it for it, listed in addresses if target_id in [a["PrivateIpAddress"] for a in listed]
    )
    return next(holders, None)
