"""KMS keys of volumes.

AWS: EC2 uses the customer managed key of an encrypted volume in the caller's name, and the caller needs
`kms:CreateGrant`, `kms:Decrypt`, `kms:DescribeKey`, `kms:GenerateDataKeyWithoutPlaintext` and
`kms:ReEncrypt*` on it (https://docs.aws.amazon.com/ebs/latest/userguide/ebs-encryption-requirements.html).
"Amazon EC2 validates the KMS key asynchronously. If the request succeeds and the key cannot be used, the
volume's state becomes `error`" in effect
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CreateVolume.html); an instance launched with such
a volume is terminated with `Client.InternalError`
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_StateReason.html). moto asks for no permission.

Only an enabled key encrypts (https://docs.aws.amazon.com/kms/latest/developerguide/key-state.html). In an account that
encrypts by default a new volume is encrypted, with the default key where none is named
(https://docs.aws.amazon.com/ebs/latest/userguide/encryption-by-default.html); moto makes it as asked for.

Simplified: the keys' own policies leave the decision to IAM; attaching asks for nothing. A volume with a key that
cannot be used stays in `error`, while AWS may also remove it.
"""

from collections.abc import Iterable, Mapping
from typing import Any

from moto.ec2.responses import EC2Response
from moto.kms.models import kms_backends

from local.aws import policies
from local.aws.patch import Answer, answers

ALIAS = "alias/aws/ebs"
ACTIONS = (
    "CreateGrant",
    "Decrypt",
    "DescribeKey",
    "GenerateDataKeyWithoutPlaintext",
    "ReEncryptFrom",
    "ReEncryptTo",
)


class Caller:
    """The caller of the call that is being answered; calls are answered one at a time."""

    rules: list[Mapping[str, Any]] | None = None


def enter(rules: list[Mapping[str, Any]] | None) -> None:
    """The caller's policies; none where they are not enforced."""
    Caller.rules = rules


def are_usable(made: Iterable[Any]) -> bool:
    return all(_is_usable(it) for it in made)


def _is_usable(volume: Any) -> bool:
    key = volume.kms_key_id if volume.encrypted else None
    if key and not _is_enabled(volume.ec2_backend, key):
        return False
    if Caller.rules is None or not key or _is_managed_by_aws(volume.ec2_backend, key):
        return True
    region = volume.ec2_backend.region_name
    context = {
        "kms:viaservice": [f"ec2.{region}.amazonaws.com"],
        "kms:grantisforawsresource": ["true"],
    }
    needed = (policies.allowed(Caller.rules, f"kms:{it}", key, context) for it in ACTIONS)
    return all(needed)


def by_default(backend: Any) -> bool:
    return bool(backend.ebs_encryption_by_default)


@answers(EC2Response)
def get_ebs_default_kms_key_id(call: Any) -> Answer:
    return {"KmsKeyId": call.ec2_backend.default_kms_key_id or ALIAS}


def _is_enabled(backend: Any, key: str) -> bool:
    known = kms_backends[backend.account_id][backend.region_name].keys
    found = known.get(key.rpartition("/")[2])
    return found is None or found.key_state == "Enabled"


def _is_managed_by_aws(backend: Any, key: str) -> bool:
    kms = kms_backends[backend.account_id][backend.region_name]
    default = kms.get_key_id_from_alias(ALIAS)
    return default is not None and key.endswith(default)
