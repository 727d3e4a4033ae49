"""The principal that makes a call.

AWS: a principal is named by its ARN, a role's session by `assumed-role/<role>/<session>`
(https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html#identifiers-arns). moto knows
the principal of a call where it checks what that may do, and forgets it.
"""

from typing import Any

from moto.iam.access_control import CreateAccessKeyFailure, create_access_key


def arn(call: Any) -> str:
    """Before enforcement is on, any key will do: an unknown one counts as the root's."""
    account, key = call.current_account, call.get_access_key()
    try:
        return create_access_key(account, call.partition, key, call.headers).arn
    except CreateAccessKeyFailure:
        return root(account)


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"
