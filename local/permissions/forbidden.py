"""What the role must not be able to do, each with the lawful call it differs from by one thing."""

from __future__ import annotations

from local.permissions import forbidden_launches as launches
from local.permissions import forbidden_limits as limits
from local.permissions import forbidden_places as places
from local.permissions import forbidden_tags as tags
from local.permissions.calls import (
    CONSISTENCY,
    EXPIRY,
    MARK,
    NOTHING,
    OFF,
    ON,
    TIME,
    Case,
    associate,
    attach,
    clone,
    copy,
    interface,
    keep,
    on,
    restore,
    snapshot_set,
)

NO_OPT_IN = "the user has not opted this instance in"
NO_MARK = "it is nothing of ours"

INSTANCES = [
    Case("keep volumes", NO_OPT_IN, keep(NOTHING), keep(ON)),
    Case("keep volumes after opting out", NO_OPT_IN, keep(OFF), keep(ON)),
    Case("snapshot an instance", NO_OPT_IN, snapshot_set(NOTHING), snapshot_set(ON)),
    Case(
        "describe an instance for a template",
        NO_OPT_IN,
        [on("GetLaunchTemplateData", "instance")],
        [on("GetLaunchTemplateData", "instance", ON)],
    ),
    Case("attach to an instance", NO_OPT_IN, attach(MARK, NOTHING), attach(MARK, ON)),
    Case("move an address", NO_OPT_IN, associate(MARK, NOTHING), associate(MARK)),
    *(
        Case(
            f"{action} on the interface of a foreign instance",
            NO_OPT_IN,
            interface(action, MARK, NOTHING),
            interface(action, MARK),
        )
        for action in ("AttachNetworkInterface", "ModifyNetworkInterfaceAttribute")
    ),
    Case(
        "mark an instance",
        NO_OPT_IN,
        [on("CreateTags", "instance", given=TIME)],
        [on("CreateTags", "instance", ON, TIME)],
    ),
]

INTERFACES = [
    Case("move an address to a foreign interface", NO_MARK, associate(NOTHING), associate(MARK)),
    Case(
        "assign private addresses to a foreign interface",
        NO_MARK,
        [on("AssignPrivateIpAddresses", "network-interface")],
        [on("AssignPrivateIpAddresses", "network-interface", MARK)],
    ),
    *(
        Case(
            f"{action} on a foreign interface",
            NO_MARK,
            interface(action, NOTHING),
            interface(action, MARK),
        )
        for action in ("AttachNetworkInterface", "ModifyNetworkInterfaceAttribute")
    ),
]

VOLUMES = [
    Case("attach a foreign volume", NO_MARK, attach(NOTHING, ON), attach(MARK, ON)),
    Case(
        "take a foreign volume out of the Recycle Bin",
        NO_MARK,
        [on("RestoreVolumeFromRecycleBin", "volume", NOTHING)],
        [on("RestoreVolumeFromRecycleBin", "volume", MARK)],
    ),
    Case("snapshot a foreign volume", NO_MARK, copy(NOTHING), copy(MARK)),
    Case("clone a foreign volume", NO_MARK, clone(NOTHING), clone(MARK)),
    Case("clone without a mark", "it would be lost", clone(MARK, NOTHING), clone(MARK)),
    Case("snapshot without a mark", "it would be lost", copy(MARK, NOTHING), copy(MARK)),
    Case("a set without a mark", "it would be lost", snapshot_set(ON, NOTHING), snapshot_set(ON)),
    Case("restore a foreign snapshot", NO_MARK, restore(NOTHING), restore(MARK)),
    Case("restore without a mark", "it would be lost", restore(MARK, NOTHING), restore(MARK)),
    *(
        Case(
            f"delete a {kind} {held}",
            "only what is ours and has an expiry is ever deleted",
            [on(action, kind, tags)],
            [on(action, kind, MARK | EXPIRY)],
        )
        for action, kind in (
            ("DeleteVolume", "volume"),
            ("DeleteSnapshot", "snapshot"),
            ("DeleteNetworkInterface", "network-interface"),
            ("DeregisterImage", "image"),
        )
        for held, tags in (
            ("of the user's", NOTHING),
            ("without an expiry", MARK),
            ("with an expiry but no mark", EXPIRY),
        )
    ),
    Case(
        "delete a backup",
        "that is the other function's",
        [on("DeleteSnapshot", "snapshot", MARK | EXPIRY | CONSISTENCY)],
        [on("DeleteSnapshot", "snapshot", MARK | EXPIRY)],
    ),
]

ALL = [
    *INSTANCES,
    *INTERFACES,
    *VOLUMES,
    *tags.ALL,
    *launches.ALL,
    *limits.ALL,
    *places.ALL,
]
