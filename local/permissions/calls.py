"""Words for calls that no scenario makes: which resource is touched, with which tags, and what is asked.

A call is a list of requests, one per resource; it passes only if all of them are allowed.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace

from local.deploy import INSTANCE_ROLE, REGION
from local.permissions.judge import Request
from local.permissions.policy import (
    ACCOUNT,
    INSTANCE_TYPE,
    KEY_ARN,
    LATTICE_GROUP,
    LOAD_BALANCER,
    SUBNET,
    TARGET_GROUP,
    ZONE_ARN,
)

Tags = dict[str, str]
Call = list[Request]

IDS = {
    "fleet": "fleet-0123456789abcdef0",
    "image": "ami-0123456789abcdef0",
    "instance": "i-0123456789abcdef0",
    "elastic-ip": "eipalloc-0123456789abcdef0",
    "launch-template": "lt-0123456789abcdef0",
    "network-interface": "eni-0123456789abcdef0",
    "replace-root-volume-task": "replacevol-0123456789abcdef0",
    "security-group": "sg-0123456789abcdef0",
    "spot-instances-request": "sir-q2ci6n6k",
    "snapshot": "snap-0123456789abcdef0",
    "subnet": SUBNET,
    "volume": "vol-0123456789abcdef0",
}
WITHOUT_ACCOUNT = ("image", "snapshot")
# A resource to be made has no id yet.
NEW = "new"

ON: Tags = {"spot-rescue": "on"}
OFF: Tags = {"spot-rescue": "off"}
NOTHING: Tags = {}
MARK: Tags = {"spot-rescue:rescue": "i-0123456789abcdef0"}
SEAL: Tags = {"spot-rescue:rescue-seal": "0123456789abcdef"}
CONSISTENCY: Tags = {"spot-rescue:consistency": "crash"}
EXPIRY: Tags = {"spot-rescue:expires-at": "2030-01-01T00:00:00Z"}
LAUNCHED: Tags = {"spot-rescue:launched": "spot-rescue-0123 i-0123456789abcdef0 @0123456789abcdef"}

REPLACES: Tags = {"spot-rescue:replaces": "i-0123456789abcdef0"}
TIME: Tags = {"spot-rescue:interrupted-at": "i-0123456789abcdef0 2030-01-01T00:00:00Z terminate"}


@dataclass(frozen=True)
class Case:
    """`forbidden` must be refused, and `lawful`, its counterpart, must not: so that it is refused for
    the reason given and not for a slip in the question.
    """

    name: str
    why: str
    forbidden: Call
    lawful: Call = field(default_factory=list)


def arn(kind: str, account: str = ACCOUNT, region: str = REGION) -> str:
    owner = "" if kind in WITHOUT_ACCOUNT else account
    return f"arn:aws:ec2:{region}:{owner}:{kind}/{IDS[kind]}"


def on(
    action: str,
    kind: str,
    held: Tags = NOTHING,
    given: Tags = NOTHING,
    account: str = ACCOUNT,
    region: str = REGION,
) -> Request:
    """An EC2 action on a resource that holds tags, with tags given in the request."""
    context = {f"aws:ResourceTag/{key}": [value] for key, value in held.items()}
    context |= {f"aws:RequestTag/{key}": [value] for key, value in given.items()}
    if given:
        context["aws:TagKeys"] = list(given)
    return Request(f"ec2:{action}", arn(kind, account, region), context)


def making(action: str, kind: str, given: Tags) -> Request:
    """The same on a resource to be: no pattern with an id in it is meant."""
    request = on(action, kind, given=given)
    return replace(request, resource=request.resource.replace(IDS[kind], NEW))


def part(
    action: str,
    kind: str,
    held: Tags = NOTHING,
    given: Tags = NOTHING,
    instance_type: str = INSTANCE_TYPE,
    subnet: str = SUBNET,
) -> Request:
    """A resource of a launch: its type and place, where it has them; empty values are left out."""
    request = on(action, kind, held, given)
    subnets = arn("subnet").replace(SUBNET, subnet) if subnet else ""
    keys = {
        "instance": ("ec2:InstanceType", instance_type),
        "network-interface": ("ec2:Subnet", subnets),
        "subnet": ("ec2:SubnetID", subnet),
    }
    name, value = keys.get(kind, ("", ""))
    request.context.update({name: [value]} if value else {})
    return request


def untag(kind: str, held: Tags, *keys: str) -> Request:
    """Without keys, DeleteTags removes all."""
    request = on("DeleteTags", kind, held)
    request.context.update({"aws:TagKeys": list(keys)} if keys else {})
    return request


def created_by(action: str, kind: str, given: Tags) -> Request:
    """Tagging at creation."""
    request = on("CreateTags", kind, given=given)
    request.context["ec2:CreateAction"] = [action]
    return request


def passing(service: str, account: str = ACCOUNT, name: str = INSTANCE_ROLE) -> Request:
    role = f"arn:aws:iam::{account}:role/{name}"
    return Request("iam:PassRole", role, {"iam:PassedToService": [service]})


def linked_role(service: str) -> Request:
    role = f"arn:aws:iam::{ACCOUNT}:role/aws-service-role/{service}/AWSServiceRoleForIt"
    return Request("iam:CreateServiceLinkedRole", role, {"iam:AWSServiceName": [service]})


def targets(action: str, group: str = TARGET_GROUP) -> Request:
    return Request(f"elasticloadbalancing:{action}", group)


def scaling(action: str, held: Tags) -> Request:
    """An Auto Scaling action on a group that holds tags."""
    owner = f"arn:aws:autoscaling:{REGION}:{ACCOUNT}"
    group = f"{owner}:autoScalingGroup:01234567-89ab:autoScalingGroupName/web"
    context = {f"aws:ResourceTag/{key}": [value] for key, value in held.items()}
    return Request(f"autoscaling:{action}", group, context)


def key(action: str, arn: str = KEY_ARN, via: str = "ec2", for_aws: bool = True) -> Request:
    """The use of a KMS key by a service in the role's name."""
    context = {"kms:ViaService": [f"{via}.{REGION}.amazonaws.com"]}
    if action == "CreateGrant":
        context["kms:GrantIsForAWSResource"] = [str(for_aws).lower()]
    return Request(f"kms:{action}", arn, context)


def names(verb: str = "UPSERT", kind: str = "A", arn: str = ZONE_ARN) -> Request:
    """A change of one record set; empty values are left out."""
    keys = {"Actions": verb, "RecordTypes": kind, "NormalizedRecordNames": "db.example.org"}
    context = {f"route53:ChangeResourceRecordSets{key}": [it] for key, it in keys.items() if it}
    return Request("route53:ChangeResourceRecordSets", arn, context)


def lattice(action: str, group: str = LATTICE_GROUP) -> Request:
    return Request(f"vpc-lattice:{action}", group)


def classic(action: str, balancer: str = LOAD_BALANCER) -> Request:
    return Request(f"elasticloadbalancing:{action}", balancer)


def elsewhere(action: str, resource: str) -> Request:
    """Anything else, as it is."""
    return Request(action, resource)


# --- calls of several requests ---------------------------------------------------------------------


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
    return [on("CopyVolumes", "volume", volume), making("CopyVolumes", "volume", given)]


def launch(action: str, template: Tags, given: Tags = MARK) -> Call:
    kinds = ("image", "subnet", "security-group", "volume")
    made = [part(action, "instance", given=given), *(part("RunInstances", it) for it in kinds)]
    return [on(action, "launch-template", template), *made]
