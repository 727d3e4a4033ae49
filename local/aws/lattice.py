"""Targets of VPC Lattice.

AWS: a target is an id and a port, the group's port if none is named; what cannot be registered is listed
as `unsuccessful` in an answer that is a success, the rest is done
(https://docs.aws.amazon.com/vpc-lattice/latest/APIReference/API_RegisterTargets.html); a deregistered
target is `DRAINING` until its requests have completed
(https://docs.aws.amazon.com/vpc-lattice/latest/ug/register-targets.html). moto knows target groups, by
ids with hyphens, but not their targets.

Guessed: `failureCode` values (the reference lists none), and that deregistering what is not there is
unsuccessful. Simplified: draining takes 300 seconds, its longest; a group without a service counts as
used.
"""

import uuid
from typing import Any
from urllib.parse import unquote

from moto.ec2.models import ec2_backends
from moto.vpclattice.exceptions import ResourceNotFoundException
from moto.vpclattice.models import VPCLatticeTargetGroup
from moto.vpclattice.responses import VPCLatticeResponse

from local.aws.clock import CLOCK
from local.aws.patch import Answer, answers, replaces
from local.aws.targets import Registration

DRAIN_SECONDS = 300
MOTO_INIT = VPCLatticeTargetGroup.__init__

Key = tuple[str, int]


def identifier(call: Any) -> str | None:
    """The target group a call names in its path, by id or ARN."""
    parts = unquote(call.path).strip("/").split("/")
    named = [it for it in parts if it.startswith("tg-")]
    return named[-1] if named else None


def arn_of(call: Any) -> str | None:
    group = identifier(call)
    owner = f"arn:aws:vpc-lattice:{call.region}:{call.current_account}"
    return f"{owner}:targetgroup/{group}" if group else None


@replaces(VPCLatticeTargetGroup)
def __init__(self: Any, region: str, account_id: str, *more: Any) -> None:
    MOTO_INIT(self, region, account_id, *more)
    self.id = f"tg-{uuid.uuid4().hex[:17]}"
    self.arn = f"arn:aws:vpc-lattice:{region}:{account_id}:targetgroup/{self.id}"


@answers(VPCLatticeResponse)
def register_targets(call: Any) -> Answer:
    group, table = _named(call)
    good, bad = [], []
    for target in call._get_param("targets") or []:
        key = _key(group, target)
        code = _refusal(call, group, key[0])
        if code:
            bad.append({**_target(key), "failureCode": code, "failureMessage": "not registered"})
            continue
        if key not in table or table[key].drained is not None:
            table[key] = Registration(since=CLOCK.now())
        good.append(_target(key))
    return {"successful": good, "unsuccessful": bad}


def _refusal(call: Any, group: Any, target_id: str) -> str | None:
    refused = getattr(group, "local_refuses", None)
    if refused or group.type != "INSTANCE":
        return refused
    instance = _backend(call).get_instance_by_id(target_id)
    running = instance is not None and instance.state == "running"
    return None if running else "TargetNotRunning"


@answers(VPCLatticeResponse)
def deregister_targets(call: Any) -> Answer:
    group, table = _named(call)
    good, bad = [], []
    for target in call._get_param("targets") or []:
        key = _key(group, target)
        found = table.get(key)
        if found is None:
            code = {"failureCode": "TargetNotFound", "failureMessage": "not registered"}
            bad.append({**_target(key), **code})
            continue
        if found.drained is None:
            found.drained = CLOCK.now() + DRAIN_SECONDS
        good.append(_target(key))
    return {"successful": good, "unsuccessful": bad}


@answers(VPCLatticeResponse)
def list_targets(call: Any) -> Answer:
    group, table = _named(call)
    asked = [_key(group, it) for it in call._get_param("targets") or []]
    keys = [it for it in table if not asked or it in asked]
    return {"items": [{**_target(it), "status": _status(call, it, table[it])} for it in keys]}


def _status(call: Any, key: Key, found: Registration) -> str:
    if found.drained is not None:
        return "DRAINING"
    alive = [it for it in _backend(call).all_instances() if it.state == "running"]
    named = any(key[0] == it.id or key[0] in _addresses(it) for it in alive)
    return "HEALTHY" if named else "UNHEALTHY"


def _addresses(instance: Any) -> list[str]:
    return [
        it["PrivateIpAddress"] for nic in instance.nics.values() for it in nic.private_ip_addresses
    ]


def _named(call: Any) -> tuple[Any, dict[Key, Registration]]:
    group = call.backend.target_groups.get(identifier(call))
    if group is None:
        raise ResourceNotFoundException(f"Target group {identifier(call)} not found")
    table = group.__dict__.setdefault("local_targets", {})
    now = CLOCK.now()
    for key in [key for key, it in table.items() if it.drained is not None and it.drained <= now]:
        del table[key]
    return group, table


def _key(group: Any, target: dict[str, Any]) -> Key:
    return (target["id"], int(target.get("port") or (group.config or {}).get("port") or 80))


def _target(key: Key) -> dict[str, Any]:
    return {"id": key[0], "port": key[1]}


def _backend(call: Any) -> Any:
    return ec2_backends[call.current_account][call.region]
