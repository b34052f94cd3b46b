"""Few changes, again and again: the input of every benchmark of a step."""

from __future__ import annotations

from array import array
from random import Random
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


class Wandering:
    """Others in each step: half of them turn from well to not, and those of the step before turn back.

    All anywhere in the fleet, drawn with a seed before anything is timed. After `TURNS` steps the first come again.
    """

    TURNS: Final = 2048

    def __init__(self, engine: pg.Engine, state: pg.State, changed: int) -> None:
        self.engine, self.state = engine, state
        self.bad = engine.counts(state)[1]
        half, rows = changed // 2, state.rows["instance"]
        drawn = array("I", Random(rows).sample(range(rows), min(rows // half, self.TURNS) * half))
        turns = [drawn[at : at + half] for at in range(0, len(drawn), half)]
        self.slots = [turn + turns[at - 1] for at, turn in enumerate(turns)]
        self.what = bytes([pg.What.UNHEALTHY]) * half + bytes([pg.What.HEALTHY]) * half
        self.none = array("I", [0]) * len(self.what), bytes(len(self.what))  # no command, of no attempt, is answered
        self.turn = 0

    def __call__(self) -> Any:
        """Let the next ones turn, and select."""
        now = self.state.now + 1
        slots = self.slots[self.turn % len(self.slots)]
        event = pg.Signals(slots, self.what, array("q", [now]) * len(slots), *self.none, now)
        self.state = self.engine.step(self.state, event).state
        self.turn += 1
        return self.engine.select(self.state)

    def check(self) -> None:
        """Go on twice, and see that half of them are not well each time: those of the last step."""
        for _ in range(2):
            self()
            assert self.engine.counts(self.state)[1] - self.bad == len(self.what) // 2
