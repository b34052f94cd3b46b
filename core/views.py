"""Typed views of a workspace's flat columns, for everything in plain Python that reads or writes them."""

from __future__ import annotations

from phasegate.core.codes import SITE, SITE_CELL, SITE_SET
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

    def touch_slot(self, slot: int) -> None:
        """Mark the row of an instance as written."""
        self.dirty_slots[slot // PAGE_ROWS["instance"]] = 1

    def touch_order(self, first: int, count: int) -> None:
        """Mark a run of `order` as written."""
        for page in range(first // PAGE_ROWS["order"], -(-(first + count) // PAGE_ROWS["order"])):
            self.dirty_order[page] = 1

    def touch_bucket(self, bucket: int) -> None:
        """Mark the row of a bucket as written."""
        self.dirty_buckets[bucket // PAGE_ROWS["bucket"]] = 1

    def touch_set(self, s: int) -> None:
        """Mark the row of a set as written."""
        self.dirty_sets[s // PAGE_ROWS["set"]] = 1

    def set_of(self, slot: int) -> int:
        """Return the set of an instance."""
        return int(self.site[self.bucket[slot] * SITE + SITE_SET])

    def cell_of(self, slot: int) -> int:
        """Return the cell of an instance."""
        return int(self.site[self.bucket[slot] * SITE + SITE_CELL])
