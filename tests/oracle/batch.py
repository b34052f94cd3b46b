"""A batch that a log says has started, with everything that the rules about it look at."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import define

from .court import Attempt, Court, Rollout
from .fleet_document import Instance, ScaleSet

Breaches = Iterator[tuple[str, str]]


@define
class Batch:
    """A batch that the log says has started, and all that its rules look at."""

    court: Court
    rollout: Rollout
    attempt: Attempt
    scale_set: ScaleSet
    cells: list[str]
    domain: int
    instances: list[Instance]
    t: int

    def limit(self, name: str) -> Any:
        """Return a limit that holds for the set."""
        return self.rollout.limit(self.scale_set, name)

    @property
    def crosses(self) -> bool:
        """Whether zones do not matter to the set."""
        return bool(self.limit("enable_cross_zone"))
