"""Typed views of a workspace's flat columns, for everything in plain Python that reads or writes them."""

from __future__ import annotations

from phasegate.core.codes import SITE, SITE_CELL, SITE_SET, WROTE_ALL, WROTE_ORDER
from phasegate.core.columns import COLUMNS, PAGE_ROWS
from phasegate.core.workspace import Workspace

Numbers = memoryview  # of integers, in the column's own type


class Views:
    """One attribute a column, by its name; and the marks that say which rows were written."""

    life: Numbers
    flag: Numbers
    version: Numbers
    previous: Numbers
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
        self.dirty_slots = memoryview(workspace.dirty["instance"])
        self.dirty_order = memoryview(workspace.dirty["order"])
        self.dirty_buckets = memoryview(workspace.dirty["bucket"])
        self.dirty_sets = memoryview(workspace.dirty["set"])

    def touch_slot(self, slot: int, columns: int = WROTE_ALL) -> None:
        """Mark these columns of an instance's row as written."""
        self.dirty_slots[slot // PAGE_ROWS["instance"]] |= columns

    def touch_order(self, first: int, count: int) -> None:
        """Mark a run of `order` as written."""
        for page in range(first // PAGE_ROWS["order"], -(-(first + count) // PAGE_ROWS["order"])):
            self.dirty_order[page] |= WROTE_ORDER

    def touch_bucket(self, bucket: int, columns: int = WROTE_ALL) -> None:
        """Mark these columns of a bucket's row as written."""
        self.dirty_buckets[bucket // PAGE_ROWS["bucket"]] |= columns

    def touch_set(self, s: int, columns: int = WROTE_ALL) -> None:
        """Mark these columns of a set's row as written."""
        self.dirty_sets[s // PAGE_ROWS["set"]] |= columns

    def set_of(self, slot: int) -> int:
        """Return the set of an instance."""
        return int(self.site[self.bucket[slot] * SITE + SITE_SET])

    def cell_of(self, slot: int) -> int:
        """Return the cell of an instance."""
        return int(self.site[self.bucket[slot] * SITE + SITE_CELL])
