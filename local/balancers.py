"""Everything that can send traffic to an instance, besides the three target groups every world has:
a Gateway Load Balancer's group, groups of IPv6 addresses, a Classic Load Balancer, VPC Lattice.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

Registered = tuple[str, str, int]  # group, id, port (0: none)
LISTENER = {"Protocol": "TCP", "LoadBalancerPort": 80, "InstancePort": 8080}


@dataclass
class Balancers:
    """Load balancers, made only where a story needs them."""

    classic: Any
    lattice: Any
    names: list[str] = field(default_factory=list)
    lattice_groups: dict[str, str] = field(default_factory=dict)

    def add_classic(self, name: str, subnet: str) -> None:
        self.classic.create_load_balancer(
            LoadBalancerName=name, Listeners=[LISTENER], Subnets=[subnet]
        )
        self.names.append(name)

    def add_lattice(self, name: str, vpc: str, kind: str) -> None:
        config = {"port": 80, "protocol": "HTTP", "vpcIdentifier": vpc}
        group = self.lattice.create_target_group(name=name, type=kind, config=config)
        self.lattice_groups[name] = group["arn"]

    def join_classic(self, name: str, instance: str) -> None:
        self.classic.register_instances_with_load_balancer(
            LoadBalancerName=name, Instances=[{"InstanceId": instance}]
        )

    def join_lattice(self, name: str, *targets: tuple[str, int]) -> None:
        self.lattice.register_targets(
            targetGroupIdentifier=self.lattice_groups[name],
            targets=[{"id": target, "port": port} for target, port in targets],
        )

    def registered(self) -> Iterator[Registered]:
        """Registrations that get traffic; draining ones do not."""
        for name in self.names:
            answer = self.classic.describe_load_balancers(LoadBalancerNames=[name])
            (found,) = answer["LoadBalancerDescriptions"]
            yield from ((name, it["InstanceId"], 0) for it in found["Instances"])
        for name, arn in self.lattice_groups.items():
            for it in self.lattice.list_targets(targetGroupIdentifier=arn)["items"]:
                if it["status"] != "DRAINING":
                    yield (name, it["id"], it["port"])
