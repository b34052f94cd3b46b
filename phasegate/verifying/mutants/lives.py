"""Mutants: each entry of the life-cycle table taken out, or leading elsewhere."""

from __future__ import annotations

from typing import Final

from phasegate.core.lifecycle import IN_FLIGHT, TABLE, Happening, Life, __
from phasegate.verifying.mutants.mutant import Entry


def _taken_out() -> tuple[Entry, ...]:
    return tuple(
        Entry(happening, life)
        for happening, row in TABLE.items()
        for life, entry in zip(Life, row, strict=True)
        if entry != __
    )


ENTRIES: Final = (
    *_taken_out(),
    Entry(Happening.BATCH_STARTS, Life.PENDING, Life.CONFIGURING),
    Entry(Happening.DISK_REPLACED, Life.REPLACING, Life.UPGRADED),
    Entry(Happening.DISK_REPLACED, Life.REPLACING, Life.VERIFYING),
    Entry(Happening.CONFIGURED, Life.CONFIGURING, Life.UPGRADED),
    Entry(Happening.HEALTHY, Life.VERIFYING, Life.RESTORED),
    *(Entry(Happening.DEADLINE_PASSED, life, Life.UPGRADED) for life in IN_FLIGHT),
    *(Entry(Happening.DEADLINE_PASSED, life, Life.FAILED) for life in IN_FLIGHT[:3]),
    *(Entry(Happening.DEADLINE_PASSED, life, Life.RESTORED) for life in IN_FLIGHT[:3]),
    Entry(Happening.STEP_FAILED, Life.REPLACING, Life.FAILED),
    Entry(Happening.STEP_FAILED, Life.CONFIGURING, Life.FAILED),
    Entry(Happening.STEP_FAILED, Life.CONFIGURING, Life.VERIFYING),
    Entry(Happening.DISK_RESTORED, Life.RESTORING, Life.UPGRADED),
    Entry(Happening.DISK_RESTORED, Life.RESTORING, Life.FAILED),
    Entry(Happening.RESTORE_FAILED, Life.RESTORING, Life.RESTORED),
)
