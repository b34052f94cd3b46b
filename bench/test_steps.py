"""What a step costs: reports about few instances and the selection after them, reports about everybody, sharing.

A step must cost what changed, not what exists. So most of these are run over five orders of magnitude, and the
fitted exponent is a goal.
"""

from __future__ import annotations

from typing import Any

import pytest

import phasegate as pg
from phasegate.bench.begun import Begun, Scale
from phasegate.bench.figures import OURS, note
from phasegate.bench.flapping import FEW, Flapping, Wandering, spread
from phasegate.core.twin import Kernel as Twin

PATH = "step and selection after few changes"
THE_SAME = "step and selection after few changes, the same each time"


@pytest.mark.fleets
def test_hundred_changes(benchmark: Any, begun: Begun) -> None:
    """A hundred health reports anywhere, about others in each step, in a fleet that is at work as much as it may.

    So in a large fleet nothing of what a step touches is in a cache from the step before.
    """
    wander = Wandering(begun.engine, begun.started, FEW)
    wander.check()
    note(benchmark, PATH, OURS, begun.scale.shape, begun.scale.instances, changed=FEW)
    benchmark(wander)


@pytest.mark.fleets
def test_the_same_hundred(benchmark: Any, begun: Begun) -> None:
    """The same hundred each time: what is left once the memory need not be waited for."""
    flap = Flapping(begun.engine, begun.started, spread(begun.started, FEW))
    flap.check()
    note(benchmark, THE_SAME, OURS, begun.scale.shape, begun.scale.instances, changed=FEW)
    benchmark(flap)


@pytest.mark.fleets(least=1_000_000, most=1_000_000)
@pytest.mark.fleets(least=10_000, most=10_000)
@pytest.mark.parametrize("changed", [1, 10, 1_000, 10_000])
def test_more_or_fewer_changes(benchmark: Any, begun: Begun, changed: int) -> None:
    """One size of fleet, more and more changes: the cost follows these."""
    flap = Flapping(begun.engine, begun.started, spread(begun.started, changed))
    flap.check()
    note(benchmark, PATH, OURS, begun.scale.shape, begun.scale.instances, changed=changed)
    benchmark(flap)


@pytest.mark.fleets(least=10_000, most=100_000)
def test_hundred_changes_by_the_twin(benchmark: Any, scale: Scale) -> None:
    """A hundred elsewhere in plain Python."""
    begun = Begun.of(scale, kernel=Twin)
    wander = Wandering(begun.engine, begun.started, FEW)
    wander.check()
    note(benchmark, PATH, "plain twin", scale.shape, scale.instances, changed=FEW)
    benchmark(wander)


@pytest.mark.fleets(most=1_000_000)
def test_bulk_signals(benchmark: Any, begun: Begun) -> None:
    """One event with a report about every instance there is: what a health source sends after a night's outage."""
    engine, state = begun.engine, begun.started
    event = pg.Signals.of(pg.What.UNHEALTHY, range(state.rows["instance"]), 1)
    assert engine.counts(engine.step(state, event).state)[1] == state.rows["instance"]

    def step() -> Any:
        return engine.step(state, event)

    note(benchmark, "bulk signals", OURS, begun.scale.shape, begun.scale.instances)
    benchmark.pedantic(step, rounds=3, warmup_rounds=1)


@pytest.mark.fleets
def test_sharing(benchmark: Any, begun: Begun) -> None:
    """Another state than the last is taken up, and back: the pages in which the two differ are copied, no more."""
    engine, one = begun.engine, begun.started
    other = engine.step(one, pg.Signals.of(pg.What.UNHEALTHY, spread(one, FEW), one.now + 1)).state
    differing = sum(len(list(a.differing(b))) for a, b in zip(one.columns, other.columns, strict=True))
    assert 0 < differing <= 8 * FEW
    bad = [engine.counts(state)[1] for state in (one, other)]
    assert bad[1] - bad[0] == FEW

    def there_and_back() -> Any:
        engine.counts(other)
        return engine.counts(one)

    note(benchmark, "go to another state and back", OURS, begun.scale.shape, begun.scale.instances, pages=differing)
    benchmark(there_and_back)


@pytest.mark.fleets
def test_digest(benchmark: Any, begun: Begun) -> None:
    """A hundred changes and the digest of the state after them, which is kept up page by page."""
    engine = begun.engine
    flap = Flapping(engine, begun.started, spread(begun.started, FEW))
    flap.check()
    before = flap.state.digest

    def step() -> str:
        flap()
        return flap.state.digest

    assert step() != before
    note(benchmark, "step, selection and digest", OURS, begun.scale.shape, begun.scale.instances, changed=FEW)
    benchmark(step)
