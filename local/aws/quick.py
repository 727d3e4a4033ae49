"""What moto works out anew at every call, though it is always the same, is worked out once.

Nothing of what is answered changes; without this a third of a scenario's time goes there.
"""

from collections.abc import Iterator
from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.serialize import AttributePickerContext, XFormedAttributePicker
from moto.core.utils import method_names_from_class

POSSIBLE_KEYS = XFormedAttributePicker.get_possible_keys
#: (shape, key) -> under which names a dictionary may have the value; shapes live as long as moto
KNOWN: dict[tuple[int, str], list[str]] = {}


def possible_keys(self: Any, context: AttributePickerContext) -> Iterator[str]:
    """A dictionary has no names of its own for them; its key is nearly always AWS's."""
    if not isinstance(context.obj, dict):
        return POSSIBLE_KEYS(self, context)
    if context.key in context.obj:
        return iter((context.key,))
    names = KNOWN.get((id(context.shape), context.key))
    if names is None:
        names = KNOWN[id(context.shape), context.key] = list(POSSIBLE_KEYS(self, context))
    return iter(names)


def install() -> None:
    modules = tuple(backends.list_of_moto_modules())
    backends.list_of_moto_modules = lambda: iter(modules)
    responses.method_names_from_class = cache(method_names_from_class)
    XFormedAttributePicker.get_possible_keys = possible_keys
