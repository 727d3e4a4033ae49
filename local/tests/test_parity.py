"""docs/PARITY.md names every member of what EC2 describes of an instance, by the service's own model."""

import re
from pathlib import Path

import botocore.session
import pytest

SHAPES = [
    "Instance",
    "InstanceNetworkInterface",
    "Placement",
    "InstanceAttribute",
    "ResponseLaunchTemplateData",
]
FILE = Path(__file__).parents[2] / "docs" / "PARITY.md"


def tables() -> dict[str, list[str]]:
    """Shape -> members, as documented."""
    found: dict[str, list[str]] = {}
    shape = ""
    for line in FILE.read_text().splitlines():
        if title := re.fullmatch(r"## `(\w+)`", line):
            shape = title[1]
            found[shape] = []
        elif row := re.match(r"\| `(\w+)` \| (carried|told|differs) \| .", line):
            found[shape].append(row[1])
    return found


def test_the_shapes_are_those_that_describe_an_instance() -> None:
    assert list(tables()) == SHAPES


@pytest.mark.parametrize("shape", SHAPES)
def test_what_ec2_describes_is_on_the_list(shape: str) -> None:
    """And nothing that it does not: a member that is new to EC2 has to be decided about."""
    model = botocore.session.get_session().get_service_model("ec2")
    assert sorted(model.shape_for(shape).members) == sorted(tables()[shape])
