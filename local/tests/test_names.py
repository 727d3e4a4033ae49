"""Names in Route 53: how they are listed, how often one may ask, and what a change needs."""

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from botocore.exceptions import ClientError

from local.tests.harness import Local, code_of, sleep, until


@pytest.fixture
def dns(aws: Local) -> Any:
    return aws.client("route53")


@pytest.fixture
def zone(dns: Any) -> str:
    made = dns.create_hosted_zone(Name="example.org", CallerReference="1")["HostedZone"]
    return made["Id"].rsplit("/", 1)[-1]


def change(dns: Any, zone: str, name: str, kind: str = "A", value: str = "10.0.0.5") -> None:
    records = {"Name": name, "Type": kind, "TTL": 60, "ResourceRecords": [{"Value": value}]}
    batch = {"Changes": [{"Action": "UPSERT", "ResourceRecordSet": records}]}
    dns.change_resource_record_sets(HostedZoneId=zone, ChangeBatch=batch)


def test_a_listing_begins_where_it_is_asked_to_and_goes_on(dns: Any, zone: str) -> None:
    """ "the results begin with the first resource record set that has a name greater than or equal to
    the value of name"; names end in a dot.
    """
    for name in ("a.example.org", "db.example.org", "dc.example.org"):
        change(dns, zone, name)
    listed = dns.list_resource_record_sets(HostedZoneId=zone, StartRecordName="db.example.org")
    names = [it["Name"] for it in listed["ResourceRecordSets"]]
    assert names[:2] == ["db.example.org.", "dc.example.org."]


def test_more_than_five_a_second_are_throttled(aws: Local, dns: Any, zone: str) -> None:
    """ "five requests per second per AWS account"; "Throttling: Rate exceeded"."""
    listing = partial(dns.list_resource_record_sets, HostedZoneId=zone)
    sleep(1)
    for _ in range(5):
        listing()
    assert code_of(listing) == "Throttling"
    until(lambda: succeeds(listing))


def succeeds(call: Callable[[], Any]) -> bool:
    try:
        call()
    except ClientError:
        return False
    return True
