"""The account's books, for the soak: what every lineage must own, and what belongs to none.

Everything is read with a handful of calls, however many instances there are.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from local.checks import COPY_OF, RESCUE, ends, is_stray
from local.world import World, as_dict

LIVING = ("pending", "running", "stopping", "stopped")


@dataclass(frozen=True)
class Holding:
    """What a lineage has: device -> the volume it was at first; where it serves; its addresses."""

    volumes: dict[str, str]
    flags: dict[str, bool]
    targets: set[tuple[str, int]]
    addresses: set[str]


@dataclass
class Findings:
    """One line per thing that is wrong."""

    lost: list[str] = field(default_factory=list)
    duplicated: list[str] = field(default_factory=list)
    orphaned: list[str] = field(default_factory=list)
    incomplete: list[str] = field(default_factory=list)

    def add(self, other: Findings) -> None:
        for name, lines in vars(other).items():
            getattr(self, name).extend(lines)

    def lines(self) -> list[str]:
        return [f"{name}: {it}" for name, lines in vars(self).items() for it in lines]

    def counts(self) -> str:
        return f"{len(self.lost)}/{len(self.duplicated)}/{len(self.orphaned)}"


class Books:
    """What each lineage owned when all was well, and what has become of it."""

    def __init__(self, world: World, lineages: list[str]) -> None:
        self._world = world
        self.lineages = lineages
        # A copy, and the copy of a copy, stand for the volume that was there at first.
        self._origin: dict[str, str] = {}
        self._before = {it: self.holding(state) for it, state in self.owners(self.read()).items()}

    def read(self) -> Account:
        account = Account.of(self._world)
        for volume in sorted(account.volumes.values(), key=lambda it: it["CreateTime"]):
            copied = as_dict(volume.get("Tags", [])).get(COPY_OF)
            if copied and volume["VolumeId"] not in self._origin:
                self._origin[volume["VolumeId"]] = self._origin.get(copied, copied)
        self._account = account
        return account

    def owners(self, account: Account) -> dict[str, dict[str, Any]]:
        """The newest living member of each lineage."""
        found = {}
        for lineage in self.lineages:
            members = account.members(lineage)
            if members:
                found[lineage] = max(members, key=lambda it: it["LaunchTime"])
        return found

    def holding(self, instance: dict[str, Any]) -> Holding:
        account = self._account
        data = {
            it["DeviceName"]: it["Ebs"]
            for it in instance["BlockDeviceMappings"]
            if it["DeviceName"] != instance["RootDeviceName"]
        }
        names = {instance["InstanceId"], instance.get("PrivateIpAddress", "")}
        return Holding(
            volumes={
                name: self._origin.get(ebs["VolumeId"], ebs["VolumeId"])
                for name, ebs in data.items()
            },
            flags={name: ebs["DeleteOnTermination"] for name, ebs in data.items()},
            targets={(group, port) for group, target, port in account.targets if target in names},
            addresses={
                it["AllocationId"]
                for it in account.addresses
                if it.get("InstanceId") == instance["InstanceId"]
            },
        )

    def audit(self, reported_lost: set[str]) -> Findings:
        """`reported_lost` are lineages with a report that says a volume is lost."""
        account, found = self.read(), Findings()
        owners = self.owners(account)
        for lineage, before in self._before.items():
            members = [it["InstanceId"] for it in account.members(lineage)]
            if len(members) > 1:
                found.duplicated.append(f"{lineage} lives as {members}")
            owner = owners.get(lineage)
            now = self.holding(owner) if owner else Holding({}, {}, set(), set())
            for device, volume in before.volumes.items():
                if now.volumes.get(device) != volume and lineage not in reported_lost:
                    where = now.volumes.get(device)
                    found.lost.append(f"{lineage} {device}: {volume} wanted, {where} found")
            for name in ("flags", "targets", "addresses"):
                wanted, is_now = getattr(before, name), getattr(now, name)
                if wanted != is_now:
                    text = f"{lineage} {members} {name}: {wanted} wanted, {is_now} found"
                    found.incomplete.append(text)
        found.orphaned += account.orphans({f"spot-rescue-{it}" for it in self.lineages})
        return found


@dataclass(frozen=True)
class Account:
    """Everything at one moment."""

    instances: list[dict[str, Any]]
    volumes: dict[str, dict[str, Any]]
    snapshots: list[dict[str, Any]]
    templates: list[str]
    addresses: list[dict[str, Any]]
    #: group, instance or address, port; without what drains
    targets: set[tuple[str, str, int]]

    @classmethod
    def of(cls, world: World) -> Account:
        healths = {
            (name, arn): world.elb.describe_target_health(TargetGroupArn=arn)
            for name, arn in world.groups.items()
        }
        return cls(
            instances=[it for it in world.instances() if it["State"]["Name"] in LIVING],
            volumes={it["VolumeId"]: it for it in world.volumes()},
            snapshots=world.snapshots(),
            templates=[it["LaunchTemplateName"] for it in world.templates()],
            addresses=world.ec2.describe_addresses()["Addresses"],
            targets={
                (name, it["Target"]["Id"], it["Target"]["Port"])
                for (name, _), health in healths.items()
                for it in health["TargetHealthDescriptions"]
                if it["TargetHealth"]["State"] != "draining"
            },
        )

    def members(self, lineage: str) -> list[dict[str, Any]]:
        return [
            it
            for it in self.instances
            if lineage in (it["InstanceId"], as_dict(it.get("Tags", [])).get(RESCUE))
        ]

    def orphans(self, templates: set[str]) -> list[str]:
        """Not in use and without an expiry; snapshots of the image belong to no lineage."""
        living = {it["InstanceId"] for it in self.instances}
        names = living | {it.get("PrivateIpAddress", "") for it in self.instances}
        strays = [it["VolumeId"] for it in self.volumes.values() if is_stray(it, living)]
        endless = [
            it["SnapshotId"]
            for it in self.snapshots
            if RESCUE in (tags := as_dict(it.get("Tags", []))) and not ends(tags)
        ]
        dead = [
            f"{target}:{port} in {group}"
            for group, target, port in self.targets
            if target not in names
        ]
        free = [it["AllocationId"] for it in self.addresses if not it.get("InstanceId")]
        extra = sorted(set(self.templates) - templates)
        return [*strays, *endless, *dead, *free, *extra]
