"""Load balancers of every kind, and one that does not take its target back."""

from __future__ import annotations

from local import checks
from local.checks import Evidence, Result
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES, World

GENEVE = 6081


def gateway_and_ipv6(stage: Stage, instances: list[str]) -> None:
    """A Gateway Load Balancer's target, and the instance's IPv6 address on two ports."""
    world = stage.world
    (instance,) = instances
    address = with_ipv6(world, instance)
    world.add_group("appliance", "GENEVE", GENEVE, "instance")
    world.add_group("by-ipv6", "TCP", 9000, "ip", IpAddressType="ipv6")
    world.register("appliance", {"Id": instance})
    world.register("by-ipv6", {"Id": address, "Port": 9000}, {"Id": address, "Port": 9443})


def with_ipv6(world: World, instance: str) -> str:
    """Its subnet gives every instance an address from now on; it has one already."""
    ec2, subnet = world.ec2, world.subnets[ZONES[0]]
    ec2.associate_vpc_cidr_block(VpcId=world.vpc, AmazonProvidedIpv6CidrBlock=True)
    vpc = ec2.describe_vpcs(VpcIds=[world.vpc])["Vpcs"][0]
    block = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].replace("/56", "/64")
    ec2.associate_subnet_cidr_block(SubnetId=subnet, Ipv6CidrBlock=block)
    ec2.modify_subnet_attribute(SubnetId=subnet, AssignIpv6AddressOnCreation={"Value": True})
    interface = world.instance(instance)["NetworkInterfaces"][0]["NetworkInterfaceId"]
    ec2.assign_ipv6_addresses(NetworkInterfaceId=interface, Ipv6AddressCount=1)
    return world.ipv6(instance)[0]


def classic(stage: Stage, instances: list[str]) -> None:
    for name in ("legacy-web", "legacy-api"):
        stage.world.balancers.add_classic(name, stage.world.subnets[ZONES[0]])
        stage.world.balancers.join_classic(name, instances[0])


def lattice(stage: Stage, instances: list[str]) -> None:
    world = stage.world
    (instance,) = instances
    world.balancers.add_lattice("service", world.vpc, "INSTANCE")
    world.balancers.add_lattice("service-by-ip", world.vpc, "IP")
    world.balancers.join_lattice("service", (instance, 80), (instance, 8443))
    address = world.instance(instance)["PrivateIpAddress"]
    world.balancers.join_lattice("service-by-ip", (address, 80))


def deleted_after_the_warning(stage: Stage, instances: list[str]) -> None:
    """A group goes while its instance does; another has room for one target of its two."""
    since = stage.now()
    stage.control.interrupt(instances)
    left = lambda: stage.called("elasticloadbalancing:DeregisterTargets", since)
    stage.until("the traffic to leave", left, 60, 0.02)
    stage.world.elb.delete_target_group(TargetGroupArn=stage.world.groups.pop("web"))
    stage.control.settings(targets_per_group=1)


def missing(evidence: Evidence) -> set[tuple[str, str, int]]:
    told: list[str] = evidence.outcome.get("targets_missing", [])
    return {(it.split("/")[1], "instance", int(it.rsplit("=", 1)[1])) for it in told}


def there_is_room(stage: Stage) -> None:
    """An operator has read what is missing, and mended it."""
    (owner,) = {it["replacement"] for it in stage.log.outcomes()}
    stage.meanwhile = stage.world.view(owner).targets
    stage.control.settings(targets_per_group=1000)
    back = lambda: any(it["outcome"] == "back-in-service" for it in stage.log.outcomes())
    stage.sweeps("what was missing", back, 2)


def all_but_two(evidence: Evidence) -> list[Result]:
    """And once there is room, all but the one in a deleted group."""
    named = missing(evidence)
    all_that_can = {it for it in evidence.before.targets if it[0] != "web"}
    told = [it["outcome"] for it in evidence.stage.log.outcomes()]
    return [
        checks.equal("what is missing is named", 1, len(named)),
        checks.equal("the other targets are back", all_that_can - named, evidence.stage.meanwhile),
        checks.equal("with room, that one as well", all_that_can, evidence.after().targets),
        checks.equal(
            "told as incomplete, and then as back", ["incomplete", "back-in-service"], told
        ),
    ]


ALL = (checks.moved, checks.rejoined, checks.one_replacement, checks.told_once)
SCENARIOS = [
    Scenario(
        name="targets",
        story="ALB, NLB and Gateway Load Balancer, several ports, IPv4 and IPv6 addresses",
        more=gateway_and_ipv6,
        checks=ALL,
    ),
    Scenario(
        name="classic",
        story="two Classic Load Balancers have their instance back",
        more=classic,
        checks=ALL,
    ),
    Scenario(
        name="lattice",
        story="VPC Lattice has its targets back, by instance and by address",
        more=lattice,
        checks=ALL,
    ),
    Scenario(
        name="one-target-fails",
        story="one target group is deleted, another refuses: reported with its name, and registered later",
        drive=deleted_after_the_warning,
        ends=frozenset({"incomplete"}),
        afterwards=there_is_room,
        checks=(checks.moved, all_but_two, checks.one_replacement),
        # As long as it is asked for by wakes; then the sweep does.
        rest=1000,
    ),
]
