"""What the role can do although the function never does: where AWS offers no condition that would tell, or
where one would not help. Asserted, so that this list is neither forgotten nor out of date.
"""

from __future__ import annotations

from dataclasses import dataclass

from local.permissions.calls import (
    LAUNCHED,
    MARK,
    ON,
    Call,
    arn,
    classic,
    lattice,
    names,
    on,
    part,
    passing,
    targets,
)
from local.permissions.judge import Request


@dataclass(frozen=True)
class Accepted:
    what: str
    call: Call
    why: str


ALL = [
    Accepted(
        "launch an instance without any template",
        [on("RunInstances", "instance", given=MARK), on("RunInstances", "image")],
        (
            "the function writes templates itself, so demanding one (ec2:LaunchTemplate) would stop nothing; "
            "and should a fleet's own launch not carry that key, no rescue would succeed"
        ),
    ),
    Accepted(
        "launch on any free network interface",
        [on("RunInstances", "network-interface")],
        (
            "every launch makes an interface, which has no tags yet, and one statement is for both; the "
            "function looks at what holds one, and marks it first"
        ),
    ),
    Accepted(
        "pass a named role to any replacement",
        [passing("ec2.amazonaws.com")],
        (
            "which of the roles in InstanceRoleArns an instance had is not to be seen in a policy; the "
            "function takes it from the instance itself"
        ),
    ),
    Accepted(
        "launch any type in any subnet of the account, where none are named",
        [
            part("RunInstances", "instance", given=MARK, instance_type="u7i-12tb.224xlarge"),
            part("RunInstances", "subnet", subnet="subnet-99999999999999999"),
        ],
        "AllowedInstanceTypes and AllowedSubnets are empty by default",
    ),
    Accepted(
        "change any attribute of an opted-in instance",
        [
            Request(
                "ec2:ModifyInstanceAttribute",
                arn("instance"),
                {"aws:ResourceTag/spot-rescue": ["on"]},
            )
        ],
        "we know of no documented value of ec2:Attribute that stands for DeleteOnTermination",
    ),
    Accepted(
        "move any address to a marked network interface",
        [on("AssociateAddress", "elastic-ip"), on("AssociateAddress", "network-interface", MARK)],
        "addresses carry no tag of the function; the function looks at what holds one",
    ),
    Accepted(
        "mark any network interface, and so make it the function's",
        [on("CreateTags", "network-interface", given=MARK)],
        (
            "the user's interfaces are unmarked until the function marks them, as with volumes; a mark "
            "can be set, never removed"
        ),
    ),
    Accepted(
        "change any attribute of a marked interface",
        [on("ModifyNetworkInterfaceAttribute", "network-interface", MARK)],
        "we know of no documented value of ec2:Attribute that stands for DeleteOnTermination",
    ),
    Accepted(
        "register anything with any target group, where none are named",
        [
            targets("RegisterTargets"),
            targets("DeregisterTargets"),
            classic("RegisterInstancesWithLoadBalancer"),
            classic("DeregisterInstancesFromLoadBalancer"),
            lattice("RegisterTargets"),
            lattice("DeregisterTargets"),
        ],
        (
            "TargetGroupArns is empty by default; target groups carry no tag of the function, and there is "
            "no condition on the target"
        ),
    ),
    Accepted(
        "mark any volume, and so make it the function's",
        [on("CreateTags", "volume", given=MARK)],
        (
            "the user's volumes are unmarked until the function marks them, and nothing on a volume "
            "tells which instance it is attached to; a mark can be set, never removed"
        ),
    ),
    Accepted(
        "copy any volume, if AWS shows the request's tags on the source as well",
        [on("CopyVolumes", "volume", given=MARK)],
        (
            "the copy to be has no id, so what allows it stands for every volume; we know of no "
            "documentation that the request's tags are not looked at for the source, which is asked about "
            "by its id; AWS's own policy for its EBS driver has the same two statements"
        ),
    ),
    Accepted(
        "mark any Spot Instance request, and so be able to cancel it",
        [on("CreateTags", "spot-instances-request", given=MARK)],
        (
            "requests are unmarked until the function marks them, and carry no tag that says which "
            "instance theirs is; a mark can be set, never removed"
        ),
    ),
    Accepted(
        "make any free volume the root of a replacement",
        [
            on("CreateReplaceRootVolumeTask", "instance", ON | LAUNCHED),
            on("CreateReplaceRootVolumeTask", "volume"),
        ],
        (
            "we know of no documentation whether the volume asked about is the one that is named, which "
            "is marked, or the one that is made of an image, which cannot be"
        ),
    ),
    Accepted(
        "write over any address in a named hosted zone",
        [names()],
        (
            "record sets carry no tags, and a policy cannot see which instance is behind an address; the "
            "function writes over an address of the instance it replaces"
        ),
    ),
    Accepted(
        "snapshot a volume along with an opted-in instance",
        [on("CreateSnapshots", "instance", ON), on("CreateSnapshots", "volume")],
        "the call takes an instance, never a volume",
    ),
]
