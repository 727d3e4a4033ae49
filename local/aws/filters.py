"""Filters and pages of the Describe calls.

AWS: several filters are joined with AND, the values of one with OR; `*` and `?` are wildcards and
values are case-sensitive (https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/Using_Filtering.html).
`MaxResults` pages are linked by `NextToken`. moto matches on its own objects, which go on having
what AWS has already hidden, and pages only some calls.
"""

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import Any

from local.aws.patch import refuse

View = dict[str, Any]
Field = Callable[[View], Any]


def matching(call: Any, views: Iterable[View], fields: dict[str, Field]) -> list[View]:
    filters = call._filters_from_querystring()
    return [it for it in views if all(_matches(it, f, fields) for f in filters.items())]


def _matches(view: View, wanted: tuple[str, list[str]], fields: dict[str, Field]) -> bool:
    name, patterns = wanted
    values = _values(view, name, fields)
    return any(fnmatchcase(value, pattern) for value in values for pattern in patterns)


def _values(view: View, name: str, fields: dict[str, Field]) -> list[str]:
    tags = {it["Key"]: it["Value"] for it in view.get("Tags", [])}
    if name.startswith("tag:"):
        key = name.removeprefix("tag:")
        return [tags[key]] if key in tags else []
    if name == "tag-key":
        return list(tags)
    if name == "tag-value":
        return list(tags.values())
    if name not in fields:
        raise refuse("InvalidParameterValue", f"The filter '{name}' is invalid")
    found = fields[name](view)
    return [_text(it) for it in (found if isinstance(found, list) else [found]) if it is not None]


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def page(call: Any, result_key: str, items: list[View], at_most: int) -> View:
    """The items the caller's page holds, and the token of the next."""
    start = _start(call._get_param("NextToken"))
    size = min(int(call._get_param("MaxResults") or at_most), at_most)
    end = start + size
    return {
        result_key: items[start:end],
        "NextToken": f"page-{end}" if end < len(items) else None,
    }


def _start(token: str | None) -> int:
    if not token:
        return 0
    number = token.removeprefix("page-")
    if not number.isdecimal():
        raise refuse("InvalidPaginationToken", f"The token '{token}' is invalid")
    return int(number)
