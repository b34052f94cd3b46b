"""How many bytes an instance takes: in a state, and in the engine's workplace."""

from __future__ import annotations

import sys
from typing import Any, Final

import pytest

import phasegate as pg
from phasegate.bench.begun import Begun
from phasegate.bench.figures import OURS, note
from phasegate.core.columns import COLUMNS

BLOCK_BYTES: Final = 16
REFERENCE_BYTES: Final = 8


def bytes_of(state: pg.State, roles: tuple[str, ...]) -> int:
    """Return what the state takes in the columns of those roles: its pages and the references to them.

    A page is an object with a head, in a block whose size the allocator rounds up. It counts once however often it is
    shared, as states and the places of one column do where they are alike.
    """
    count = sum(paged.page_count for column, paged in zip(COLUMNS, state.columns, strict=True) if column.role in roles)
    pages = {
        id(page): page
        for column, paged in zip(COLUMNS, state.columns, strict=True)
        if column.role in roles
        for page in map(paged.page, range(paged.page_count))
    }
    blocks = (-(-sys.getsizeof(page) // BLOCK_BYTES) * BLOCK_BYTES for page in pages.values())
    return sum(blocks) + REFERENCE_BYTES * count


@pytest.mark.fleets(least=10_000)
def test_state(benchmark: Any, begun: Begun) -> None:
    """A state midway, when every column that can be different from row to row is."""
    state = begun.midway
    rows = sum(column.row_bytes for column in COLUMNS if column.table == "instance" and column.role != "identity")
    facts, identity = bytes_of(state, ("fact", "timing")), bytes_of(state, ("identity",))
    assert facts > 0
    numbers = {"facts_bytes": facts, "identity_bytes": identity, "row_bytes": rows}
    note(benchmark, "count the bytes of a state", OURS, begun.scale.shape, begun.scale.instances, **numbers)
    benchmark.pedantic(bytes_of, (state, ("fact", "timing")), rounds=1)
