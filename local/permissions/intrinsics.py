"""What CloudFormation makes of a template's functions, once its parameters are known."""

from __future__ import annotations

import re
from typing import Any

VARIABLE = re.compile(r"\$\{([^}]+)\}")


class NoValue:
    """AWS::NoValue: a property with it is left out."""


class Stack:
    """A template with its parameters, and with names and ARNs for what it makes."""

    def __init__(
        self, template: dict[str, Any], given: dict[str, str], made: dict[str, str]
    ) -> None:
        self._resources = template["Resources"]
        self._conditions = template.get("Conditions", {})
        self._known: dict[str, Any] = dict(made)
        for name, it in template["Parameters"].items():
            value = given.get(name, it.get("Default"))
            # One without a default is asked for, so that it is not forgotten.
            if value is None:
                raise KeyError(name)
            is_list = it["Type"] == "CommaDelimitedList"
            self._known[name] = [part.strip() for part in value.split(",")] if is_list else value

    def resource(self, name: str) -> dict[str, Any]:
        """Its properties."""
        return dict(self.resolved(self._resources[name]["Properties"]))

    def of_type(self, kind: str) -> list[dict[str, Any]]:
        """The properties of all that are made."""
        found = [(name, it) for name, it in self._resources.items() if it["Type"] == kind]
        return [
            self.resource(name)
            for name, it in found
            if "Condition" not in it or self.holds({"Condition": it["Condition"]})
        ]

    def holds(self, condition: dict[str, Any]) -> bool:
        ((function, value),) = condition.items()
        if function == "Condition":
            return self.holds(self._conditions[value])
        if function == "Fn::Not":
            return not self.holds(value[0])
        if function == "Fn::Or":
            return any(self.holds(it) for it in value)
        if function == "Fn::Equals":
            left, right = self.resolved(value)
            return bool(left == right)
        raise KeyError(function)

    def resolved(self, value: Any) -> Any:
        """Unknown functions and names are an error: guessing would judge another policy."""
        if isinstance(value, list):
            return [it for it in map(self.resolved, value) if it is not NoValue]
        if not isinstance(value, dict):
            return value
        if len(value) == 1:
            ((function, argument),) = value.items()
            if function.startswith("Fn::") or function == "Ref":
                return self._call(function, argument)
        found = {key: self.resolved(it) for key, it in value.items()}
        return {key: it for key, it in found.items() if it is not NoValue}

    def _call(self, function: str, argument: Any) -> Any:
        if function == "Ref":
            return NoValue if argument == "AWS::NoValue" else self._known[argument]
        if function == "Fn::GetAtt":
            return self._known[".".join(as_list(argument))]
        if function == "Fn::If":
            name, then, otherwise = argument
            return self.resolved(then if self.holds({"Condition": name}) else otherwise)
        if function == "Fn::Join":
            # CloudFormation takes no function as the delimiter.
            delimiter, parts = argument
            return str(delimiter).join(self.resolved(parts))
        if function == "Fn::Split":
            delimiter, text = argument
            return self.resolved(text).split(delimiter)
        if function == "Fn::Sub":
            text, local = argument if isinstance(argument, list) else (argument, {})
            names = self._known | self.resolved(local)
            return VARIABLE.sub(lambda it: names[it[1]], text)
        raise KeyError(function)


def as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]
