"""What moto cannot do with the template, edited out of the copy that is deployed: `EDITS` is the complete
list.
"""

from __future__ import annotations

import copy
from collections.abc import Callable
from typing import Any

Resources = dict[str, dict[str, Any]]


def without(resource_type: str) -> Callable[[Resources], None]:
    def edit(resources: Resources) -> None:
        for name in [n for n, it in resources.items() if it["Type"] == resource_type]:
            del resources[name]

    return edit


def inline_code(resources: Resources) -> None:
    for it in of_type(resources, "AWS::Lambda::Function"):
        it["Code"] = {"ZipFile": "the real binary runs beside it"}
        it.pop("LoggingConfig", None)


EDITS: list[tuple[str, Callable[[Resources], None]]] = [
    (
        "moto has no schedules in CloudFormation; scenarios send the sweep",
        without("AWS::Scheduler::Schedule"),
    ),
    (
        "moto would run the function in a container; the pump takes its place",
        without("AWS::Lambda::EventSourceMapping"),
    ),
    ("moto wants the code, which runs beside it, with a log of its own", inline_code),
    (
        "moto has no secrets in CloudFormation; it is made beforehand and named where it is referred to",
        without("AWS::SecretsManager::Secret"),
    ),
    (
        "nor their policies; the queue's is not enforced either: a story sends as an administrator",
        without("AWS::SecretsManager::ResourcePolicy"),
    ),
]


def edited(template: dict[str, Any], made: dict[str, str]) -> dict[str, Any]:
    """`made` has existing resources, by the name of the resource they stand for."""
    template = copy.deepcopy(template)
    for _why, edit in EDITS:
        edit(template["Resources"])
    for it in template["Resources"].values():
        it.pop("DependsOn", None)
    return dict(named(template, made))


def named(value: Any, made: dict[str, str]) -> Any:
    if isinstance(value, list):
        return [named(it, made) for it in value]
    if not isinstance(value, dict):
        return value
    if set(value) == {"Ref"} and value["Ref"] in made:
        return made[value["Ref"]]
    return {key: named(it, made) for key, it in value.items()}


def of_type(resources: Resources, resource_type: str) -> list[dict[str, Any]]:
    return [it["Properties"] for it in resources.values() if it["Type"] == resource_type]


def first(resources: Resources, resource_type: str) -> dict[str, Any]:
    return of_type(resources, resource_type)[0]
