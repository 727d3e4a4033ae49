"""Tags are what the rest of the role turns on, so which principal may write which is the heart of it."""

from __future__ import annotations

from local.permissions.calls import (
    EXPIRY,
    LAUNCHED,
    MARK,
    ON,
    REPLACES,
    SEAL,
    TIME,
    Case,
    created_by,
    on,
    untag,
)

COPY = {"spot-rescue:copy-of": "vol-0123456789abcdef0"}
USERS = "the user's tags, policy and opt-in belong to the user"
NO_MARK = "it is nothing of ours"
NEVER = "nothing the function does needs it"

ALL = [
    *(
        Case(
            f"{verb} {key} of an opted-in instance",
            USERS,
            [
                untag("instance", ON, key)
                if verb == "remove"
                else on("CreateTags", "instance", ON, it)
            ],
            [untag("instance", ON, *TIME), on("CreateTags", "instance", ON, TIME)],
        )
        for verb in ("set", "remove")
        for key in ("Name", "spot-rescue", "spot-rescue:replace", "spot-rescue:subnets")
        for it in [{key: "x"}]
    ),
    Case(
        "set a key of the user's along with ours",
        USERS,
        [on("CreateTags", "instance", ON, TIME | {"Name": "x"})],
        [on("CreateTags", "instance", ON, TIME)],
    ),
    Case(
        "remove all tags of an instance",
        "DeleteTags without keys deletes every tag",
        [untag("instance", ON)],
        [untag("instance", ON, *TIME)],
    ),
    Case(
        "remove all tags of a prepared rescue",
        "DeleteTags without keys deletes every tag",
        [untag("launch-template", MARK)],
        [untag("launch-template", MARK, "spot-rescue:attempts")],
    ),
    Case(
        "name a prepared rescue",
        "only the record and the copied policy belong there",
        [on("CreateTags", "launch-template", MARK, {"Name": "x"})],
        [on("CreateTags", "launch-template", MARK, TIME)],
    ),
    Case(
        "name a foreign volume",
        USERS,
        [on("CreateTags", "volume", given={"Name": "x"})],
        [on("CreateTags", "volume", given=MARK | SEAL)],
    ),
    Case(
        "name a marked volume",
        USERS,
        [on("CreateTags", "volume", MARK, {"Name": "x"})],
        [on("CreateTags", "volume", MARK, EXPIRY)],
    ),
    Case(
        "name an interface",
        USERS,
        [on("CreateTags", "network-interface", given={"Name": "x"})],
        [on("CreateTags", "network-interface", given=MARK | SEAL)],
    ),
    Case(
        "name an interface that no launch makes",
        USERS,
        [created_by("CreateNetworkInterface", "network-interface", {"Name": "x"})],
        [created_by("RunInstances", "network-interface", {"Name": "x"})],
    ),
    Case(
        "say afterwards that an instance was launched by the function",
        "what says so may be ended: it is given at a launch and never afterwards",
        [on("CreateTags", "instance", ON, MARK | SEAL | LAUNCHED)],
        [on("CreateTags", "instance", ON, MARK | SEAL | REPLACES)],
    ),
    Case(
        "say of a foreign volume that it is a copy",
        NO_MARK,
        [on("CreateTags", "volume", given=MARK | SEAL | COPY)],
        [on("CreateTags", "volume", MARK, MARK | SEAL | COPY)],
    ),
    *(
        Case(
            f"give a foreign {kind} an expiry",
            NO_MARK,
            [on("CreateTags", kind, given=MARK | EXPIRY)],
            [on("CreateTags", kind, MARK, MARK | EXPIRY)],
        )
        for kind in ("volume", "network-interface")
    ),
    Case(
        "mark a foreign snapshot",
        "a planted snapshot must not become ours",
        [on("CreateTags", "snapshot", given=MARK)],
        [on("CreateTags", "snapshot", MARK, EXPIRY)],
    ),
    Case(
        "mark a foreign launch template",
        "a planted template must not become ours",
        [on("CreateTags", "launch-template", given=MARK)],
        [on("CreateTags", "launch-template", MARK, TIME)],
    ),
    Case("unmark a volume", NEVER, [untag("volume", MARK, *MARK)]),
    Case(
        "tag what another action creates",
        NEVER,
        [created_by("CopySnapshot", "snapshot", MARK)],
        [created_by("CreateSnapshot", "snapshot", MARK)],
    ),
]
