"""What questions about a state cost: why an instance waits, how far everything is, whether a batch is legal."""

from __future__ import annotations

from typing import Any

import pytest

import phasegate as pg
from phasegate.bench.begun import Begun
from phasegate.bench.figures import OURS, note


@pytest.mark.fleets
def test_explain(benchmark: Any, begun: Begun) -> None:
    """One instance of the last set: its region's pair is at work, its cell is busy, or its batch is under way."""
    name = f"{begun.engine.compiled.directory.sets[-1]}/0"
    explanation = begun.engine.explain(begun.started, name)
    slot = begun.engine.slots(begun.started, [name])[0]
    assert begun.engine.life(begun.started, slot) is not pg.Life.PENDING or explanation.reasons
    note(benchmark, "explain an instance", OURS, begun.scale.shape, begun.scale.instances)
    benchmark(begun.engine.explain, begun.started, name)


@pytest.mark.fleets(least=10_000)
def test_check(benchmark: Any, begun: Begun) -> None:
    """A batch that is legal: everything has to be looked at before one can say so."""
    batch = begun.engine.select(begun.state)[0]
    assert begun.engine.check(begun.state, batch)
    note(benchmark, "check a batch", OURS, begun.scale.shape, begun.scale.instances)
    benchmark(begun.engine.check, begun.state, batch)


@pytest.mark.fleets(most=1_000_000)
def test_progress(benchmark: Any, begun: Begun) -> None:
    """The counts of everything, as plain data: a row a set, so it must follow their number."""
    counts = begun.engine.progress(begun.started)["rollouts"][0]["counts"]
    assert counts["eligible"] == begun.scale.instances
    note(benchmark, "progress of everything", OURS, begun.scale.shape, begun.scale.instances)
    benchmark.pedantic(begun.engine.progress, (begun.started,), rounds=3)


@pytest.mark.fleets(most=1_000_000)
def test_begin(benchmark: Any, begun: Begun) -> None:
    """From the fleet in memory to the first state: compiling it, and a rollout of every set."""
    again = Begun.of(begun.scale)
    assert again.state == begun.state
    note(benchmark, "compile a fleet and begin", OURS, begun.scale.shape, begun.scale.instances)
    benchmark.pedantic(Begun.of, (begun.scale,), rounds=2)
