"""Attribute-based instance type selection: a pool for each type that meets the requirements.

AWS: an override names a type or requirements, not both; burstable types, bare metal and, unless asked
for, no generation are left out or in by defaults; "instances will be launched with a compatible CPU
architecture based on the Amazon Machine Image"
(https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_InstanceRequirementsRequest.html). moto has the
types and does not know the requirements.

Left out here: price protection, and every requirement the function does not send.
"""

from typing import Any

from moto.ec2.models.instance_types import INSTANCE_TYPES

from local.aws.patch import Answer, refuse

ARCHITECTURE = "x86_64"  # of every image there is here


def expanded(override: dict[str, Any]) -> list[dict[str, Any]]:
    wanted = override.get("InstanceRequirements")
    if not wanted:
        return [override]
    if override.get("InstanceType"):
        message = "You can specify either InstanceType or InstanceRequirements, not both"
        raise refuse("InvalidParameterCombination", message)
    if not wanted.get("VCpuCount") or not wanted.get("MemoryMiB"):
        raise refuse("MissingParameter", "VCpuCount and MemoryMiB are needed")
    rest = {name: it for name, it in override.items() if name != "InstanceRequirements"}
    found = sorted(name for name, it in INSTANCE_TYPES.items() if _meets(it, wanted))
    if not found:
        raise refuse("InvalidFleetConfig", "No instance type meets the requirements")
    return [rest | {"InstanceType": name} for name in found]


def _meets(it: Answer, wanted: dict[str, Any]) -> bool:
    return (
        _within(it["VCpuInfo"]["DefaultVCpus"], wanted["VCpuCount"])
        and _within(it["MemoryInfo"]["SizeInMiB"], wanted["MemoryMiB"])
        and ARCHITECTURE in it["ProcessorInfo"]["SupportedArchitectures"]
        and _generation(it) in (wanted.get("InstanceGenerations") or ["current", "previous"])
        and _allowed(it.get("BurstablePerformanceSupported"), wanted.get("BurstablePerformance"))
        and _allowed(it.get("BareMetal"), wanted.get("BareMetal"))
        and _allowed(it.get("InstanceStorageSupported"), wanted.get("LocalStorage") or "included")
        and _within(_accelerators(it), wanted.get("AcceleratorCount") or {})
    )


def _within(number: int, bounds: dict[str, Any]) -> bool:
    most = bounds.get("Max")
    return int(bounds.get("Min") or 0) <= number and (most is None or number <= int(most))


def _allowed(has: Any, wanted: str | None) -> bool:
    """included | excluded | required; burstable types and bare metal are excluded by default."""
    return {"included": True, "required": bool(has)}.get(wanted or "excluded", not has)


def _generation(it: Answer) -> str:
    return "current" if it.get("CurrentGeneration") else "previous"


def _accelerators(it: Answer) -> int:
    kinds = ("GpuInfo", "FpgaInfo", "InferenceAcceleratorInfo", "NeuronInfo")
    return sum(1 for kind in kinds if it.get(kind))
