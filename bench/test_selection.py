"""A full selection: which batches may start now, in a whole fleet, nothing remembered from before.

On the first states of a manual rollout, where every region is open and half of the fleet's sets can start something,
and midway, where cells are held and gates have something to count. Every peer is held to the same batches.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from phasegate.bench.begun import Begun, Scale, full_selection
from phasegate.bench.figures import OURS, note
from phasegate.bench.peers import networkx_cells, numpy_selection, polars_gates
from phasegate.core import codes as c
from phasegate.core.twin import Kernel as Twin

PATH = "full selection"
GATES = "gates of every set"


def told(picks: Any) -> list[tuple[int, list[int]]]:
    """Return picks as sets and slots, by set."""
    return sorted((s, list(slots)) for s, _, slots in picks)


def same(picks: Any, found: Any) -> bool:
    """Whether numpy's batches are the engine's."""
    sets, slots, ends = found
    batches = np.split(slots, ends[:-1]) if len(ends) else []
    return told(picks) == sorted((int(s), batch.tolist()) for s, batch in zip(sets, batches, strict=True))


@pytest.mark.fleets
@pytest.mark.fleets(shapes="all", most=1_000_000)
def test_first_batches(benchmark: Any, begun: Begun) -> None:
    """Everything is pending: as many picks as there can be, so that writing them down counts too."""
    select = full_selection(begun.engine, begun.state)
    picks = select()
    layout, facts = numpy_selection.Layout.of(begun.engine, begun.state), numpy_selection.Facts.of(begun.state)
    assert picks
    assert same(picks, numpy_selection.select(layout, facts, numpy_selection.recounted(layout, facts)))
    note(benchmark, PATH, OURS, begun.scale.shape, begun.scale.instances, picks=len(picks))
    benchmark(select)


@pytest.mark.fleets
@pytest.mark.fleets(shapes="all", most=1_000_000)
@pytest.mark.parametrize("counted", [numpy_selection.recounted, numpy_selection.carried])
def test_first_batches_by_numpy(benchmark: Any, begun: Begun, counted: Any) -> None:
    """The same states for the same picks, counted anew and with the engine's own counters handed to it."""
    layout, facts = numpy_selection.Layout.of(begun.engine, begun.state), numpy_selection.Facts.of(begun.state)

    def select() -> Any:
        return numpy_selection.select(layout, facts, counted(layout, facts))

    assert same(full_selection(begun.engine, begun.state)(), select())
    by = "numpy" if counted is numpy_selection.recounted else "numpy, our counters"
    note(benchmark, PATH, by, begun.scale.shape, begun.scale.instances)
    benchmark(select)


@pytest.mark.fleets(least=10_000, most=1_000_000)
@pytest.mark.parametrize("by", [OURS, "numpy"])
def test_midway(benchmark: Any, begun: Begun, by: str) -> None:
    """Cells are held, one instance in a hundred has failed, batches shrink: numpy's short cut for plain runs is off."""
    state = begun.midway
    layout, facts = numpy_selection.Layout.of(begun.engine, state), numpy_selection.Facts.of(state)
    select = full_selection(begun.engine, state)

    def by_numpy() -> Any:
        return numpy_selection.select(layout, facts, numpy_selection.recounted(layout, facts))

    assert select()
    assert same(select(), by_numpy())
    note(benchmark, "full selection midway", by, begun.scale.shape, begun.scale.instances)
    benchmark(select if by == OURS else by_numpy)


@pytest.mark.fleets(most=100_000)
def test_by_the_twin(benchmark: Any, scale: Scale) -> None:
    """The same text in plain Python: what compiling it brings."""
    plain, compiled = Begun.of(scale, kernel=Twin), Begun.of(scale)
    select = full_selection(plain.engine, plain.state)
    assert told(select()) == told(full_selection(compiled.engine, compiled.state)())
    note(benchmark, PATH, "plain twin", scale.shape, scale.instances)
    benchmark(select)


@pytest.mark.fleets(least=10_000)
@pytest.mark.parametrize("by", ["numpy", "polars"])
def test_gates(benchmark: Any, begun: Begun, by: str) -> None:
    """The part of the work that is a group-by: both gates of every set, counted from the instances."""
    state = begun.shaken
    layout, facts = numpy_selection.Layout.of(begun.engine, state), numpy_selection.Facts.of(state)
    frame, limits = polars_gates.frame(state), polars_gates.limits(facts)
    full_selection(begun.engine, state)()
    bits = [begun.engine._work.kernel.gates(s) for s in range(len(facts.status))]
    wanted = [[bool(bit & one) for bit in bits] for one in (c.UPGRADED_UNHEALTHY, c.SET_UNHEALTHY)]

    def by_numpy() -> Any:
        return numpy_selection.gates(facts, numpy_selection.recounted(layout, facts))

    def by_polars() -> Any:
        return polars_gates.gates(frame, limits)

    assert 0 < sum(wanted[1]) < len(bits), "some gates are broken, some are not"
    assert [found.tolist() for found in by_numpy()] == wanted
    assert [found.tolist() for found in by_polars()] == wanted
    note(benchmark, GATES, by, begun.scale.shape, begun.scale.instances)
    benchmark(by_numpy if by == "numpy" else by_polars)


@pytest.mark.fleets(least=10_000, most=1_000_000)
@pytest.mark.parametrize("by", [OURS, "networkx"])
def test_may_a_cell_be_worked_on(benchmark: Any, begun: Begun, by: str) -> None:
    """The question of concurrency one by one, as a caller asks it: each in the cell of a set that waits."""
    engine, state = begun.engine, begun.started
    facts = numpy_selection.Facts.of(state)
    site = numpy_selection.column(state, "site").reshape(-1, c.SITE)[: state.rows["bucket"]]
    waits = facts.status[site[:, c.SITE_SET]] == c.WAITING
    asked = [(int(s), int(cell)) for s, cell in site[waits][:, [c.SITE_SET, c.SITE_CELL]][:10_000]]
    cells = engine.compiled.directory.cells
    busy = {name: bool(held) for name, held in zip(cells, facts.holds, strict=True)}
    names = [cells[cell] for _, cell in asked]
    full_selection(engine, state)()
    in_cell = engine._work.kernel.in_cell

    def ours() -> Any:
        return [in_cell(s, cell) & c.CELL_BUSY != 0 for s, cell in asked]

    def by_networkx() -> Any:
        return networkx_cells.disturbed(engine.topology.graph, busy, names)

    assert ours() == list(by_networkx())
    assert True in ours()
    note(benchmark, "may this cell be worked on", by, begun.scale.shape, begun.scale.instances, questions=len(asked))
    benchmark(ours if by == OURS else by_networkx)
