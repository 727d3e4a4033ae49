"""The policies of queues.

AWS: CloudFormation gives a queue its policy with SetQueueAttributes
(https://docs.aws.amazon.com/AWSCloudFormation/latest/TemplateReference/aws-resource-sqs-queuepolicy.html), and
SQS refuses what it does not like: a statement about anything but that queue, a statement without a
resource, more than seven actions in one
(https://docs.aws.amazon.com/AWSSimpleQueueService/latest/SQSDeveloperGuide/quotas-policies.html). A stack with
such a policy is not made. moto takes every policy, and has no AWS::SQS::QueuePolicy.

Not verified on AWS: that a statement is about one queue is from the field
(https://github.com/remind101/stacker_blueprints/pull/71), as is the text of the refusal; the documents say
neither. That a pattern the queue's ARN fits is taken, `*` included, is from examples.
"""

import json
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.sqs.exceptions import InvalidAttributeValue, SQSException
from moto.sqs.models import Queue, sqs_backends

from local.aws import policies
from local.aws.patch import replaces

MOTO_SET_ATTRIBUTES = Queue._set_attributes
MOST_ACTIONS = 7


@replaces(Queue)
def _set_attributes(self: Any, attributes: dict[str, Any], now: float | None = None) -> None:
    """Of a queue that is made, or changed later."""
    if attributes.get("Policy"):
        check(self.queue_arn, attributes["Policy"])
    MOTO_SET_ATTRIBUTES(self, attributes, now)


def check(queue_arn: str, policy: str) -> None:
    try:
        rules = policies.statements([policy])
    except (ValueError, LookupError, TypeError) as error:
        raise InvalidAttributeValue("Policy") from error
    for rule in rules:
        resources = policies.listed(rule.get("Resource") or [])
        if len(resources) != 1 or not policies.like(queue_arn, resources[0]):
            raise InvalidAttributeValue("Policy")
        actions = len(policies.listed(rule.get("Action") or []))
        if actions > MOST_ACTIONS:
            text = f"{actions} actions were found in a statement, max allowed is {MOST_ACTIONS}"
            raise SQSException("OverLimit", text)


class QueuePolicy(CloudFormationModel):
    """In a stack: the same policy for each of the queues it names."""

    def __init__(self, name: str) -> None:
        self.physical_resource_id = name

    @staticmethod
    def cloudformation_name_type() -> str:
        return ""

    @staticmethod
    def cloudformation_type() -> str:
        return "AWS::SQS::QueuePolicy"

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: Any,
        account_id: str,
        region_name: str,
        **_: Any,
    ) -> "QueuePolicy":
        properties = cloudformation_json["Properties"]
        policy = json.dumps(properties["PolicyDocument"])
        for url in properties["Queues"]:
            queue = sqs_backends[account_id][region_name].get_queue(url.rsplit("/", 1)[-1])
            check(queue.queue_arn, policy)
            queue.policy = policy
        return cls(resource_name)
