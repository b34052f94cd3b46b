"""The template functions that need nothing but their arguments: one table.

They follow the template language's documentation. A wrong argument raises what Python raises for it (`TypeError`,
`ValueError`, `LookupError`, `ArithmeticError`); the evaluator makes an `ExpressionError` of it. Texts, lists and
numbers keep limits, so that variables that double one another end as an error and not as a full memory.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote, unquote, urljoin

from phasegate.importers.expressions import ExpressionError

CHARACTERS_MAX = 65_536
ITEMS_MAX = 10_000  # the template language's own limit of `range`
NUMBER_MAX = 2**63 - 1

_HOLE = re.compile(r"\{\{|\}\}|\{([0-9]{1,3})(?::[^}]*)?\}")


def _bounded(size: int, size_max: int = CHARACTERS_MAX) -> None:
    if size > size_max:
        raise ExpressionError(f"a value of {size} characters or items; at most {size_max} are possible")


def _not_known(value: Any) -> str:
    raise ExpressionError("an argument holds a value that is not known")


def text_of(value: Any) -> str:
    """Return a value as the template language writes it: `True`, `5`, or JSON for lists and objects."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool | int):
        return str(value)
    text = ""
    for piece in json.JSONEncoder(separators=(",", ":"), sort_keys=True, default=_not_known).iterencode(value):
        text += piece
        _bounded(len(text))  # while it grows: a list of lists of the same list is short to hold and long to write
    return text


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, list | dict):
        return isinstance(other, type(one)) and text_of(one) == text_of(other)
    return type(one) is type(other) and bool(one == other)


def _among(item: Any, items: list[Any]) -> bool:
    return any(_same(item, other) for other in items)


def _whole(compute: Callable[..., int]) -> Callable[..., int]:
    """Return an arithmetic function that refuses what is no whole number of 64 bits."""

    def computed(*values: Any) -> int:
        if not all(type(value) is int for value in values):
            raise TypeError
        result = compute(*values)
        if abs(result) > NUMBER_MAX:
            raise OverflowError
        return result

    return computed


def _concat(*parts: Any) -> Any:
    if parts and all(isinstance(part, list) for part in parts):
        _bounded(sum(map(len, parts)), ITEMS_MAX)
        return [item for part in parts for item in part]
    texts = [text_of(part) for part in parts]
    _bounded(sum(map(len, texts)))
    return "".join(texts)


def _format(pattern: str, *values: Any) -> str:
    texts = [text_of(value) for value in values]
    _bounded(len(pattern) + sum(len(texts[int(hole[1])]) for hole in _HOLE.finditer(pattern) if hole[1]))
    return _HOLE.sub(lambda hole: texts[int(hole[1])] if hole[1] else hole[0][0], pattern)


def _replace(text: str, old: str, new: str) -> str:
    _bounded(len(text) + text.count(old) * len(new))
    return text.replace(old, new)


def _split(text: str, marks: Any) -> list[str]:
    return re.split("|".join(map(re.escape, [marks] if isinstance(marks, str) else marks)), text)


def _substring(text: str, start: int, length: int | None = None) -> str:
    end = len(text) if length is None else start + length
    if not 0 <= start <= end <= len(text):
        raise ValueError
    return text[start:end]


def _pad_left(value: Any, width: int, filler: str = " ") -> str:
    _bounded(width)
    return text_of(value).rjust(width, filler)


def _bool(value: Any) -> bool:
    if isinstance(value, str):
        return {"true": True, "false": False, "1": True, "0": False}[value.lower()]
    return bool(value)


def _div(one: int, other: int) -> int:
    quotient = abs(one) // abs(other)
    return quotient if (one < 0) == (other < 0) else -quotient


def _contains(container: Any, item: Any) -> bool:
    if isinstance(container, dict):
        return item.lower() in {key.lower() for key in container}
    return text_of(item) in container if isinstance(container, str) else _among(item, container)


