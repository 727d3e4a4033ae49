"""RunInstances.

AWS: a launch template gives what the request leaves open; a Spot request without capacity fails at
once and synchronously; the same ClientToken gives the same instances, and
`IdempotentInstanceTerminated` once they have ended
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_RunInstances.html).

Not verified on AWS: whether interfaces and tags of the request stand in place of the template's, or beside
them. The harsher answer is given: an interface said twice is refused, and tags said twice are those of
the request alone.

Not verified on AWS: that a dry run looks at more than permissions, at what the request names for one; moto's looks at
nothing else.
"""

from typing import Any

from moto.ec2.responses import EC2Response

from local.aws import launch, launch_tokens, refusals, reservations, tags, templates
from local.aws.patch import Answer, answers, refuse

#: what is not a property of the instance to be
TAGGED = ("instance", "volume", "network-interface")
NOT_DATA = ("MinCount", "MaxCount", "LaunchTemplate", "TagSpecifications", "DryRun")


def _look(call: Any) -> None:
    """A dry run: the resources that the request names are checked, capacity is not, and no token is remembered."""
    refusals.check(call)
    launch.check(call.ec2_backend, _wanted(call))


@answers(EC2Response, _look)
def run_instances(call: Any) -> Answer:
    answer = launch_tokens.once(call, lambda: _run(call))
    _check_alive(call.ec2_backend, answer)
    return answer


def _check_once(template: dict[str, Any], request: dict[str, Any]) -> None:
    """One interface 0, in the request or in the template."""
    if template.get("NetworkInterfaces") and request.get("NetworkInterfaces"):
        message = "Each network interface requires a unique device index."
        raise refuse("InvalidParameterCombination", message)
    inside = template.get("SecurityGroupIds") and request.get("NetworkInterfaces")
    if inside:
        message = (
            "Network interfaces and an instance-level security groups may not be specified on "
            "the same request"
        )
        raise refuse("InvalidParameterCombination", message)


def _check_alive(backend: Any, answer: Answer) -> None:
    """The instances of a token that was used before may have ended since, and be shown no longer."""
    named = [backend.get_instance_by_id(it["InstanceId"]) for it in answer["Instances"]]
    if all(it is None or it.state == "terminated" for it in named):
        message = "The client token you have provided is associated with a terminated instance."
        raise refuse("IdempotentInstanceTerminated", message)


def _run(call: Any) -> Answer:
    refusals.check(call)
    reservation = launch.start(call.ec2_backend, _wanted(call))
    members = [reservations.view(it) for it in reservation.instances]
    return reservations.reservation_view(reservation, members)


def _wanted(call: Any) -> launch.Launch:
    """Template and request, merged."""
    backend = call.ec2_backend
    request = {name: it for name, it in call._get_params().items() if name not in NOT_DATA}
    wanted = call._get_param("LaunchTemplate")
    version = templates.resolve(backend, wanted) if wanted else None
    template = version.data if version else {}
    _check_once(template, request)
    given = {it: tags.requested(call, it) for it in TAGGED}
    specifications = template.get("TagSpecifications") or []
    launched_with = {it: given[it] or tags.in_specifications(specifications, it) for it in TAGGED}
    return launch.Launch(
        data=templates.overlaid(template, request),
        market=_market(request, template),
        block_devices=[
            template.get("BlockDeviceMappings"),
            request.get("BlockDeviceMappings"),
        ],
        instance_tags=launched_with["instance"],
        volume_tags=launched_with["volume"],
        interface_tags=launched_with["network-interface"],
        reserved_tags=templates.reserved_tags(version) if version else {},
        count=int(call._get_param("MaxCount") or 1),
    )


def _market(request: dict[str, Any], template: dict[str, Any]) -> str:
    options = request.get("InstanceMarketOptions") or template.get("InstanceMarketOptions") or {}
    spot = options.get("SpotOptions") or {}
    behaviour = spot.get("InstanceInterruptionBehavior") or "terminate"
    persistent = spot.get("SpotInstanceType") == "persistent"
    if behaviour != "terminate" and not persistent:
        message = f"InstanceInterruptionBehavior {behaviour} needs a persistent Spot request"
        raise refuse("InvalidParameterCombination", message)
    if persistent and behaviour == "terminate":
        message = "RunInstances: a persistent Spot request needs stop or hibernate"
        raise refuse("InvalidParameterCombination", message)
    return "spot" if options.get("MarketType") == "spot" else "on-demand"
