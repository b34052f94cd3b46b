"""A flat, writable copy of one state, on which a kernel works; reading a state and publishing the next one.

The engine keeps one workspace and hands it to every call: taking up the state that it already holds is free, another
one costs the pages in which the two differ. Publishing copies the pages that the kernel has marked, and shares the
rest with the state before. A workspace is not shared between threads; the engine holds a lock around it.
"""

from __future__ import annotations

from phasegate.core.columns import COLUMNS, Table
from phasegate.core.pages import Paged
from phasegate.core.state import State

MARKED: tuple[Table, ...] = ("instance", "order", "bucket", "set")  # their pages are marked; small tables are compared

PLACES: dict[Table, list[tuple[int, str, int]]] = {}  # a table's columns: where they stand, name, bytes a page
for _at, _column in enumerate(COLUMNS):
    PLACES.setdefault(_column.table, []).append((_at, _column.name, _column.page_bytes))


class Workspace:
    """Flat columns by name (`flat`), and a byte a page that says whether it was written (`dirty`)."""

    def __init__(self) -> None:
        self.flat: dict[str, bytearray] = {}
        self.dirty: dict[Table, bytearray] = {}
        self.state: State | None = None
        self.is_spoilt = False

    def take_up(self, state: State) -> str:
        """Make the flat columns those of `state`; return `same`, `near` (pages were copied) or `new` (all was).

        After `new` the buffers are other objects, and whoever holds views of them must take new ones.
        """
        held = self.state
        if held is state and not self.is_spoilt:
            return "same"
        if held is None or held.rows != state.rows:
            self.flat = {column.name: paged.flat() for column, paged in zip(COLUMNS, state.columns, strict=True)}
            pages = {column.table: paged.page_count for column, paged in zip(COLUMNS, state.columns, strict=True)}
            self.dirty = {table: bytearray(pages[table]) for table in MARKED}
            self.state, self.is_spoilt = state, False
            return "new"
        for column, new, old in zip(COLUMNS, state.columns, held.columns, strict=True):
            flat, size = self.flat[column.name], column.page_bytes
            if column.table in self.dirty:
                stale = {*_marked(self.dirty[column.table]), *new.differing(old)}
            else:
                stale = {*range(new.page_count)}
            for number in stale:
                flat[number * size : (number + 1) * size] = new.page(number)
        self._clean()
        self.state, self.is_spoilt = state, False
        return "near"

    def spoil(self) -> None:
        """Say that the flat columns were written and will not be published: the next taking up mends them."""
        self.is_spoilt = True

    def publish(self) -> tuple[Paged, ...]:
        """Return the columns as they are now, sharing every page that is as it was; nothing is marked afterwards."""
        if self.state is None:
            raise AssertionError("a workspace publishes after it has taken up a state")
        published = list(self.state.columns)
        for table, places in PLACES.items():
            dirty = self.dirty.get(table)
            numbers = _marked(dirty) if dirty is not None else range(published[places[0][0]].page_count)
            for at, name, size in places if numbers else ():
                flat, old = self.flat[name], published[at]
                changes = {}
                for number in numbers:
                    page = flat[number * size : (number + 1) * size]
                    if page != old.page(number):
                        changes[number] = bytes(page)
                if changes:
                    published[at] = old.replaced(changes)
        self._clean()
        return tuple(published)

    def _clean(self) -> None:
        for dirty in self.dirty.values():
            for number in _marked(dirty):
                dirty[number] = 0


def _marked(dirty: bytearray) -> list[int]:
    found = []
    at = dirty.find(1)
    while at >= 0:
        found.append(at)
        at = dirty.find(1, at + 1)
    return found
