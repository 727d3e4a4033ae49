"""What the role must not be able to do, each with the lawful call it differs from by one thing."""

from __future__ import annotations

from local.deploy import REGION, STACK
from local.permissions import forbidden_limits as limits
from local.permissions import forbidden_tags as tags
from local.permissions.calls import (
    EXPIRY,
    LAUNCHED,
    MARK,
    NOTHING,
    OFF,
    ON,
    REPLACES,
    SEAL,
    TIME,
    Call,
    Case,
    Tags,
    classic,
    created_by,
    elsewhere,
    key,
    lattice,
    linked_role,
    names,
    on,
    part,
    passing,
    scaling,
    targets,
)
from local.permissions.policy import (
    ACCOUNT,
    KEY_ARN,
    LATTICE_GROUP,
    LOAD_BALANCER,
    LOG_ARN,
    QUEUE_ARN,
    SECRET_ARN,
    TARGET_GROUP,
    ZONE_ARN,
)

STRANGER = "999999999999"
NO_OPT_IN = "the user has not opted this instance in"
NO_MARK = "it is nothing of ours"
ELSEWHERE = "the role ends at its account and Region"
NEVER = "nothing the function does needs it"


def keep(held: Tags, **where: str) -> Call:
    action = "ModifyInstanceAttribute"
    return [on(action, "instance", held, **where), on(action, "volume", **where)]


def snapshot_set(held: Tags, given: Tags = MARK) -> Call:
    new = [on("CreateSnapshots", "snapshot", given=given)]
    tagged = [created_by("CreateSnapshots", "snapshot", given)] if given else []
    old = [on("CreateSnapshots", "instance", held), on("CreateSnapshots", "volume")]
    return old + new + tagged


def attach(volume: Tags, instance: Tags) -> Call:
    return [on("AttachVolume", "volume", volume), on("AttachVolume", "instance", instance)]


def interface(action: str, held: Tags, instance: Tags = ON) -> Call:
    return [on(action, "network-interface", held), on(action, "instance", instance)]


def associate(held: Tags, instance: Tags = ON) -> Call:
    return [on("AssociateAddress", "elastic-ip"), *interface("AssociateAddress", held, instance)]


def copy(volume: Tags, given: Tags = MARK) -> Call:
    return [on("CreateSnapshot", "volume", volume), on("CreateSnapshot", "snapshot", given=given)]


def restore(snapshot: Tags, given: Tags = MARK) -> Call:
    return [on("CreateVolume", "snapshot", snapshot), on("CreateVolume", "volume", given=given)]


def clone(volume: Tags, given: Tags = MARK) -> Call:
    return [on("CopyVolumes", "volume", volume), on("CopyVolumes", "volume", given=given)]


def launch(action: str, template: Tags, given: Tags = MARK) -> Call:
    kinds = ("image", "subnet", "security-group", "volume")
    made = [part(action, "instance", given=given), *(part("RunInstances", it) for it in kinds)]
    return [on(action, "launch-template", template), *made]


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
]

OTHER_KEY = KEY_ARN.replace("0123", "9999")
NOT_BY_EC2 = "the keys of volumes are used by EC2 and by nobody else"

KEYS = [
    Case(
        "use a key that is not named",
        "the user names them",
        [key("Decrypt", OTHER_KEY)],
        [key("Decrypt")],
    ),
    Case("decrypt by itself", NOT_BY_EC2, [key("Decrypt", via="s3")], [key("Decrypt")]),
    Case("grant by itself", NOT_BY_EC2, [key("CreateGrant", via="s3")], [key("CreateGrant")]),
    Case(
        "grant to anybody",
        "a grant is for the resource of an AWS service",
        [key("CreateGrant", for_aws=False)],
        [key("CreateGrant")],
    ),
    Case("schedule the deletion of a key", NEVER, [key("ScheduleKeyDeletion")]),
]

OTHER_ZONE = ZONE_ARN.replace("0123", "9999")
ONLY_ADDRESSES = "only an address is ever written, and only over another one"

NAMES = [
    Case(
        "point a name in a zone that is not named",
        "the user names the zones",
        [names(arn=OTHER_ZONE)],
        [names()],
    ),
    Case(
        "look into a zone that is not named",
        "the user names the zones",
        [elsewhere("route53:ListResourceRecordSets", OTHER_ZONE)],
        [elsewhere("route53:ListResourceRecordSets", ZONE_ARN)],
    ),
    *(
        Case(f"{verb} a {kind} record", ONLY_ADDRESSES, [names(verb, kind)], [names(kind="AAAA")])
        for verb, kind in (("DELETE", "A"), ("CREATE", "A"), ("UPSERT", "CNAME"), ("UPSERT", "NS"))
    ),
    *(
        Case(
            f"change record sets without saying {what}",
            "a key that is not there must not pass for one that is right",
            [call],
            [names()],
        )
        for what, call in (("how", names(verb="")), ("of which type", names(kind="")))
    ),
    Case("delete a zone", NEVER, [elsewhere("route53:DeleteHostedZone", ZONE_ARN)]),
]

