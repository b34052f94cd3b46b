"""From plain data to attrs classes and back, by their type hints, with errors that name the place.

Plain data is what JSON can say: None, bool, int, float, str, list, dict. A reader is strict: nothing is guessed, no
text becomes a number, an unknown key is refused with the closest one that exists. Every error is an `InvalidModel`
whose path is put together on the way out, so that data without a fault pays nothing for it.
"""

from __future__ import annotations

import types
from collections.abc import Callable, Iterable, Mapping
from enum import Enum, IntEnum
from typing import Any, Literal, TypeVar, Union, get_args, get_origin, get_type_hints

import attrs

from phasegate.core.errors import InvalidModel
from phasegate.core.model import refuse_unknown
from phasegate.files.plaindata import (
    INT_MAX,
    as_it_is,
    bool_of,
    described,
    float_of,
    int_of,
    list_of,
    mapping_of,
    none_of,
    text_of,
)

__all__ = ["INT_MAX", "Read", "Reader", "described", "given", "list_of", "mapping_of", "plain", "structure"]

T = TypeVar("T")
Read = Callable[[object], Any]


def _one_of(values: Mapping[str, Any]) -> Read:
    choices = ", ".join(f"`{value}`" for value in values)

    def read(data: object) -> object:
        text = text_of(data)
        if text not in values:
            raise InvalidModel(f"`{text}` is none of {choices}")
        return values[text]

    return read


def _many(each: Read) -> Read:
    def read(data: object) -> tuple[Any, ...]:
        made: list[Any] = []
        try:
            for item in list_of(data):
                made.append(each(item))  # its length is the index of the item at fault
        except InvalidModel as error:
            raise (error.under(f"[{len(made)}]") if type(data) is list else error) from None
        return tuple(made)

    return read


def _row(parts: tuple[Read, ...]) -> Read:
    def read(data: object) -> tuple[Any, ...]:
        items = list_of(data)
        if len(items) != len(parts):
            raise InvalidModel(f"expected a list of {len(parts)}, got {len(items)}")
        made: list[Any] = []
        try:
            for part, item in zip(parts, items, strict=True):
                made.append(part(item))
        except InvalidModel as error:
            raise error.under(f"[{len(made)}]") from None
        return tuple(made)

    return read


def _table(each: Read) -> Read:
    def read(data: object) -> dict[str, Any]:
        made: dict[str, Any] = {}
        for key, value in mapping_of(data).items():
            try:
                made[key] = each(value)
            except InvalidModel as error:
                raise error.under(key) from None
        return made

    return read


def _kinds(hint: Any) -> frozenset[type]:
    """Return the types of plain data among which a union tells this member."""
    origin = get_origin(hint)
    if hint is float:
        return frozenset((int, float))
    if hint in (int, bool, str, type(None)):
        return frozenset((hint,))
    if origin is Literal or (isinstance(hint, type) and issubclass(hint, Enum)):
        return frozenset((str,))
    return frozenset((list,)) if origin is tuple else frozenset((dict,))


def _first_that_fits(members: Iterable[tuple[Any, Read]]) -> Read:
    by_type: dict[type, Read] = {}
    for hint, read in members:
        for kind in _kinds(hint):
            by_type.setdefault(kind, read)
    fallback = next(read for kind, read in by_type.items() if kind is not type(None))

    def read_any(data: object) -> object:
        return by_type.get(type(data), fallback)(data)  # the fallback says what was expected

    return read_any


