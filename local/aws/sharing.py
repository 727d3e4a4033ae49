"""What another account owns and shares with this one.

AWS: with AWS RAM an account shares subnets
(https://docs.aws.amazon.com/vpc/latest/userguide/vpc-sharing.html), security groups
(https://docs.aws.amazon.com/vpc/latest/userguide/security-group-sharing.html) and placement groups
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/share-placement-group.html); a launch with
them is checked against ARNs that have the owner's account. What is made in a shared subnet is the
participant's own, network interfaces too. moto knows one account, which owns everything.

Not verified on AWS: a shared placement group is named by its id, and which of its names is then in the
ARN.
"""

import re
from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.models.subnets import Subnet

from local.aws import events
from local.aws.patch import shelf
from local.aws.settings import BadInput

SHAREABLE = re.compile(r"(subnet|sg|pg)-[0-9a-f]{8,32}")
ACCOUNT = re.compile(r"[0-9]{12}")


def share(resource_id: Any, owner: Any) -> None:
    """From now on that account's."""
    if not isinstance(resource_id, str) or not SHAREABLE.fullmatch(resource_id):
        raise BadInput(
            f"resource_id is a subnet, a security or placement group, not {resource_id!r}"
        )
    if not isinstance(owner, str) or not ACCOUNT.fullmatch(owner):
        raise BadInput(f"owner is the id of an account, not {owner!r}")
    backend = ec2_backends[events.ACCOUNT][events.REGION]
    _owners(backend)[resource_id] = owner
    group = backend.get_security_group_from_id(resource_id)
    if group is not None:
        group.owner_id = owner


def owner(backend: Any, resource_id: str) -> str:
    return _owners(backend).get(resource_id, backend.account_id)


def _owners(backend: Any) -> dict[str, str]:
    return shelf(backend, "owners", dict)


def _owner_of_subnet(subnet: Any) -> str:
    return owner(subnet.ec2_backend, subnet.id)


Subnet.owner_id = property(_owner_of_subnet)
