"""Where the role ends: keys, names, groups, its account and Region, and what nothing ever needs."""

from __future__ import annotations

from local.deploy import REGION, STACK
from local.permissions.calls import (
    EXPIRY,
    MARK,
    OFF,
    ON,
    Case,
    classic,
    elsewhere,
    interface,
    keep,
    key,
    lattice,
    names,
    on,
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
ELSEWHERE = "the role ends at its account and Region"
NEVER = "nothing the function does needs it"

OTHER_KEY = KEY_ARN.replace("0123", "9999")
NOT_BY_EC2 = "the keys of volumes are used by EC2 alone"

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
        "grant to any principal",
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

ALL = [*KEYS, *NAMES, *PLACES, *GROUPS, *ANYTHING]
