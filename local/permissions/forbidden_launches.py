"""What is launched, from what, and what becomes of it: roots, spares, Spot Instance requests."""

from __future__ import annotations

from local.permissions.calls import (
    EXPIRY,
    LAUNCHED,
    MARK,
    NOTHING,
    OFF,
    ON,
    REPLACES,
    SEAL,
    Case,
    launch,
    linked_role,
    on,
    passing,
)

NO_OPT_IN = "the user has not opted this instance in"
NO_MARK = "it is nothing of ours"
NEVER = "nothing the function does needs it"

ROOT = "CreateReplaceRootVolumeTask"
ROOTS = [
    Case(
        "replace the root of an instance that is no replacement",
        "the user's own instance keeps its root",
        [on(ROOT, "instance", ON)],
        [on(ROOT, "instance", ON | LAUNCHED)],
    ),
    Case(
        "replace the root of a replacement that has opted out",
        NO_OPT_IN,
        [on(ROOT, "instance", OFF | LAUNCHED)],
        [on(ROOT, "instance", ON | LAUNCHED)],
    ),
    Case(
        "replace the root of what only says that it replaces another one",
        "the user's own instance keeps its root",
        [on(ROOT, "instance", ON | REPLACES)],
        [on(ROOT, "instance", ON | LAUNCHED)],
    ),
    Case(
        "replace a root without a mark",
        "it would be lost",
        [on(ROOT, "replace-root-volume-task")],
        [on(ROOT, "replace-root-volume-task", given=MARK)],
    ),
    Case(
        "replace a root from a foreign image",
        NO_MARK,
        [on(ROOT, "image")],
        [on(ROOT, "image", MARK)],
    ),
    Case(
        "register a foreign snapshot",
        NO_MARK,
        [on("RegisterImage", "snapshot")],
        [on("RegisterImage", "snapshot", MARK)],
    ),
    Case(
        "register an image without a mark",
        "it would be lost",
        [on("RegisterImage", "image")],
        [on("RegisterImage", "image", given=MARK)],
    ),
    Case(
        "read UEFI variables",
        NO_OPT_IN,
        [on("GetInstanceUefiData", "instance")],
        [on("GetInstanceUefiData", "instance", ON)],
    ),
]

LAUNCHES = [
    *(
        case
        for action in ("CreateFleet", "RunInstances")
        for case in (
            Case(
                f"{action} from a foreign template",
                NO_MARK,
                launch(action, NOTHING),
                launch(action, MARK),
            ),
            Case(
                f"{action} without a mark",
                "it would be lost",
                launch(action, MARK, NOTHING),
                launch(action, MARK),
            ),
        )
    ),
    *(
        Case(
            f"{action} of another's",
            NO_MARK,
            [on(action, "launch-template")],
            [on(action, "launch-template", MARK)],
        )
        for action in (
            "CreateLaunchTemplateVersion",
            "DeleteLaunchTemplate",
            "DeleteLaunchTemplateVersions",
            "ModifyLaunchTemplate",
        )
    ),
    Case(
        "a launch template without a mark",
        "it would be lost",
        [on("CreateLaunchTemplate", "launch-template")],
        [on("CreateLaunchTemplate", "launch-template", given=MARK)],
    ),
    Case(
        "pass a role to Lambda",
        "only EC2 gets roles, as in the original",
        [passing("lambda.amazonaws.com")],
        [passing("ec2.amazonaws.com")],
    ),
    Case(
        "a service-linked role of another service",
        NEVER,
        [linked_role("elasticloadbalancing.amazonaws.com")],
        [linked_role("spot.amazonaws.com")],
    ),
]

SPARES = [
    *(
        Case(
            f"end an instance {held}",
            "only a spare that is not needed any more is ever ended",
            [on("TerminateInstances", "instance", ON | tags)],
            [on("TerminateInstances", "instance", ON | MARK | LAUNCHED | EXPIRY)],
        )
        for held, tags in (
            ("of the user's", MARK),
            ("that was launched and is needed", MARK | LAUNCHED),
            ("with an expiry that was never launched", MARK | EXPIRY),
            ("without a mark", LAUNCHED | EXPIRY),
        )
    ),
]

REQUESTS = [
    Case(
        "cancel a request of the user's",
        "only one that was marked when a rescue was prepared",
        [on("CancelSpotInstanceRequests", "spot-instances-request")],
        [on("CancelSpotInstanceRequests", "spot-instances-request", MARK)],
    ),
    Case(
        "give a request other tags",
        "only our mark",
        [on("CreateTags", "spot-instances-request", given=MARK | {"Name": "x"})],
        [on("CreateTags", "spot-instances-request", given=MARK | SEAL)],
    ),
]

ALL = [*ROOTS, *LAUNCHES, *SPARES, *REQUESTS]
