"""Classic Load Balancers.

AWS: instances are registered by id, in the load balancer's VPC; registering one twice changes nothing;
an instance that does not exist is `InvalidInstance`
(https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_RegisterInstancesWithLoadBalancer.html);
"after the instance is deregistered, it no longer receives traffic", and `DescribeLoadBalancers` verifies
it (https://docs.aws.amazon.com/elasticloadbalancing/2012-06-01/APIReference/API_DeregisterInstancesFromLoadBalancer.html).
moto takes any id, and each as often as it is named; asked by name for a load balancer that does not
exist, it answers with an error of its own making.
"""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.elb.exceptions import ELBClientError, LoadBalancerNotFoundError
from moto.elb.models import ELBBackend

from local.aws.patch import replaces

MOTO_REGISTER = ELBBackend.register_instances


@replaces(ELBBackend)
def register_instances(self: Any, load_balancer_name: str, instance_ids: Any, **more: Any) -> Any:
    balancer = self.get_load_balancer(load_balancer_name)
    ec2 = ec2_backends[self.account_id][self.region_name]
    for instance_id in instance_ids:
        instance = ec2.get_instance_by_id(instance_id)
        if instance is None or instance.state == "terminated":
            raise ELBClientError("InvalidInstance", f"Could not find EC2 instance {instance_id}.")
    new = [it for it in dict.fromkeys(instance_ids) if it not in balancer.instance_ids]
    return MOTO_REGISTER(self, load_balancer_name, new, **more)


@replaces(ELBBackend)
def describe_load_balancers(self: Any, names: list[str]) -> list[Any]:
    missing = [it for it in names if it not in self.load_balancers]
    if missing:
        raise LoadBalancerNotFoundError(missing[0])
    return [it for name, it in self.load_balancers.items() if not names or name in names]
