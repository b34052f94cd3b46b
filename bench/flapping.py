"""Few changes, again and again: the input of every benchmark of a step."""

from __future__ import annotations

from typing import Any, Final

import phasegate as pg

FEW: Final = 100


def spread(state: pg.State, count: int) -> range:
    """Return so many slots, evenly over the fleet."""
    return range(0, state.rows["instance"], max(1, state.rows["instance"] // count))[:count]


class Flapping:
    """Instances that turn from well to not, and back: each call is a step on the state of the call before."""

    def __init__(self, engine: pg.Engine, state: pg.State, slots: range) -> None:
        self.engine, self.state, self.slots = engine, state, slots
        self.bad = engine.counts(state)[1]

    def __call__(self) -> Any:
        """Let them turn, and select."""
        now = self.state.now + 1
        what = pg.What.UNHEALTHY if now % 2 else pg.What.HEALTHY
        self.state = self.engine.step(self.state, pg.Signals.of(what, self.slots, now)).state
        return self.engine.select(self.state)

    def check(self) -> None:
        """Go there and back, and see that both came about."""
        for _ in range(2):
            self()
            away = self.state.now % 2
            assert self.engine.counts(self.state)[1] - self.bad == (len(self.slots) if away else 0)
