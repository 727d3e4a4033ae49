"""Options of a launch that not every type takes, or not every account.

AWS: CPU options for a type that has no choice of them, `HttpTokens=optional` where the account enforces
IMDSv2, each answers `UnsupportedOperation`
(https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/cpu-options-supported-instances-values.html,
https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/configuring-IMDS-new-instances.html). moto takes all
of them.

Not verified on AWS: the code for CPU credits of a type that is not burstable.
"""

from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from local.aws.patch import refuse
from local.aws.settings import SETTINGS


def check(data: dict[str, Any], instance_type: str) -> None:
    info = INSTANCE_TYPES[instance_type]
    cpu = {name: it for name, it in (data.get("CpuOptions") or {}).items() if it is not None}
    if cpu and not _takes(cpu, info["VCpuInfo"]):
        message = (
            f"The instance type '{instance_type}' does not support specifying CpuOptions {cpu}"
        )
        raise refuse("UnsupportedOperation", message)
    if data.get("CreditSpecification") and not is_burstable(instance_type):
        message = f"The instance type '{instance_type}' is not burstable and has no CPU credits"
        raise refuse("InvalidParameterCombination", message)
    tokens = (data.get("MetadataOptions") or {}).get("HttpTokens")
    if SETTINGS.tokens_enforced and tokens != "required":
        message = "HttpTokens must be required: the account enforces it (httpTokensEnforced)"
        raise refuse("UnsupportedOperation", message)


def _takes(cpu: dict[str, Any], info: dict[str, Any]) -> bool:
    """Only what is among the valid ones; some types have none."""
    cores = info.get("ValidCores") or []
    threads = info.get("ValidThreadsPerCore") or []
    counts = "CoreCount" in cpu or "ThreadsPerCore" in cpu
    fits = (
        int(cpu.get("CoreCount") or 0) in cores and int(cpu.get("ThreadsPerCore") or 0) in threads
    )
    return fits or not counts


def is_burstable(instance_type: str) -> bool:
    return bool(INSTANCE_TYPES[instance_type].get("BurstablePerformanceSupported"))


def own_cpu(instance_type: str) -> dict[str, int]:
    """What a type has unless something else is said; EC2 shows it of every instance."""
    info = INSTANCE_TYPES[instance_type]["VCpuInfo"]
    cores = info.get("DefaultCores") or info["DefaultVCpus"]
    return {"CoreCount": cores, "ThreadsPerCore": info.get("DefaultThreadsPerCore") or 1}
