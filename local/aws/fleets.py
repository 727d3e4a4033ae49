"""Fleets of type `maintain`, and DescribeFleets.

AWS: a fleet of type `maintain` launches another member for each that it loses
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/ec2-fleet-request-type.html), until it is deleted; an `instant` one
is shown only to calls that name it, and what any of them has launched bears its id in a tag
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeFleets.html). moto's fleets launch once.

Simplified: members are told by the tag alone; a member that was launched otherwise is
given it (`join`), which is not possible on AWS; a Spot Fleet does not launch for members that have joined so.

Not verified on AWS: the code for an id that EC2 does not know.
"""

from typing import Any

from moto.ec2.models import ec2_backends
from moto.ec2.responses import EC2Response

from local.aws import events, fleet, instances, tags
from local.aws.clock import CLOCK
from local.aws.patch import Answer, answers, refuse
from local.aws.settings import BadInput

MEMBER = "aws:ec2:fleet-id"
SPOT_MEMBER = "aws:ec2spot:fleet-request-id"
#: until a fleet notices that it has lost a member
NOTICES_SECONDS = 10


def join(fleet_id: Any, instance_id: Any) -> None:
    backend = ec2_backends[events.ACCOUNT][events.REGION]
    if fleet_id in backend.spot_fleet_requests and backend.get_instance_by_id(instance_id):
        tags.write(backend, instance_id, {SPOT_MEMBER: fleet_id})
        return
    joined = fleet.known(backend).get(fleet_id)
    if joined is None or backend.get_instance_by_id(instance_id) is None:
        raise BadInput(f"there is no fleet {fleet_id!r}, or no instance {instance_id!r}")
    joined.size += 1
    tags.write(backend, instance_id, {MEMBER: joined.id})


def _entered(instance: Any, state: str) -> None:
    backend = instance.ec2_backend
    lost = fleet.known(backend).get(backend.tags.get(instance.id, {}).get(MEMBER, ""))
    if state == "shutting-down" and lost is not None and lost.kind == "maintain":
        CLOCK.after(NOTICES_SECONDS, lambda: _look(backend, lost))


def _look(backend: Any, of: fleet.Fleet) -> None:
    """Compares its members with its target capacity."""
    living = [
        it
        for reservation in backend.reservations.values()
        for it in reservation.instances
        if it.state not in instances.ENDED and backend.tags.get(it.id, {}).get(MEMBER) == of.id
    ]
    for _ in range(of.size - len(living)):
        of.tried = 0
        fleet.fill(backend, of, "spot", [])


@answers(EC2Response)
def describe_fleets(call: Any) -> Answer:
    found = fleet.known(call.ec2_backend)
    ids = call._get_param("FleetIds") or [it.id for it in found.values() if it.kind != "instant"]
    for it in ids:
        if it not in found:
            raise refuse("InvalidFleetId.NotFound", f"The fleet ID '{it}' does not exist")
    return {"Fleets": [_view(found[it]) for it in ids]}


def _view(shown: fleet.Fleet) -> dict[str, Any]:
    capacity = {"TotalTargetCapacity": shown.size, "DefaultTargetCapacityType": "spot"}
    return {
        "FleetId": shown.id,
        "FleetState": "active",
        "Type": shown.kind,
        "TargetCapacitySpecification": capacity,
    }


instances.LISTENERS.append(_entered)
