"""Which principal may do what.

AWS: EC2 answers "UnauthorizedOperation: You are not authorized to perform this operation." when one of
the permissions is missing
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/errors-overview.html). moto checks the signature
and the action's name; resources, tags, passed roles and tagging at creation are checked here.

Only where enforcement is on, as in moto: after `INITIAL_NO_AUTH_ACTION_COUNT` calls.
"""

import contextlib
import json
from typing import Any
from xml.sax.saxutils import escape

from moto import settings
from moto.core.authorization import ActionAuthenticatorMixin
from moto.core.exceptions import ServiceException, _RESTError
from moto.core.responses import BaseResponse
from moto.iam.access_control import IAMRequest

from local.aws import keys, lattice, launch_permissions, names, policies, requirements, scaling
from local.aws.patch import replaces
from local.aws.requirements import Need

TOUCHED = requirements.TOUCHED | launch_permissions.TOUCHED
MOTO_CHECK = BaseResponse._authenticate_and_authorize_normal_action
#: the ELB actions that name a target group or a load balancer; the others are asked for on "*"
ON_TARGET_GROUPS = ("DeregisterTargets", "RegisterTargets")
ON_LOAD_BALANCERS = ("DeregisterInstancesFromLoadBalancer", "RegisterInstancesWithLoadBalancer")


DENIALS = {
    "ec2": "UnauthorizedOperation",
    "kms": "AccessDeniedException",
    "secretsmanager": "AccessDeniedException",
    "vpc-lattice": "AccessDeniedException",
}


class Refused(_RESTError):
    """In the form the service's own clients read; moto has one form for all."""

    code = 403

    def __init__(self, service: str, code: str, message: str) -> None:
        super().__init__(code, message)
        error = f"<Code>{code}</Code><Message>{escape(message)}</Message>"
        if service == "ec2":
            inner = f"<Errors><Error>{error}</Error></Errors><RequestID>0</RequestID>"
            self.description = f"<Response>{inner}</Response>"
        elif service in ("kms", "secretsmanager", "sqs", "vpc-lattice"):
            self.description = json.dumps({"__type": code, "message": message})
        else:
            inner = f"<Error><Type>Sender</Type>{error}</Error><RequestId>0</RequestId>"
            self.description = f"<ErrorResponse>{inner}</ErrorResponse>"


class Judge(IAMRequest):
    """moto's signature check, and then every permission that is needed."""

    needs: list[Need]

    def check_action_permitted(self, resource: str) -> None:
        rules = policies.statements(self._access_key.collect_policies())
        for need in self.needs:
            if not policies.allowed(rules, need.action, need.arn, need.context):
                self._refuse(need)

    def _refuse(self, need: Need) -> None:
        code = DENIALS.get(self._service, "AccessDenied")
        message = (
            "You are not authorized to perform this operation. "
            f"User: {self._access_key.arn} is not authorized to perform: {need.action} "
            f"on resource: {need.arn} with {dict(need.context)}"
        )
        raise Refused(self._service, code, message)


@replaces(BaseResponse)
def _authenticate_and_authorize_normal_action(self: Any, resource: str = "*") -> None:
    enforced = ActionAuthenticatorMixin.request_count >= settings.INITIAL_NO_AUTH_ACTION_COUNT
    needs = _needs(self) if enforced else None
    if needs is None:
        MOTO_CHECK(self, resource)
        return
    self.local_needs = needs  # for the journal, whatever the verdict

    def judge(**arguments: Any) -> Judge:
        request = Judge(**arguments)
        request.needs = needs
        if self.service_name == "ec2":
            keys.enter(policies.statements(request._access_key.collect_policies()))
        return request

    self._authenticate_and_authorize_action(judge, resource)


def _needs(call: Any) -> list[Need] | None:
    """None for the services that moto judges alone."""
    action = call._get_action()
    if call.service_name == "ec2":
        return _ec2(call, action)
    if call.service_name in ("elb", "elbv2"):
        return [Need(f"elasticloadbalancing:{action}", _balancer(call, action))]
    if call.service_name == "autoscaling":
        return [_group(call, action)]
    if call.service_name == "vpc-lattice":
        return [Need(f"vpc-lattice:{action}", lattice.arn_of(call) or "*")]
    if call.service_name == "route53":
        context = names.context_of(call, action)
        return [Need(f"route53:{action}", names.zone_of(call), context)]
    if call.service_name == "secretsmanager":
        return [Need(f"secretsmanager:{action}", call._get_param("SecretId") or "*")]
    if call.service_name == "kms":
        return [Need(f"kms:{action}", call._get_param("KeyId") or "*")]
    if call.service_name == "sqs":
        return [_queue(call, action)]
    return None


def _group(call: Any, action: str) -> Need:
    """Descriptions know no resources; what changes a group asks for its tags."""
    found = None if action.startswith("Describe") else scaling.tags_of(call)
    arn, held = found or ("*", {})
    context = {f"aws:resourcetag/{key}": [value] for key, value in held.items()}
    return Need(f"autoscaling:{action}", arn, context)


def _queue(call: Any, action: str) -> Need:
    """A batch needs the permission of its single call.

    https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/sqs-batch-api.html
    """
    name = (call._get_param("QueueUrl") or "*").rsplit("/", 1)[-1]
    arn = f"arn:aws:sqs:{call.region}:{call.current_account}:{name}"
    return Need(f"sqs:{action.removesuffix('Batch')}", arn)


def _balancer(call: Any, action: str) -> str:
    if action in ON_TARGET_GROUPS:
        return call._get_param("TargetGroupArn") or "*"
    if action in ON_LOAD_BALANCERS:
        owner = f"arn:aws:elasticloadbalancing:{call.region}:{call.current_account}"
        return f"{owner}:loadbalancer/{call._get_param('LoadBalancerName')}"
    return "*"


def _ec2(call: Any, action: str) -> list[Need]:
    if action not in TOUCHED:
        return [Need(f"ec2:{action}")]
    found: list[Need] = []
    # What it names may not exist: the call itself says so, after the checks before that have passed.
    with contextlib.suppress(ServiceException):
        found.extend(TOUCHED[action](requirements.Request(call)))
    return found
