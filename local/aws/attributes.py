"""ModifyInstanceAttribute for block devices.

AWS: several devices in one call; for a device without `DeleteOnTermination` "the default is
true" (https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html); too late
once the instance is shutting down. moto leaves an omitted flag as it was, answers an unknown device with
HTTP 500 and lets dead instances be changed.

Not verified on AWS: the error's code once the instance is shutting down.
"""

from typing import Any

from moto.core.responses import EmptyResult
from moto.ec2.responses import EC2Response

from local.aws.instances import ENDED
from local.aws.patch import refuse, replaces

MOTO_MODIFY = EC2Response.modify_instance_attribute


@replaces(EC2Response)
def modify_instance_attribute(self: Any) -> Any:
    mappings = self._get_param("BlockDeviceMappings") or []
    if not mappings:
        return MOTO_MODIFY(self)
    self.error_on_dryrun()
    instance = self.ec2_backend.get_instance(self._get_param("InstanceId"))
    if instance.state in ENDED:
        message = f"The instance '{instance.id}' is in the '{instance.state}' state."
        raise refuse("IncorrectInstanceState", message)
    devices = instance.block_device_mapping
    for mapping in mappings:
        if mapping["DeviceName"] not in devices:
            message = f"No device is currently mapped at {mapping['DeviceName']}"
            raise refuse("InvalidInstanceAttributeValue", message)
    for mapping in mappings:
        flag = (mapping.get("Ebs") or {}).get("DeleteOnTermination")
        devices[mapping["DeviceName"]].delete_on_termination = True if flag is None else flag
    return EmptyResult()