class Reader:
    """Readers for types, made once each; `special` adds or replaces the reader of a type hint.

    >>> from phasegate.core.model import Region
    >>> Reader().read(Region, {"name": "eastus", "zones": ["2", "1"]}).zones
    ('1', '2')
    >>> Reader().read(Region, {"name": "eastus", "par": "westus"}, "regions[0]")
    Traceback (most recent call last):
    phasegate.core.errors.InvalidModel: unknown key `par`; did you mean `pair`? (at `regions[0]`)
    """

    def __init__(self, special: Mapping[Any, Read] | None = None) -> None:
        self._readers: dict[Any, Read] = {
            int: int_of,
            float: float_of,
            bool: bool_of,
            str: text_of,
            type(None): none_of,
            object: as_it_is,
            Any: as_it_is,
            **(special or {}),
        }

    def read(self, cls: type[T], data: object, path: str = "") -> T:
        """Return `cls` made from plain data; `InvalidModel`, its place seen from `path`, if that cannot be."""
        try:
            made: T = self.of(cls)(data)
        except InvalidModel as error:
            raise error.under(path) from None
        return made

    def of(self, hint: Any) -> Read:
        """Return the reader of a type hint; `TypeError` if there is none for such a type."""
        if hint not in self._readers:
            self._readers[hint] = self._make(hint)
        return self._readers[hint]

    def arguments(
        self, cls: type, leave_out: Iterable[str] = (), instead: Mapping[str, Read] | None = None
    ) -> Callable[[object], dict[str, Any]]:
        """Return a function from an object to the arguments of `cls`.

        The fields of `leave_out` are unknown keys; those of `instead` have a reader of their own.
        """
        hints = get_type_hints(cls)
        hidden = frozenset(leave_out)
        readers: dict[str, tuple[str, Read]] = {}
        required: list[str] = []
        for attribute in attrs.fields(cls):
            if attribute.init and attribute.name not in hidden:
                convert = (instead or {}).get(attribute.name) or self.of(hints[attribute.name])
                readers[attribute.name] = (attribute.alias or attribute.name, convert)
                if attribute.default is attrs.NOTHING:
                    required.append(attribute.name)

        def read(data: object) -> dict[str, Any]:
            made: dict[str, Any] = {}
            for key, value in mapping_of(data).items():
                if key not in readers:
                    refuse_unknown(str(key), readers, "key", "")
                name, convert = readers[key]
                try:
                    made[name] = convert(value)
                except InvalidModel as error:
                    raise error.under(key) from None
            for key in required:
                if readers[key][0] not in made:
                    raise InvalidModel(f"`{key}` is missing")
            return made

        return read

    def _make(self, hint: Any) -> Read:
        origin, parts = get_origin(hint), get_args(hint)
        if origin is Literal:
            return _one_of({value: value for value in parts})
        if origin in (Union, types.UnionType):
            return _first_that_fits([(part, self.of(part)) for part in parts])
        if origin is tuple:
            return _many(self.of(parts[0])) if parts[-1] is Ellipsis else _row(tuple(map(self.of, parts)))
        if isinstance(origin, type) and issubclass(origin, Mapping):
            return _table(self.of(parts[1]))
        if isinstance(hint, type) and issubclass(hint, IntEnum):
            return _one_of({member.name.lower(): member for member in hint})
        if isinstance(hint, type) and issubclass(hint, Enum):
            return _one_of({member.value: member for member in hint})
        if isinstance(hint, type) and attrs.has(hint):
            arguments = self.arguments(hint)
            return lambda data: hint(**arguments(data))
        raise TypeError(f"no reader for {hint}")


_PLAIN = Reader()


def structure(cls: type[T], data: object, path: str = "") -> T:
    """Return `cls` made from plain data, as `Reader().read` does.

    Understands int, float, bool, str, None and unions with it, Literal, Enum (an IntEnum by its members' names in
    lower case), `tuple[X, ...]`, `tuple[X, Y]` (a `[low, high]` range), `Mapping[str, X]` and nested attrs classes; in
    a union the type of the data decides. `InvalidModel` names the place of the first fault below `path`.
    """
    return _PLAIN.read(cls, data, path)


def plain(value: object) -> Any:
    """Return the value as plain data, an attrs object as a dict without the fields that have their default.

    >>> from phasegate.core.model import Region
    >>> plain(Region("eastus", zones=("1",)))
    {'name': 'eastus', 'zones': ['1']}
    """
    match value:
        case IntEnum():
            return value.name.lower()
        case Enum():
            return value.value
        case Mapping():
            return {key: plain(item) for key, item in value.items()}
        case tuple() | list():
            return [plain(item) for item in value]
    if attrs.has(type(value)):
        return {name: plain(item) for name, item in given(value).items()}
    return value


def given(value: Any) -> dict[str, Any]:
    """Return the fields of an attrs object that differ from their defaults, by name, in their order."""
    made: dict[str, Any] = {}
    for attribute in attrs.fields(type(value)):
        item = getattr(value, attribute.name)
        default = attribute.default
        if isinstance(default, attrs.Factory):  # type: ignore[arg-type]  # Factory is a class at run time
            default = default.factory()
        if default is attrs.NOTHING or item != default:
            made[attribute.name] = item
    return made
