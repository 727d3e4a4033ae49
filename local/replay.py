"""The local AWS's side of the differential test: plays a list of operations and sums up.

The words are those of `examples/play.rs`.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from local.audit import Account
from local.checks import COPY_OF, EXPIRES
from local.control import warning
from local.scenarios.capacity import NONE_LEFT
from local.stage import Overdue, Stage
from local.world import ZONES, as_dict

# How long the world may take to come to rest, in AWS-seconds: the chain of wakes may be long.
REST = 1800
DEVICES = ("/dev/sdf", "/dev/sdg")


class Replay:
    """One list."""

    def __init__(self, stage: Stage, recipe: dict[str, Any]) -> None:
        self._stage = stage
        self._world = stage.world
        self._shape = recipe["world"]
        self._ops = recipe["ops"]
        self._quiet = True
        # What EC2 is going to take: only what has happened can come to rest.
        self._doomed: dict[str, str] = {}

    def play(self) -> dict[str, Any]:
        stage = self._stage
        stage.control.capacity("*", "*", "*", None)
        self._prepare()
        # What was there before, the image's snapshots for example, is not ours.
        before = Account.of(self._world)
        self._known = {
            *(key for key, it in before.volumes.items() if not it["Attachments"]),
            *(it["SnapshotId"] for it in before.snapshots),
        }
        self._dead = self._dead_targets(before)
        self._told = len(stage.log.lines)
        for op in self._ops:
            arguments = {name: value for name, value in op.items() if name != "op"}
            OPS[op["op"]](self, **arguments)
        stage.pump.resume()
        return self._summary()

    def _prepare(self) -> None:
        stage, world = self._stage, self._world
        users = {
            key: world.subnets[f"{ZONES[0][:-1]}{value[1:]}"] if value.startswith("@") else value
            for key, value in self._shape.get("tags", {}).items()
        }
        (self._original,) = world.launch(
            action=self._shape.get("action", "terminate"),
            tags=users,
            delete_first=self._shape.get("delete_first", True),
        )
        running = lambda: world.states([self._original])[self._original] == "running"
        stage.until("the instance to run", running, 200)
        world.serve(self._original)
        mappings = world.instance(self._original)["BlockDeviceMappings"]
        volumes = {it["DeviceName"]: it["Ebs"]["VolumeId"] for it in mappings}
        self._data = [volumes[it] for it in DEVICES]
        stage.settle(REST)
        stage.sweep()
        stage.settle(REST)

    # --- operations -----------------------------------------------------------------------------

    def interrupt(self, action: str = "terminate", warn: bool = True) -> None:
        victim = self._owner()["InstanceId"]
        self._stage.control.interrupt([victim], action, warn)
        self._doomed[victim] = "terminated" if action == "terminate" else "stopped"

    def warn(self) -> None:
        owner = self._owner()
        event = warning(owner["InstanceId"], owner["Placement"]["AvailabilityZone"])
        self._stage.control.event(event)

    def capacity(self, zone: str, market: str, left: bool) -> None:
        place = zone if zone == "*" else f"{ZONES[0][:-1]}{zone}"
        self._stage.control.capacity(place, "*", market, None if left else NONE_LEFT)

    def hold(self) -> None:
        stage = self._stage
        stage.pump.pause()
        stage.until("the pump to rest", lambda: not stage.pump.is_busy(), 60)

    def release(self) -> None:
        self._stage.pump.resume()

    def advance(self, seconds: float) -> None:
        self._stage.sleep(seconds)

    def resume(self) -> None:
        self._await_ends()
        self._stage.control.start(self._owner()["InstanceId"])

    def terminate(self) -> None:
        self._world.ec2.terminate_instances(InstanceIds=[self._owner()["InstanceId"]])

    def sweep(self) -> None:
        self._stage.sweep()

    def rest(self) -> None:
        try:
            self._await_ends()
            self._stage.settle(REST)
            self._quiet = True
        except Overdue:
            self._quiet = False

    def _await_ends(self) -> None:
        doomed, self._doomed = self._doomed, {}
        self._stage.until("the interrupted to end", lambda: self._ended(doomed), REST)

    def _ended(self, doomed: dict[str, str]) -> bool:
        states = self._world.states(list(doomed)) if doomed else {}
        return states == doomed

    # --- the world in a few words ---------------------------------------------------------------

    def _members(self, account: Account) -> list[dict[str, Any]]:
        members = account.members(self._original)
        return sorted(members, key=lambda it: (it["LaunchTime"], it["InstanceId"]))

    def _owner(self) -> dict[str, Any]:
        return self._members(Account.of(self._world))[-1]

    def _summary(self) -> dict[str, Any]:
        account = Account.of(self._world)
        members = self._members(account)
        owner = members[-1] if members else None
        lines = list(self._stage.log.lines)[self._told :]
        told = [it for it in lines if "outcome" in it and it["rescue"] == self._original]
        names = {owner["InstanceId"], owner.get("PrivateIpAddress")} if owner else set()
        summary = {
            "living": [self._instance(it) for it in members],
            "volumes": self._volumes(account, owner) if owner else {},
            "targets": sorted((g, port) for g, it, port in account.targets if it in names),
            "dead targets": sorted(
                (g, port) for g, _, port in self._dead_targets(account) - self._dead
            ),
            "address": any(it.get("InstanceId") in names - {None} for it in account.addresses),
            "left": self._left(account),
            "template": f"spot-rescue-{self._original}" in account.templates,
            "outcomes": sorted({it["outcome"] for it in told}),
            "quiet": self._quiet,
        }
        return dict(json.loads(json.dumps(summary)))

    def _dead_targets(self, account: Account) -> set[tuple[str, str, int]]:
        """Registrations without a living instance behind them."""
        living = {it["InstanceId"] for it in account.instances}
        living |= {it.get("PrivateIpAddress", "") for it in account.instances}
        return {it for it in account.targets if it[1] not in living}

    def _instance(self, it: dict[str, Any]) -> dict[str, Any]:
        return {
            "zone": it["Placement"]["AvailabilityZone"][-1],
            "market": it.get("InstanceLifecycle", "on-demand"),
            "state": it["State"]["Name"],
            "original": it["InstanceId"] == self._original,
        }

    def _volumes(self, account: Account, owner: dict[str, Any]) -> dict[str, Any]:
        shown = {}
        for it in owner["BlockDeviceMappings"]:
            if it["DeviceName"] == owner["RootDeviceName"]:
                continue
            volume, origin = it["Ebs"]["VolumeId"], it["Ebs"]["VolumeId"]
            while origin in account.volumes:
                copied = as_dict(account.volumes[origin].get("Tags", [])).get(COPY_OF)
                if copied is None:
                    break
                origin = copied
            shown[it["DeviceName"]] = {
                "original": self._data.index(origin) + 1 if origin in self._data else None,
                "how": "moved" if origin == volume else "restored",
                "delete on termination": it["Ebs"]["DeleteOnTermination"],
            }
        return shown

    def _left(self, account: Account) -> dict[str, int]:
        """Free volumes and new snapshots: with an end, and without."""
        free = [it for it in account.volumes.values() if not it["Attachments"]]
        volumes = [it for it in free if it["VolumeId"] not in self._known]
        snapshots = [it for it in account.snapshots if it["SnapshotId"] not in self._known]
        counts = {}
        for name, found in (("volumes", volumes), ("snapshots", snapshots)):
            expire = [EXPIRES in as_dict(it.get("Tags", [])) for it in found]
            counts[f"expiring {name}"] = sum(expire)
            counts[f"endless {name}"] = len(expire) - sum(expire)
        return counts


OPS: dict[str, Callable[..., None]] = {
    name: getattr(Replay, name)
    for name in (
        "interrupt",
        "warn",
        "capacity",
        "hold",
        "release",
        "advance",
        "resume",
        "terminate",
        "sweep",
        "rest",
    )
}
