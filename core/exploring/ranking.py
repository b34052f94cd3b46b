"""Why an exploration can tell that every run ends: a number that falls with every act.

Each state has a rank. If every act that changes the state lowers it, no run goes on for ever, and a run ends only
where nothing that cannot be put off is left to happen (`acts.FAIR`); so it is enough to look at those ends (liveness 13
to 15 of semantics 11). Nothing is taken for granted: the explorer compares the ranks at both ends of every edge.
Edges that do not fall (a window opens and closes again, a budget without bound) are counted; if there are any, runs
without end are looked for in the explored graph itself (`lassos`).

What weighs most first: what the environment has left to spend; how far instances have come in their lives; phases to
come; attempts that have not ended; delays, pauses and bakes that are armed.
"""

from __future__ import annotations

from typing import Final

from phasegate.core.lifecycle import Life

PURSE: Final = 10**10  # one act that costs
LIFE: Final = 160_000  # one step in the life of an instance
WIRE: Final = 40_000  # one step of a command on its way
HEALTH: Final = 10_000  # unhealthy or unknown 1, initializing 2
PHASE: Final = 500  # one phase to come
ATTEMPT: Final = 4  # an attempt that has not ended
ARMED: Final = 1  # a delay, a pause between batches, a bake, a paused or a running rollout

LIVES: Final[dict[Life, int]] = {
    Life.CURRENT: 0,
    Life.EXCLUDED: 0,
    Life.PENDING: 5,
    Life.REPLACING: 4,
    Life.CONFIGURING: 3,
    Life.VERIFYING: 2,
    Life.RESTORING: 1,
    Life.UPGRADED: 0,
    Life.RESTORED: 0,
    Life.FAILED: 0,
    Life.GONE: 0,
}
HEALTHS: Final = (0, 1, 1, 2)
WIRES: Final = (2, 1, 0, 2)  # recorded, issued, executed, unsure
