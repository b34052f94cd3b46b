"""Typed views of a workspace's flat columns, for everything in plain Python that reads or writes them."""

from __future__ import annotations

from phasegate.core import codes as c
from phasegate.core.codes import SITE, SITE_CELL, SITE_SET, WROTE_ALL, WROTE_ORDER
from phasegate.core.columns import COLUMNS, MARKS_FAN, PAGE_ROWS, Table
from phasegate.core.lifecycle import Life
from phasegate.core.workspace import Workspace

Numbers = memoryview  # of integers, in the column's own type


def observed_in(column: Numbers, slot: int) -> int:
    """Return a time out of the `observed` column: when the last health report was observed, -1 for never."""
    low, middle, high = column[slot * c.OBSERVED : (slot + 1) * c.OBSERVED]
    return int(low | middle << 16 | high << 32) - 1


class Views:
    """One attribute a column, by its name; and the marks that say which rows were written."""

    life: Numbers
    flag: Numbers
    version: Numbers
    failed: Numbers
    bucket: Numbers
    ident: Numbers
    observed: Numbers
    deadline: Numbers
    order: Numbers
    site: Numbers
    wait: Numbers
    begun: Numbers
    status: Numbers
    mark: Numbers
    option: Numbers
    code: Numbers
    percent: Numbers
    tally: Numbers
    link: Numbers
    clock: Numbers
    holds: Numbers
    working: Numbers
    used: Numbers
    course: Numbers
    trait: Numbers
    plan: Numbers
    dial: Numbers
    sums: Numbers

    def __init__(self, workspace: Workspace) -> None:
        for column in COLUMNS:
            setattr(self, column.name, memoryview(workspace.flat[column.name]).cast(column.typecode))
        self.dirty = {table: memoryview(marks) for table, marks in workspace.dirty.items()}
        self.pages = {
            column.table: -(-len(workspace.flat[column.name]) // column.page_bytes)
            for column in COLUMNS
            if column.table in self.dirty
        }

    def touch_slot(self, slot: int, columns: int = WROTE_ALL) -> None:
        """Mark these columns of an instance's row as written."""
        self._mark("instance", slot, columns)

    def touch_order(self, first: int, count: int) -> None:
        """Mark a run of `order` as written."""
        for row in range(first - first % PAGE_ROWS["order"], first + count, PAGE_ROWS["order"]):
            self._mark("order", row, WROTE_ORDER)

    def touch_bucket(self, bucket: int, columns: int = WROTE_ALL) -> None:
        """Mark these columns of a bucket's row as written."""
        self._mark("bucket", bucket, columns)

    def touch_set(self, s: int, columns: int = WROTE_ALL) -> None:
        """Mark these columns of a set's row as written."""
        self._mark("set", s, columns)

    def _mark(self, table: Table, row: int, columns: int) -> None:
        page = row // PAGE_ROWS[table]
        marks = self.dirty[table]
        marks[page] |= columns
        marks[self.pages[table] + page // MARKS_FAN] = 1

    def set_of(self, slot: int) -> int:
        """Return the set of an instance."""
        return int(self.site[self.bucket[slot] * SITE + SITE_SET])

    def installed(self, slot: int) -> int:
        """Return the version that is on an instance, 0 if nobody knows (semantics 8).

        While it is in flight its own column keeps what a restore brings back. Its set's target is on it instead from
        *disk replaced* until *disk restored*; what came into `restoring` that way has a bit for it.
        """
        life = self.life[slot] & c.STATE_BITS
        is_swapped = life == Life.RESTORING and self.flag[slot] & c.SWAPPED
        if is_swapped or life in (Life.CONFIGURING, Life.VERIFYING):
            return int(self.link[self.set_of(slot) * c.LINK + c.LINK_TARGET])
        return int(self.version[slot])

    def observed_at(self, slot: int) -> int:
        """Return when the instance's last health report was observed, -1 for never."""
        return observed_in(self.observed, slot)

    def observe(self, slot: int, time: int) -> None:
        """Set when the instance's last health report was observed."""
        row = slot * c.OBSERVED
        for at in range(c.OBSERVED):
            self.observed[row + at] = time + 1 >> 16 * at & 0xFFFF

    def cell_of(self, slot: int) -> int:
        """Return the cell of an instance."""
        return int(self.site[self.bucket[slot] * SITE + SITE_CELL])
