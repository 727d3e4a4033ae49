"""What the user has named in the stack's parameters is where the function ends: roles, types, subnets,
target groups.
"""

from __future__ import annotations

from local.permissions.calls import MARK, Case, classic, lattice, part, passing, targets
from local.permissions.policy import LATTICE_GROUP, LOAD_BALANCER, TARGET_GROUP

NAMED = "the user names them"
OTHER_TYPE = "u7i-12tb.224xlarge"
OTHER_SUBNET = "subnet-99999999999999999"

ROLES = [
    Case(
        f"pass {name}",
        NAMED,
        [passing("ec2.amazonaws.com", name=name)],
        [passing("ec2.amazonaws.com")],
    )
    for name in ("administrator", "database-admin", "aws-service-role/x")
]

LAUNCHES = [
    Case(
        "launch another type",
        NAMED,
        [part("RunInstances", "instance", given=MARK, instance_type=OTHER_TYPE)],
        [part("RunInstances", "instance", given=MARK, instance_type="c6i.xlarge")],
    ),
    Case(
        "launch without saying which type",
        "a key that is not there must not pass for one that is right",
        [part("RunInstances", "instance", given=MARK, instance_type="")],
        [part("RunInstances", "instance", given=MARK)],
    ),
    Case(
        "a fleet of another type",
        NAMED,
        [part("CreateFleet", "instance", given=MARK, instance_type=OTHER_TYPE)],
        [part("CreateFleet", "instance", given=MARK)],
    ),
    Case(
        "a fleet of another type that says so only when it launches",
        "its launches are asked about one by one",
        [
            part("CreateFleet", "instance", given=MARK, instance_type=""),
            part("RunInstances", "instance", given=MARK, instance_type=OTHER_TYPE),
        ],
        [
            part("CreateFleet", "instance", given=MARK, instance_type=""),
            part("RunInstances", "instance", given=MARK),
        ],
    ),
    *(
        Case(
            f"{action} in another subnet",
            NAMED,
            [part(action, "subnet", subnet=OTHER_SUBNET)],
            [part(action, "subnet")],
        )
        for action in ("CreateFleet", "RunInstances")
    ),
    Case(
        "a fleet in another subnet that says so only when it launches",
        "its launches are asked about one by one",
        [part("CreateFleet", "subnet", subnet=""), part("RunInstances", "subnet", subnet="")],
        [part("CreateFleet", "subnet", subnet=""), part("RunInstances", "subnet")],
    ),
    Case(
        "launch on an interface in another subnet",
        NAMED,
        [part("RunInstances", "network-interface", subnet=OTHER_SUBNET)],
        [part("RunInstances", "network-interface")],
    ),
]

TARGETS = [
    *(
        Case(
            f"{action} with a group that is not named",
            NAMED,
            [targets(action, TARGET_GROUP.replace("web", "admin"))],
            [targets(action)],
        )
        for action in ("RegisterTargets", "DeregisterTargets")
    ),
    *(
        Case(
            f"{action} of a load balancer that is not named",
            NAMED,
            [classic(action, LOAD_BALANCER.replace("web", "admin"))],
            [classic(action)],
        )
        for action in ("RegisterInstancesWithLoadBalancer", "DeregisterInstancesFromLoadBalancer")
    ),
    *(
        Case(
            f"{action} with a Lattice group that is not named",
            NAMED,
            [lattice(action, LATTICE_GROUP.replace("0123", "9999"))],
            [lattice(action), lattice("ListTargets", LATTICE_GROUP.replace("0123", "9999"))],
        )
        for action in ("RegisterTargets", "DeregisterTargets")
    ),
]

ALL = [*ROLES, *LAUNCHES, *TARGETS]
