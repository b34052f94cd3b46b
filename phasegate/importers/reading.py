"""What importers read from and answer with: sources that remember what nobody asked for, and the list of what is left.

An importer takes from a description what the rules know of, and everything else in it is listed: a reader of the list
sees what a fleet does not say. `null`, empty lists and empty objects say nothing and are not listed.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, NoReturn

from attrs import define, field, frozen

from phasegate.core.model import Fleet
from phasegate.core.names import printable
from phasegate.files.documents import InvalidFile, blamed_on, parse_document
from phasegate.files.structure import described

NO_PART = "is no part of a rollout"


@frozen
class Unmapped:
    """Something in a file that a fleet does not say, or says by an assumption: where, what, and why."""

    file: str
    place: str
    what: str
    why: str

    def __str__(self) -> str:
        where = f"{self.file}: {self.place}" if self.place else self.file
        return f"{where}: {self.what} {self.why}"


@frozen
class Imported:
    """A fleet and what could not be mapped into it, in the order in which it was met, each once."""

    fleet: Fleet
    unmapped: tuple[Unmapped, ...]


@frozen
class Unresolved:
    """A value that is not known offline, and why; `parameter` if a parameter is missing or of no use."""

    why: str
    parameter: str | None = None


@define
class Notes:
    """The growing list of what is unmapped, each line once."""

    lines: dict[Unmapped, None] = field(factory=dict)

    def add(self, file: str, place: str, what: str, why: str) -> None:
        """Add a line, unless it is there already; what does not print becomes a question mark."""
        self.lines[Unmapped(file, *map(printable, (place, what, why)))] = None

    def imported(self, fleet: Fleet) -> Imported:
        """Return the fleet with this list."""
        return Imported(fleet, tuple(self.lines))


@frozen
class Document:
    """A parsed input: its name and its plain data."""

    name: str
    data: Any

    def refuse(self, what: str, place: str = "") -> NoReturn:
        """Raise `InvalidFile` for this document."""
        raise InvalidFile(what, self.name, place)


def parsed(documents: Sequence[tuple[str, bytes]], *, comments: bool = False) -> list[Document]:
    """Return the documents as plain data; `InvalidFile` if one cannot be parsed, or there is none."""
    if not documents:
        raise InvalidFile("there is nothing to import; name at least one file", "import")
    return [Document(name, parse_document(data, name, comments=comments)) for name, data in documents]


def items_of(document: Document, *keys: str) -> list[Any]:
    """Return the rows of a listing: a list, the list under one of `keys`, or a single object as a list of one.

    Objects that hold nothing but another object are what some tool wrapped around the listing: they are taken off.
    """
    data = document.data
    while isinstance(data, dict) and len(data) == 1 and isinstance(only := next(iter(data.values())), dict):
        data = only
    if isinstance(data, dict):
        for key in keys:
            if isinstance(data.get(key), list):
                data = data[key]
                break
        else:
            data = [data]
    if not isinstance(data, list):
        document.refuse("expected an object or a list of objects")
    for at, row in enumerate(data):
        if not isinstance(row, dict):
            document.refuse("expected an object", f"[{at}]")
    return data


def fleet_of(file: str, **arguments: Any) -> Fleet:
    """Return a fleet; `InvalidFile` of `file` if what was read does not make one."""
    with blamed_on(file):
        return Fleet(**arguments)


class Source:
    """One object of a description. Names are found whatever their case; what is read is marked.

    Values that should be numbers or booleans are also taken from text that says so (`"5"`, `"true"`), as templates
    hold them. A value of another type is an `InvalidFile`; one that is not known offline is listed and left out.
    `listed_at` is the place in the list of what is unmapped: `[*]` lists what all rows have in common once.
    """

    def __init__(
        self, data: Mapping[str, Any], document: Document, place: str, notes: Notes, listed_at: str | None = None
    ) -> None:
        self.data = data
        self.document = document
        self.place = place
        self.notes = notes
        self.listed_at = place if listed_at is None else listed_at
        self._names = {key.lower(): key for key in data}
        self._read: set[str] = set()
        self._children: dict[str, Source] = {}

    def __contains__(self, name: str) -> bool:
        return self._names.get(name.lower()) is not None and self.data[self._names[name.lower()]] is not None

    def blamed(self) -> AbstractContextManager[None]:
        """Turn `InvalidModel` into an `InvalidFile` that names this place."""
        return blamed_on(self.document.name, self.place)

    def at(self, name: str) -> str:
        """Return the place of a value in the document."""
        return f"{self.place}.{name}" if self.place else name

    def refuse(self, what: str, name: str) -> NoReturn:
        """Raise `InvalidFile` for one of its values."""
        self.document.refuse(what, self.at(name))

    def note(self, name: str, why: str) -> None:
        """List one of its values, or what was made of its absence."""
        self.notes.add(self.document.name, self.listed_at, f"`{name}`", why)

    def value(self, *names: str) -> Any:
        """Return the first value there is under these names, or None; all of them count as read."""
        found = None
        for name in names:
            key = self._names.get(name.lower())
            if key is None:
                continue
            self._read.add(key)
            value = self.data[key]
            if isinstance(value, Unresolved):
                if value.parameter is not None:
                    self.refuse(value.why, name)
                self.note(name, f"is not known offline: {value.why}")
            elif found is None:
                found = value
        return found

    def text(self, *names: str) -> str | None:
        """Return a text, or None; a number is written out."""
        value = self.value(*names)
        if isinstance(value, int | float) and not isinstance(value, bool):
            return str(value)
        if value is not None and not isinstance(value, str):
            self.refuse(f"expected text, got {described(value)}", names[0])
        return value

    def required(self, name: str, *others: str) -> str:
        """Return a text that must be there, be known and not be empty."""
        value = self.text(name, *others)
        if not value:
            key = self._names.get(name.lower())
            if key is not None and isinstance(self.data[key], Unresolved):
                self.refuse(f"`{name}` is not known offline: {self.data[key].why}", name)
            self.refuse(f"`{name}` is missing", name)
        return value

    def choice(self, name: str, choices: Sequence[str]) -> str | None:
        """Return which of the choices a text is, whatever its case, or None."""
        value = self.text(name)
        if value is None:
            return None
        for choice in choices:
            if choice.lower() == value.lower():
                return choice
        return self.refuse(f"`{value}` is none of {', '.join(f'`{choice}`' for choice in choices)}", name)

    def number(self, name: str) -> int | None:
        """Return a whole number, or None."""
        value = self.value(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        if isinstance(value, str) and value.strip().lstrip("-").isdecimal() and len(value) < 20:
            return int(value)
        return self.refuse(f"expected a whole number, got {described(value)}", name)

    def truth(self, name: str) -> bool | None:
        """Return a boolean, or None."""
        value = self.value(name)
        if value is None or isinstance(value, bool):
            return value
        words = {"true": True, "false": False}
        if isinstance(value, str) and value.strip().lower() in words:
            return words[value.strip().lower()]
        return self.refuse(f"expected true or false, got {described(value)}", name)

    def child(self, *names: str) -> Source:
        """Return the first object under these names, an empty one if there is none."""
        value = self.value(*names)
        if value is None:
            value = {}
        if not isinstance(value, dict):
            self.refuse(f"expected an object, got {described(value)}", names[0])
        return self._born(value, self.at(names[0]))

    def children(self, name: str) -> list[Source]:
        """Return the objects of a list, none if there is no list; rows that are not known offline are listed."""
        rows = self.value(name)
        if rows is None:
            return []
        if not isinstance(rows, list):
            self.refuse("expected a list", name)
        made = []
        for at, row in enumerate(rows):
            if isinstance(row, Unresolved):
                self.note(f"{name}[{at}]", f"is not known offline: {row.why}")
            elif isinstance(row, dict):
                made.append(self._born(row, f"{self.at(name)}[{at}]"))
            else:
                self.refuse("expected an object", f"{name}[{at}]")
        return made

    def texts(self, name: str) -> list[str]:
        """Return the texts of a list, none if there is no list."""
        rows = self.value(name)
        if rows is None:
            return []
        if not isinstance(rows, list) or not all(isinstance(row, str | int) for row in rows):
            self.refuse("expected a list of texts", name)
        return [str(row) for row in rows]

    def _born(self, data: Mapping[str, Any], place: str) -> Source:
        if place not in self._children:  # asked again, it is the same one and remembers what was read
            listed_at = self.listed_at + place[len(self.place) :]
            self._children[place] = Source(data, self.document, place, self.notes, listed_at)
        return self._children[place]

    def finish(self, why: str = NO_PART) -> None:
        """List everything in it, and in the objects taken from it, that was not read."""
        for key, value in self.data.items():
            if key not in self._read and value not in (None, [], {}):
                self.note(key, why)
        for child in self._children.values():
            child.finish(why)


def tags_of(source: Source) -> dict[str, str]:
    """Return the tags of an object: a mapping whose values are written out as text."""
    tags = source.child("tags")
    return {key: text for key in tags.data if (text := tags.text(key)) is not None}
