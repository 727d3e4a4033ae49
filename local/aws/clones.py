"""CopyVolumes.

AWS: "a crash-consistent, point-in-time copy of an existing Amazon EBS volume within the same Availability
Zone. The volume copy can be attached to an Amazon EC2 instance once it reaches the available state"; the
type is gp2 unless said otherwise; a copy of an encrypted volume is encrypted
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_CopyVolumes.html). DescribeVolumes then tells
`SourceVolumeId`. moto has no such call.
"""

from typing import Any

from moto.ec2.responses import EC2Response

from local.aws import keys, tags, tokens, volumes
from local.aws.clock import CLOCK
from local.aws.patch import Answer, answers, refuse

NAMES = ("Size", "VolumeType", "Encrypted", "KmsKeyId", "Iops", "Throughput")


@answers(EC2Response)
def copy_volumes(call: Any) -> Answer:
    return tokens.once(call, lambda: _copy(call))


def _copy(call: Any) -> Answer:
    backend = call.ec2_backend
    wanted = tags.requested(call, "volume")
    source = volumes.find(backend, call._get_param("SourceVolumeId"))
    if volumes.state(source) not in ("available", "in-use"):
        raise refuse("IncorrectState", f"Volume '{source.id}' is not 'available' or 'in-use'.")
    ebs = {name: call._get_param(name) for name in NAMES}
    ebs["Size"] = ebs["Size"] or source.size
    if int(ebs["Size"]) < source.size:
        raise refuse("InvalidParameterValue", f"Size must be at least {source.size} GiB.")
    if source.encrypted:
        ebs |= {"Encrypted": True, "KmsKeyId": ebs["KmsKeyId"] or source.kms_key_id}
    copy = volumes.make(backend, source.zone.name, ebs)
    copy.source_volume_id = source.id
    tags.write(backend, copy.id, wanted)
    copy.being_created = True
    usable = keys.are_usable([copy])
    CLOCK.after(volumes.CREATE_SECONDS, lambda: volumes.created(copy, usable))
    return {"Volumes": [volumes.view(copy)]}
