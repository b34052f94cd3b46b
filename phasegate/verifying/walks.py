"""Random walks through a scenario: a sample of its runs, never a proof.

Each walk begins at the first state and takes one possible act after the other, each as likely as any, until nothing is
left to happen or it has gone on for long enough; equal seeds give equal walks. For what is too large to be explored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from random import Random
from typing import Any, Final

from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.twin import Move, Violation
from phasegate.verifying.explorers import Explorer

BYTES_A_STATE: Final = 1024
STEPS_MAX: Final = 1000  # of one walk: where a budget is without bound a walk need not end by itself


class Walker:
    """Walks on an explorer without symmetry, and has its face; `states` are those that it has met, in that order."""

    order = "random"
    is_symmetric = False
    frontier = 0
    rising = 0

    def __init__(self, explorer: Explorer, seed: int) -> None:
        self.explorer = explorer
        self.subject, self.open, self.group = explorer.subject, explorer.open, explorer.group
        self.is_compiled = explorer.is_compiled
        self.first = explorer.first
        self.depth = self.transitions = self.walks = 0
        self.taken: Counter[Any] = Counter()
        self.violation: Violation | None = None
        self._chance = Random(seed)
        self._keys = [self.first]
        self._numbers = {self.first: 0}
        self._parents: list[tuple[int, Move | None]] = [(-1, None)]
        self._at, self._steps = 0, 0

    def run(self, states_max: int) -> str:
        """Take so many steps; return `more` or `violated`."""
        for _ in range(states_max):
            successors = self.explorer.successors(self._keys[self._at]) if self._steps < STEPS_MAX else []
            if not successors:
                self.walks += 1
                self._at = self._steps = 0
                continue
            broken = [one for one in successors if one.broken]
            chosen = self._chance.choice(broken or successors)
            self.transitions += 1
            self.taken[chosen.move[0]] += 1
            if chosen.broken:
                self.violation = Violation(Promise(chosen.broken), self._at, chosen.move)
                return "violated"
            self._steps += 1
            self.depth = max(self.depth, self._steps)
            number = self._numbers.setdefault(chosen.key, len(self._keys))
            if number == len(self._keys):
                self._keys.append(chosen.key)
                self._parents.append((self._at, chosen.move))
            self._at = number
        return "more"

    @property
    def states(self) -> int:
        """How many states it has met."""
        return len(self._keys)

    @property
    def bytes_used(self) -> int:
        """About how many bytes the states that it has met take."""
        return self.states * BYTES_A_STATE

    @property
    def became(self) -> Mapping[Any, int]:
        """How lives went on, as the explorer counts it."""
        return self.explorer.became

    @property
    def ended(self) -> Mapping[Any, int]:
        """How attempts ended, as the explorer counts it."""
        return self.explorer.ended

    @property
    def standing(self) -> Mapping[Any, int]:
        """What stood in the way, as the explorer counts it."""
        return self.explorer.standing

    @property
    def left(self) -> Sequence[int]:
        """What the environment has left in the state that is laid open."""
        return self.explorer.left

    @property
    def happened(self) -> int:
        """Which of the scenario's events have happened in the state that is laid open."""
        return self.explorer.happened

    @property
    def v(self) -> Any:
        """The columns of the state that is laid open."""
        return self.open.v

    def key_of(self, number: int) -> Any:
        """Return a state's key."""
        return self._keys[number]

    def write(self, key: Any) -> None:
        """Lay a key open."""
        self.explorer.write(key)

    def successors(self, key: Any) -> list[Any]:
        """Return what each possible act leads to."""
        return self.explorer.successors(key)

    def path(self, number: int) -> list[int]:
        """Return the states from the first one to that one, as they were met."""
        found = [number]
        while self._parents[found[-1]][0] >= 0:
            found.append(self._parents[found[-1]][0])
        return found[::-1]

    def trace(self, number: int) -> list[Move]:
        """Return the acts that lead there."""
        moves = (self._parents[at][1] for at in self.path(number))
        return [move for move in moves if move is not None]