ROOT = "CreateReplaceRootVolumeTask"
ROOTS = [
    Case(
        "replace the root of an instance that is no replacement",
        "the user's own instance keeps its root",
        [on(ROOT, "instance", ON)],
        [on(ROOT, "instance", ON | REPLACES)],
    ),
    Case(
        "replace the root of a replacement that has opted out",
        NO_OPT_IN,
        [on(ROOT, "instance", OFF | REPLACES)],
        [on(ROOT, "instance", ON | REPLACES)],
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
            "only a spare that nobody needs any more is ever ended",
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

PLACES = [
    Case("another account's instance", ELSEWHERE, keep(ON, account=STRANGER), keep(ON)),
    Case("another Region's instance", ELSEWHERE, keep(ON, region="eu-west-1"), keep(ON)),
    Case(
        "another account's volume",
        ELSEWHERE,
        [on("DeleteVolume", "volume", MARK | EXPIRY, account=STRANGER)],
        [on("DeleteVolume", "volume", MARK | EXPIRY)],
    ),
    Case(
        "another account's target group",
        ELSEWHERE,
        [targets("RegisterTargets", TARGET_GROUP.replace(ACCOUNT, STRANGER))],
        [targets("RegisterTargets")],
    ),
    Case(
        "another account's load balancer",
        ELSEWHERE,
        [classic("RegisterInstancesWithLoadBalancer", LOAD_BALANCER.replace(ACCOUNT, STRANGER))],
        [classic("RegisterInstancesWithLoadBalancer")],
    ),
    Case(
        "another account's Lattice group",
        ELSEWHERE,
        [lattice("RegisterTargets", LATTICE_GROUP.replace(ACCOUNT, STRANGER))],
        [lattice("RegisterTargets")],
    ),
    Case(
        "another account's role",
        ELSEWHERE,
        [passing("ec2.amazonaws.com", STRANGER)],
        [passing("ec2.amazonaws.com")],
    ),
    *(
        Case(
            f"{action.partition(':')[2]} on another queue",
            "it has one queue",
            [elsewhere(action, f"arn:aws:sqs:{REGION}:{ACCOUNT}:orders")],
            [elsewhere(action, QUEUE_ARN)],
        )
        for action in ("sqs:SendMessage", "sqs:ReceiveMessage", "sqs:DeleteMessage")
    ),
    Case(
        "read another secret",
        "it has one secret",
        [elsewhere("secretsmanager:GetSecretValue", SECRET_ARN.replace("SealSecret", "database"))],
        [elsewhere("secretsmanager:GetSecretValue", SECRET_ARN)],
    ),
    *(
        Case(f"{action} of its secret", NEVER, [elsewhere(f"secretsmanager:{action}", SECRET_ARN)])
        for action in ("PutSecretValue", "UpdateSecret", "DeleteResourcePolicy")
    ),
    Case(
        "write to another log",
        "it has one log",
        [
            elsewhere(
                "logs:PutLogEvents",
                f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/aws/lambda/x:log-stream:y",
            )
        ],
        [elsewhere("logs:PutLogEvents", LOG_ARN.removesuffix("*") + "log-stream:y")],
    ),
]

GROUPS = [
    *(
        Case(
            f"{action} of a group that is not opted in",
            "the user has not opted this group in",
            [scaling(action, OFF)],
            [scaling(action, ON)],
        )
        for action in ("AttachInstances", "CompleteLifecycleAction", "DetachInstances")
    ),
    Case("change a group's size", NEVER, [scaling("UpdateAutoScalingGroup", ON)]),
    Case("end a group", NEVER, [scaling("DeleteAutoScalingGroup", ON)]),
]

# Not even with every tag there is.
ANYTHING = [
    *(
        Case(f"{action} of an opted-in instance", NEVER, [on(action, "instance", ON | MARK)])
        for action in ("TerminateInstances", "StopInstances", "RebootInstances", "StartInstances")
    ),
    Case("DetachVolume", NEVER, [on("DetachVolume", "volume", MARK | EXPIRY)]),
    Case("share an image", NEVER, [on("ModifyImageAttribute", "image", MARK)]),
    Case("make an image of an instance", NEVER, [on("CreateImage", "instance", ON | MARK)]),
    Case("share a snapshot", NEVER, [on("ModifySnapshotAttribute", "snapshot", MARK)]),
    Case("DetachNetworkInterface", NEVER, interface("DetachNetworkInterface", MARK)),
    Case("release an address", NEVER, [on("ReleaseAddress", "elastic-ip", MARK)]),
    Case(
        "change its own code",
        NEVER,
        [
            elsewhere(
                "lambda:UpdateFunctionCode",
                f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:{STACK}",
            )
        ],
    ),
    Case(
        "change its own role",
        NEVER,
        [elsewhere("iam:PutRolePolicy", f"arn:aws:iam::{ACCOUNT}:role/{STACK}")],
    ),
]

ALL = [
    *INSTANCES,
    *INTERFACES,
    *VOLUMES,
    *KEYS,
    *NAMES,
    *ROOTS,
    *tags.ALL,
    *LAUNCHES,
    *limits.ALL,
    *SPARES,
    *GROUPS,
    *REQUESTS,
    *PLACES,
    *ANYTHING,
]
