"""What was written in a workspace, page by page: taken out for the next state, or put back as another state has it.

A kernel marks what it writes: one byte a page of each large table, one bit a column (`codes`, `WROTE_...`). The small
tables are written in many places and are compared with what they were.
"""

from __future__ import annotations

from array import array
from collections.abc import Mapping, Sequence

from phasegate.core.columns import COLUMNS, Column, Table
from phasegate.core.pages import Paged, first_pages, merged


class Copier:
    """The pages of a workspace's flat columns and its marks; it holds on to these buffers."""

    def __init__(self, flat: Mapping[str, bytearray], dirty: Mapping[Table, bytearray]) -> None:
        self.flat = flat
        self.dirty = dirty
        self.first = first_pages(len(flat[column.name]) // column.page_bytes for column in COLUMNS)
        self.before = {column.name: bytes(flat[column.name]) for column in COLUMNS if column.table not in dirty}

    def take(self, numbers: array[int], pages: list[bytes]) -> None:
        """Append every page that was written since the last time, with its number; nothing is marked afterwards."""
        for number in self.changed():
            at, start, end = self._place(number)
            page = bytes(self.flat[COLUMNS[at].name][start:end])
            numbers.append(number)
            pages.append(page)

    def changed(self) -> list[int]:
        """Return the numbers of the pages that were written since the last time; nothing is marked afterwards."""
        found: list[int] = []
        for at, column in enumerate(COLUMNS):
            found += (self.first[at] + page for page in self._written(column))
        for marks in self.dirty.values():
            marks[:] = bytes(len(marks))  # the coarse ones too, which need not be looked at here
        for name in self.before:
            self.before[name] = bytes(self.flat[name])
        return found

    def put(self, numbers: Sequence[int], pages: Sequence[bytes]) -> None:
        """Make these pages what is written here, and what was before."""
        for number, page in zip(numbers, pages, strict=True):
            at, start, end = self._place(number)
            name = COLUMNS[at].name
            self.flat[name][start:end] = page
            if name in self.before:
                self.before[name] = bytes(self.flat[name])

    def merged(self, columns: tuple[Paged, ...], numbers: Sequence[int], pages: Sequence[bytes]) -> tuple[Paged, ...]:
        """Return the columns with other pages at these numbers; the last one said of a number counts."""
        return merged(columns, numbers, pages)

    def differing(self, columns: tuple[Paged, ...], others: tuple[Paged, ...]) -> list[int]:
        """Return the numbers of the pages that are not one object in both, in order."""
        pairs = zip(self.first, columns, others, strict=False)
        return [first + number for first, mine, theirs in pairs for number in mine.differing(theirs)]

    def latest(self, numbers: Sequence[int], size: int, wanted: Sequence[int]) -> list[int]:
        """Return for each wanted number the last of the first `size` entries that has it, -1 for none."""
        last = {number: entry for entry, number in enumerate(numbers[:size])}
        return [last.get(number, -1) for number in wanted]

    def _written(self, column: Column) -> list[int]:
        marks = self.dirty.get(column.table)
        if marks is not None:
            pages = len(self.flat[column.name]) // column.page_bytes
            return [page for page, mark in enumerate(marks[:pages]) if mark & column.mark]
        size = column.page_bytes
        old, new = self.before[column.name], self.flat[column.name]
        starts = range(0, len(new), size)
        return [page for page, start in enumerate(starts) if old[start : start + size] != new[start : start + size]]

    def _place(self, number: int) -> tuple[int, int, int]:
        at = next(at for at in range(len(COLUMNS)) if number < self.first[at + 1])
        start = (number - self.first[at]) * COLUMNS[at].page_bytes
        return at, start, start + COLUMNS[at].page_bytes
