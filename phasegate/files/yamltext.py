"""YAML text to plain data, for files that people write by hand.

What is read is YAML with the core schema of version 1.2: `no` and `12:30` are text, `true` and `null` are what they
say, and there are no dates. Anchors, aliases and merge keys (`<<`) work. Tags do not. The text is read event by event
and everything is bounded (size, depth, values after aliases are followed), because the libraries' own composer has no
bounds: deep nesting exhausts the C stack, and a few aliases of aliases stand for more values than memory holds.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import yaml
from attrs import define, field

from phasegate.core.errors import InvalidModel

BYTES_MAX = 4 * 2**20  # hand-written; what machines write is JSON or NDJSON
DEPTH_MAX = 64
VALUES_MAX = 1_000_000

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)  # the C parser where the library has it
_INT = re.compile(r"[-+]?[0-9]{1,400}")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]{1,4})?")
_WORDS: dict[str, object] = {"": None, "~": None, "null": None, "Null": None, "NULL": None}
_WORDS |= {word: value for value in (True, False) for word in (str(value), str(value).lower(), str(value).upper())}


def parse_yaml(text: str) -> object:
    """Return the plain data of one YAML document.

    `InvalidModel`, its path a line and column, for text that is no YAML, a key that is there twice, a tag, several
    documents or none, or more than `BYTES_MAX` of text, `DEPTH_MAX` of depth or `VALUES_MAX` values.

    >>> parse_yaml("{name: eastus, zones: ['1', '2']}  # the usual")
    {'name': 'eastus', 'zones': ['1', '2']}
    """
    if len(text) > BYTES_MAX:
        raise InvalidModel(f"YAML is read up to {BYTES_MAX} characters, these are {len(text)}; write JSON or NDJSON")
    try:
        events = iter(yaml.parse(text, Loader=_LOADER))
        composer = _Composer(events)
        next(events)  # the stream starts
        if isinstance(next(events), yaml.StreamEndEvent):
            raise InvalidModel("holds nothing but comments")
        data = composer.value(next(events), 0)
        next(events)  # the document ends
        following = next(events)
        if isinstance(following, yaml.DocumentStartEvent):
            raise _at("a second document starts; one file holds one", following)
        return data
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        place = f"line {mark.line + 1}, column {mark.column + 1}" if mark else ""
        raise InvalidModel(f"no YAML: {error.problem or error.context}", place) from None
    except yaml.YAMLError as error:
        raise InvalidModel(f"no YAML: {str(error).splitlines()[0]}") from None


def _at(what: str, event: Any) -> InvalidModel:
    mark = event.start_mark
    return InvalidModel(what, f"line {mark.line + 1}, column {mark.column + 1}")


@define
class _Composer:
    """Puts values together from events; `anchors` holds each named value and how many values it stands for."""

    events: Iterator[Any]
    anchors: dict[str, tuple[object, int]] = field(factory=dict)
    values: int = 0

    def value(self, event: Any, depth: int) -> object:
        if isinstance(event, yaml.AliasEvent):
            return self._alias(event)
        self._count(1, event)
        if depth > DEPTH_MAX:
            raise _at(f"nested more than {DEPTH_MAX} deep", event)
        if event.tag not in (None, "!"):
            raise _at(f"tag `{event.tag}` is not understood; leave it out", event)
        before = self.values
        data: object
        match event:
            case yaml.ScalarEvent():
                data = _scalar(event)
            case yaml.SequenceStartEvent():
                data = self._sequence(depth)
            case _:
                data = self._mapping(depth)
        if event.anchor:
            self.anchors[event.anchor] = (data, self.values - before + 1)
        return data

    def _count(self, values: int, event: Any) -> None:
        self.values += values
        if self.values > VALUES_MAX:
            raise _at(f"more than {VALUES_MAX} values, aliases counted as what they stand for", event)

    def _alias(self, event: Any) -> object:
        if event.anchor not in self.anchors:
            raise _at(f"alias `{event.anchor}` has no anchor before it", event)
        data, weight = self.anchors[event.anchor]
        self._count(weight, event)
        return data

    def _sequence(self, depth: int) -> list[object]:
        data = []
        while not isinstance(event := next(self.events), yaml.SequenceEndEvent):
            data.append(self.value(event, depth + 1))
        return data

    def _mapping(self, depth: int) -> dict[str, object]:
        data: dict[str, object] = {}
        merged: dict[str, object] = {}
        while not isinstance(event := next(self.events), yaml.MappingEndEvent):
            if not isinstance(event, yaml.ScalarEvent):
                raise _at("a key is text", event)
            key: str = event.value
            value = self.value(next(self.events), depth + 1)
            if key == "<<" and not event.style:
                for source in value if isinstance(value, list) else [value]:
                    if not isinstance(source, dict):
                        raise _at("`<<` merges an object or a list of objects", event)
                    merged = {**source, **merged}
            elif key in data:
                raise _at(f"key `{key}` is there twice", event)
            else:
                data[key] = value
        return {**merged, **data}


def _scalar(event: Any) -> object:
    text: str = event.value
    if event.tag or event.style:  # marked as text by `!`, quoted, or a block of text
        return text
    if text in _WORDS:
        return _WORDS[text]
    if _INT.fullmatch(text):
        return int(text)
    if _FLOAT.fullmatch(text):
        return float(text)
    return text
