"""Tags: what may be one, and how many.

AWS: keys that begin with `aws:` are reserved and do not count against the limit; at most 50 tags
per resource, a key of up to 128 characters, a value of up to 256
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Tags.html). A request with one key too
many or a reserved one fails as a whole. moto takes reserved keys from all callers, counts them, and
writes tags of resources that do not exist.
"""

from typing import Any

from moto.ec2.models import validate_resource_ids
from moto.ec2.responses import EC2Response

from local.aws.patch import Answer, answers, refuse

RESERVED = "aws:"
MOST = 50
LONGEST_KEY = 128
LONGEST_VALUE = 256
#: id prefix -> the backend's table and the error of a missing one
TABLES = {
    "vol": ("volumes", "InvalidVolume.NotFound"),
    "snap": ("snapshots", "InvalidSnapshot.NotFound"),
    "lt": ("launch_templates", "InvalidLaunchTemplateId.NotFound"),
    "ami": ("amis", "InvalidAMIID.NotFound"),
}


def requested(call: Any, resource_type: str) -> dict[str, str]:
    """The checked tags for new resources of that type; other types are checked along."""
    return in_specifications(call._get_param("TagSpecifications") or [], resource_type)


def in_specifications(specifications: list[dict[str, Any]], resource_type: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for specification in specifications:
        pairs = {it["Key"]: it.get("Value") or "" for it in specification.get("Tags") or []}
        check(pairs)
        if specification.get("ResourceType") == resource_type:
            found |= pairs
    return found


def check(tags: dict[str, str]) -> None:
    for key, value in tags.items():
        if key.startswith(RESERVED):
            message = "Tag keys starting with 'aws:' are reserved for internal use"
            raise refuse("InvalidParameterValue", message)
        if len(key) > LONGEST_KEY:
            message = f"Tag key exceeds the maximum length of {LONGEST_KEY} characters"
            raise refuse("InvalidParameterValue", message)
        if len(value) > LONGEST_VALUE:
            message = f"Tag value exceeds the maximum length of {LONGEST_VALUE} characters"
            raise refuse("InvalidParameterValue", message)
    _count(tags)


def _count(tags: dict[str, str]) -> None:
    if sum(not key.startswith(RESERVED) for key in tags) > MOST:
        message = "The maximum number of Tags for a resource has been reached."
        raise refuse("TagLimitExceeded", message)


def write(backend: Any, resource_id: str, tags: dict[str, str]) -> None:
    """Also reserved ones: AWS writes those itself."""
    if tags:
        backend.tags[resource_id].update(tags)


def shown(backend: Any, resource_id: str) -> list[dict[str, str]]:
    tags = backend.tags.get(resource_id, {})
    return [{"Key": key, "Value": value} for key, value in tags.items()]


@answers(EC2Response)
def create_tags(call: Any) -> Answer:
    backend = call.ec2_backend
    resources = call._get_param("Resources") or []
    tags = {it["Key"]: it.get("Value") or "" for it in call._get_param("Tags") or []}
    validate_resource_ids(resources)
    for resource in resources:
        _exists(backend, resource)
    check(tags)
    for resource in resources:
        _count(backend.tags.get(resource, {}) | tags)
    for resource in resources:
        write(backend, resource, tags)
    return {}


def _exists(backend: Any, resource: str) -> None:
    prefix = resource.rsplit("-", 1)[0]
    if prefix == "sir":
        return  # its own calls check that it exists
    if prefix == "i":
        backend.get_instance(resource)
    elif prefix in TABLES:
        table, code = TABLES[prefix]
        if resource not in getattr(backend, table):
            raise refuse(code, f"The ID '{resource}' does not exist")
    else:
        backend.do_resources_exist([resource])
