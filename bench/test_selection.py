"""What one decision costs: selection over a whole fleet, and a step with the selection after it.

Each benchmark asserts its result before it is timed. The wide fleet has sets of all sizes in all regions, so that
phases, zones and batch bounds all have a say; the manual rollout opens every region at once, the most that selection
can be asked to do. Run with `pytest bench --benchmark-only`.
"""

from __future__ import annotations

from typing import Any

import pytest
from fleets import IMAGE, a_fleet

import phasegate as pg
from phasegate.core.kernels import default_kernel
from phasegate.core.twin import Kernel as Twin

KERNELS = {"compiled": default_kernel(), "twin": Twin}


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("instances", [10_000, 100_000])
def test_full_selection(benchmark: Any, kernel: str, instances: int) -> None:
    """Select over every set of the fleet, nothing remembered from before."""
    fleet = a_fleet(instances)
    engine = pg.Engine(fleet, pg.policies.availability_first(), kernel=KERNELS[kernel])
    sets = [some.full_name for some in fleet.sets]
    state = engine.start(IMAGE.name, sets=sets, now=0)
    picks = engine.select(state)
    after = engine.step(state, pg.Start(picks, 0)).state
    assert engine.select(after) == ()
    work = engine._work  # what is timed is the kernel's walk, without names being put to its picks

    def select() -> Any:
        work.take_up(state)
        work.kernel.refresh()
        return work.kernel.walk()

    assert len(select()[0]) == len(picks)
    benchmark(select)


@pytest.mark.parametrize("kernel", KERNELS)
@pytest.mark.parametrize("instances", [10_000, 100_000, 1_000_000])
def test_step_and_selection_after_few_changes(benchmark: Any, kernel: str, instances: int) -> None:
    """A hundred health reports anywhere, then the selection after them: the cost must not follow the fleet's size."""
    if kernel == "twin" and instances > 100_000:
        pytest.skip("the twin is for reading")
    engine = pg.Engine(a_fleet(instances), pg.policies.availability_first(), kernel=KERNELS[kernel])
    state = engine.start(IMAGE.name, now=0)
    state = engine.step(state, pg.Start(engine.select(state), 0)).state
    slots = range(0, state.rows["instance"], state.rows["instance"] // 100)
    states = [state]

    def change() -> Any:
        """Let them turn from well to not, and back, each state after the one before."""
        now = states[0].now + 1
        what = pg.What.UNHEALTHY if now % 2 else pg.What.HEALTHY
        states[0] = engine.step(states[0], pg.Signals.of(what, slots, now)).state
        return engine.select(states[0])

    change()
    assert engine.counts(states[0])[1] == len(slots)
    benchmark(change)
