"""Names in Route 53 that follow their instance."""

from __future__ import annotations

from typing import Any

from local import checks
from local.checks import Evidence, Result
from local.deploy import ROOT
from local.scenarios.scenario import Scenario
from local.stage import Stage

DOMAIN = "example.internal"
NAME = f"db.{DOMAIN}"
# Before and after it in a listing.
NEIGHBOURS = {f"cache.{DOMAIN}.": "10.7.0.250", f"dbs.{DOMAIN}.": "10.7.0.251"}
TTL = 45


def zone(endpoint: str) -> dict[str, str]:
    """The hosted zone is there before the stack, as a parameter names it."""
    client = ROOT.client("route53", endpoint)
    made = client.create_hosted_zone(Name=DOMAIN, CallerReference="1")["HostedZone"]
    return {"HostedZoneArns": f"arn:aws:route53:::{made['Id'].lstrip('/')}"}


def the_zone(stage: Stage) -> str:
    (found,) = stage.world.dns.list_hosted_zones()["HostedZones"]
    return str(found["Id"].rsplit("/", 1)[-1])


def tags(stage: Stage) -> dict[str, str]:
    return {"spot-rescue:dns": f"{the_zone(stage)} {NAME}"}


def point(stage: Stage, names: dict[str, str]) -> None:
    changes = [
        {
            "Action": "UPSERT",
            "ResourceRecordSet": {
                "Name": name,
                "Type": "A",
                "TTL": TTL,
                "ResourceRecords": [{"Value": address}],
            },
        }
        for name, address in names.items()
    ]
    stage.world.dns.change_resource_record_sets(
        HostedZoneId=the_zone(stage), ChangeBatch={"Changes": changes}
    )


def named(stage: Stage, instances: list[str]) -> None:
    """By its private address, between two names of others."""
    (instance,) = instances
    address = stage.world.instance(instance)["PrivateIpAddress"]
    point(stage, {NAME: address, **NEIGHBOURS})


def changed_after_the_warning(stage: Stage, instances: list[str]) -> None:
    stage.control.interrupt(instances)
    left = lambda: stage.called("ec2:CreateFleet")
    stage.until("the replacement to be launched", left, 60)
    point(stage, {NAME: "10.7.0.99"})


def records(evidence: Evidence) -> dict[str, Any]:
    """The record sets of the zone, by name."""
    stage = evidence.stage
    sets = stage.world.dns.list_resource_record_sets(HostedZoneId=the_zone(stage))
    return {
        it["Name"]: (it["ResourceRecords"][0]["Value"], it["TTL"])
        for it in sets["ResourceRecordSets"]
        if it["Type"] == "A"
    }


def followed(evidence: Evidence) -> list[Result]:
    here = evidence.stage.world.instance(evidence.outcome["replacement"])["PrivateIpAddress"]
    others = {name: (address, TTL) for name, address in NEIGHBOURS.items()}
    wanted = {f"{NAME}.": (here, TTL), **others}
    return [
        checks.equal("the name says the replacement's private address", wanted, records(evidence)),
        checks.equal("no name is left", [], evidence.outcome["names_left"]),
    ]


def left_alone(evidence: Evidence) -> list[Result]:
    says = records(evidence)[f"{NAME}."][0]
    told = evidence.outcome["names_left"]
    named = [it for it in told if NAME in it and "10.7.0.99" in it]
    changes = evidence.stage.called("route53:ChangeResourceRecordSets")
    return [
        checks.equal("the name says what its user said", "10.7.0.99", says),
        checks.equal("no other caller changed it", False, changes),
        checks.equal("that is reported", 1, len(named)),
    ]


ALL = (checks.moved, checks.rejoined, checks.one_replacement, checks.told_once)
SCENARIOS = [
    Scenario(
        name="dns",
        story="a name in Route 53 follows the instance it is of",
        parameters=zone,
        tags=tags,
        more=named,
        checks=(*ALL, followed),
    ),
    Scenario(
        name="dns-changed",
        story="its user has pointed the name elsewhere: it stays there, and that is reported",
        parameters=zone,
        tags=tags,
        more=named,
        drive=changed_after_the_warning,
        ends=frozenset({"incomplete"}),
        checks=(*ALL, left_alone),
    ),
]
