"""Parts of a launch that are not the account's own: a subnet of a shared VPC, a
license configuration.
"""

from __future__ import annotations

from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.deploy import ACCOUNT, REGION
from local.scenarios.scenario import Scenario
from local.stage import Stage
from local.world import ZONES

NETWORK_ACCOUNT = "210987654321"
LICENSES = f"arn:aws:license-manager:{REGION}:{ACCOUNT}:license-configuration"
LICENSE = f"{LICENSES}:lic-0123456789abcdef0123456789abcdef"


def shared(stage: Stage, _: list[str]) -> None:
    """The network is another account's, as in an organization with a team for it."""
    for part in (*stage.world.subnets.values(), stage.world.security_group):
        stage.control.share(part, NETWORK_ACCOUNT)


def in_the_shared_subnet(evidence: Evidence) -> list[Result]:
    after = replacement(evidence)
    world = evidence.stage.world
    (subnet,) = world.ec2.describe_subnets(SubnetIds=[after["SubnetId"]])["Subnets"]
    groups = [it["GroupId"] for it in after["SecurityGroups"]]
    where = (world.subnets[ZONES[0]], NETWORK_ACCOUNT)
    return [
        checks.equal(
            "in the same subnet of another account", where, (after["SubnetId"], subnet["OwnerId"])
        ),
        checks.equal("in its security group", [world.security_group], groups),
        checks.equal("and still this account's", ACCOUNT, after["NetworkInterfaces"][0]["OwnerId"]),
    ]


def under_the_license(evidence: Evidence) -> list[Result]:
    held = [it["LicenseConfigurationArn"] for it in replacement(evidence).get("Licenses", [])]
    return [checks.equal("under the same license configuration", [LICENSE], held)]


def replacement(evidence: Evidence) -> dict[str, Any]:
    return evidence.stage.world.instance(evidence.outcome["replacement"])


ALL = (checks.moved, checks.rejoined, checks.one_replacement, checks.told_once)
SCENARIOS = [
    Scenario(
        name="shared-vpc",
        story="its subnet and its security group are another account's, which shares them",
        early=shared,
        checks=(*ALL, in_the_shared_subnet),
    ),
    Scenario(
        name="license",
        story="launched under a license configuration, and so is its replacement",
        launched_with={"LicenseSpecifications": [{"LicenseConfigurationArn": LICENSE}]},
        checks=(*ALL, under_the_license),
    ),
]
