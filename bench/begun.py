"""A rollout that has begun, on a seeded fleet: what most benchmarks start from."""

from __future__ import annotations

from functools import cached_property
from typing import Any

from attrs import frozen

import phasegate as pg
from phasegate.bench.fleets import IMAGE, a_fleet
from phasegate.core.facts import BatchStarted


@frozen
class Scale:
    """Which fleet."""

    shape: str
    instances: int

    def __str__(self) -> str:
        return f"{self.shape} {self.instances:.0e}".replace("e+0", "e")


@frozen(eq=False, slots=False)
class Begun:
    """An engine over the fleet, and the state in which a manual rollout of every set has begun but started nothing.

    A manual one, because it opens every region at once: the most that a selection can be asked to decide.
    """

    scale: Scale
    fleet: pg.Fleet
    engine: pg.Engine
    state: pg.State

    @classmethod
    def of(cls, scale: Scale, kernel: Any = None) -> Begun:
        """Make the fleet and begin."""
        fleet = a_fleet(scale.instances, scale.shape)
        engine = pg.Engine(fleet, pg.policies.availability_first(), kernel=kernel)
        state = engine.start(IMAGE.name, sets=[some.full_name for some in fleet.sets], now=0)
        return cls(scale, fleet, engine, state)

    @cached_property
    def started(self) -> pg.State:
        """The state after every batch that may start has started."""
        engine = self.engine
        state = engine.step(self.state, pg.Start(engine.select(self.state), 0)).state
        assert engine.select(state) == ()
        return state

    @cached_property
    def midway(self) -> pg.State:
        """The state after the first batches, of which every hundredth instance failed: cells held, gates near."""
        engine = self.engine
        step = engine.step(self.state, pg.Start(engine.select(self.state), 0))
        attempt = next((commands.attempt for commands in step.commands), 1)
        slots = [slot for fact in step.facts if isinstance(fact, BatchStarted) for slot in fact.slots]
        state = step.state
        for now, what, do in (
            (60_000, pg.What.DISK_REPLACED, pg.Do.REPLACE),
            (80_000, pg.What.CONFIGURED, pg.Do.CONFIGURE),
        ):
            state = engine.step(state, pg.Signals.of(what, slots, now, attempt=attempt, answers=do)).state
        well = [slot for slot in slots if slot % 100]
        state = engine.step(state, pg.Signals.of(pg.What.HEALTHY, well, 110_000)).state
        return engine.step(state, pg.Tick(400_000)).state

    @cached_property
    def shaken(self) -> pg.State:
        """The state in which, set by set, none or a third of the instances have been reported unhealthy."""
        slots = [slot for slot in range(0, self.state.rows["instance"], 3) if slot // 500 % 2]
        return self.engine.step(self.started, pg.Signals.of(pg.What.UNHEALTHY, slots, 1)).state


def full_selection(engine: pg.Engine, state: pg.State) -> Any:
    """Return a function that selects over the whole fleet as if nothing were remembered, and returns the raw picks.

    What it leaves out is what `engine.select` adds: names, and a tuple of Python integers a batch.
    """
    work = engine._work
    work.take_up(state)
    kernel = work.kernel

    def select() -> Any:
        kernel.refresh()
        return kernel.walk()[0]

    return select