def _union(*parts: Any) -> Any:
    if isinstance(parts[0], dict):
        made: dict[str, Any] = {}
        for part in parts:
            made |= part
        return made
    items: list[Any] = []
    for part in parts:
        for item in part:
            if not _among(item, items):
                items.append(item)
    return items


def _intersection(first: Any, *others: Any) -> Any:
    if isinstance(first, dict):
        return {key: value for key, value in first.items() if all(_same(value, other.get(key)) for other in others)}
    return [item for item in _union(first) if all(_among(item, other) for other in others)]


def _create_object(*parts: Any) -> dict[str, Any]:
    return dict(zip(parts[::2], parts[1::2], strict=True))


def _range(start: int, count: int) -> list[int]:
    _bounded(count, ITEMS_MAX)
    return list(range(start, start + count))


def _first(value: Any) -> Any:
    return value[:1] if isinstance(value, str) else (value[0] if value else None)


def _last(value: Any) -> Any:
    return value[-1:] if isinstance(value, str) else (value[-1] if value else None)


def _extreme(choose: Callable[[Any], int]) -> Callable[..., int]:
    return lambda *values: choose(values[0] if isinstance(values[0], list) else values)


def _index_of(text: str, part: str) -> int:
    return text.lower().find(part.lower())


def _last_index_of(text: str, part: str) -> int:
    return text.lower().rfind(part.lower())


def _digest(*values: str) -> bytes:
    return hashlib.sha256("\0".join(map(text_of, values)).encode()).digest()


def _unique_string(*values: str) -> str:
    return base64.b32encode(_digest(*values)).decode().lower()[:13]


def _guid(*values: str) -> str:
    digits = _digest(*values).hex()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


FUNCTIONS: dict[str, Callable[..., Any]] = {
    "add": _whole(lambda one, other: one + other),
    "array": lambda value: value if isinstance(value, list) else [value],
    "base64": lambda text: base64.b64encode(text.encode()).decode(),
    "base64tostring": lambda text: base64.b64decode(text).decode(),
    "bool": _bool,
    "coalesce": lambda *values: next((value for value in values if value is not None), None),
    "concat": _concat,
    "contains": _contains,
    "createarray": lambda *values: list(values),
    "createobject": _create_object,
    "div": _whole(_div),
    "empty": lambda value: value in (None, "", [], {}),
    "endswith": lambda text, part: text.lower().endswith(part.lower()),
    "equals": _same,
    "false": lambda: False,
    "first": _first,
    "format": _format,
    "greater": lambda one, other: one > other,
    "greaterorequals": lambda one, other: one >= other,
    "guid": _guid,
    "indexof": _index_of,
    "int": int,
    "intersection": _intersection,
    "join": lambda items, mark: mark.join(map(text_of, items)),
    "json": json.loads,
    "last": _last,
    "lastindexof": _last_index_of,
    "length": len,
    "less": lambda one, other: one < other,
    "lessorequals": lambda one, other: one <= other,
    "max": _extreme(max),
    "min": _extreme(min),
    "mod": _whole(lambda one, other: one - other * _div(one, other)),
    "mul": _whole(lambda one, other: one * other),
    "not": lambda value: not _bool(value),
    "null": lambda: None,
    "padleft": _pad_left,
    "range": _range,
    "replace": _replace,
    "skip": lambda value, count: value[max(0, count) :],
    "split": _split,
    "startswith": lambda text, part: text.lower().startswith(part.lower()),
    "string": text_of,
    "sub": _whole(lambda one, other: one - other),
    "substring": _substring,
    "take": lambda value, count: value[: max(0, count)],
    "tolower": str.lower,
    "toupper": str.upper,
    "trim": str.strip,
    "true": lambda: True,
    "union": _union,
    "uniquestring": _unique_string,
    "uri": urljoin,
    "uricomponent": lambda text: quote(text, safe=""),
    "uricomponenttostring": unquote,
}

STAND_INS = frozenset(("guid", "uniquestring"))
"""Functions whose real value depends on the deployment: theirs here is opaque, but always the same."""
