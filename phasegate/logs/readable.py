"""What the simulated environment asks the engine: who an instance is, and how it is."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from typing import Protocol

from phasegate.core.lifecycle import Life
from phasegate.core.state import State


class Readable(Protocol):
    """The part of the engine that reads a state."""

    def ids(self, state: State, slots: Sequence[int]) -> list[str]:
        """Return the ids of the instances, in their order."""
        ...

    def members(self, state: State, name: str) -> array[int]:
        """Return the slots of all instances of a set, in order."""
        ...

    def life(self, state: State, slot: int) -> Life:
        """Return an instance's state."""
        ...

    def version(self, state: State, slot: int) -> str | None:
        """Return an instance's installed version, None if unknown."""
        ...
