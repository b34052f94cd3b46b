"""A flat, writable copy of one state, on which a kernel works; reading a state and publishing the next one.

The engine keeps one workspace and hands it to every call: taking up the state that it already holds is free, another
one costs the pages in which the two differ. Publishing copies the pages that were written, and shares the rest with
the state before. A workspace is not shared between threads; the engine holds a lock around it.
"""

from __future__ import annotations

import mmap
from typing import Any, Final

from phasegate.core.columns import COLUMNS, Table, marks_for
from phasegate.core.pages import Paged
from phasegate.core.snapshot import Snapshot
from phasegate.core.state import State

HUGE_FROM_BYTES: Final = 4 << 20  # smaller ones would waste much of a page of 2 MiB
MARKED: tuple[Table, ...] = ("instance", "order", "bucket", "set")  # their pages are marked; small tables are compared


class Workspace:
    """Flat columns by name (`flat`), and marks that say which columns of which pages were written (`dirty`).

    `copier_class` is the compiled copier or its plain twin.
    """

    copier: Any  # the compiled copier or its twin: one interface, two texts

    def __init__(self, copier_class: Any) -> None:
        self.copier_class = copier_class
        self.flat: dict[str, memoryview] = {}
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
        if held is None or held.snapshot.first != state.snapshot.first:
            self._copy_all(state)
            return "new"
        stale = [*state.snapshot.differing(held.snapshot, self.copier).union(self.copier.changed())]
        self.copier.put(stale, state.snapshot.pages(stale, self.copier))
        self.state, self.is_spoilt = state, False
        return "near"

    @property
    def now(self) -> int:
        """The time of the state that is laid open (ms UTC)."""
        if self.state is None:
            raise AssertionError("a workspace tells the time after it has taken up a state")
        return self.state.now

    def spoil(self) -> None:
        """Say that the flat columns were written and will not be published: the next taking up mends them."""
        self.is_spoilt = True

    def publish(self) -> Snapshot:
        """Return the columns as they are now, sharing every page that is as it was; nothing is marked afterwards."""
        if self.state is None:
            raise AssertionError("a workspace publishes after it has taken up a state")
        try:
            return self.state.snapshot.followed(self.copier)
        except BaseException:
            self.state = None  # nobody knows any more what was written: the next state is copied whole
            raise

    def _copy_all(self, state: State) -> None:
        columns = state.columns
        self.flat = {column.name: _writable(paged) for column, paged in zip(COLUMNS, columns, strict=True)}
        pages = {column.table: paged.page_count for column, paged in zip(COLUMNS, columns, strict=True)}
        self.dirty = {table: marks_for(pages[table]) for table in MARKED}
        self.copier = self.copier_class(self.flat, self.dirty)
        self.state, self.is_spoilt = state, False


def _writable(column: Paged) -> memoryview:
    """Return a writable copy of a column, in large memory pages where it is large and the system has them."""
    size = column.page_count * column.page_bytes
    if size < HUGE_FROM_BYTES or not hasattr(mmap, "MADV_HUGEPAGE"):
        return memoryview(column.flat())
    memory = mmap.mmap(-1, size, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    memory.madvise(mmap.MADV_HUGEPAGE)
    memory.write(b"".join(column.pages))
    return memoryview(memory)
