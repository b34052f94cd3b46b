"""How many bytes an instance takes: in a state, and in the engine's workplace."""

from __future__ import annotations

from typing import Any

import pytest

import phasegate as pg
from phasegate.bench.begun import Begun
from phasegate.bench.figures import OURS, note
from phasegate.core.columns import COLUMNS


def bytes_of(state: pg.State, roles: tuple[str, ...]) -> int:
    """Return what the state's pages take in the columns of those roles, each page once however often it is shared."""
    pages = {
        id(page): page
        for column, paged in zip(COLUMNS, state.columns, strict=True)
        if column.role in roles
        for page in map(paged.page, range(paged.page_count))
    }
    return sum(map(len, pages.values()))


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
