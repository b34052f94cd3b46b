"""A bad image stops early: too many of those upgraded have turned out bad (semantics 7, point 1)."""

from __future__ import annotations

from typing import ClassVar, Literal

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class UpgradedGate:
    """Rule: `100 * bad > max_unhealthy_upgraded_percent * attempted` between batches faults the attempt.

    `bad` counts those restored, though they are healthy again: else a bad image walks through the fleet one rollback
    at a time. `unhealthy_upgraded_of` says of what the percentage is: those attempted, or the whole set.
    """

    name: ClassVar = "upgraded-gate"
    reasons: ClassVar = ("upgraded-unhealthy",)
    promises: ClassVar = (Promise.NOT_AFTER_THE_END, Promise.STOPPED_FOR_A_REASON)

    max_unhealthy_upgraded_percent: int = 20
    unhealthy_upgraded_of: Literal["upgraded", "set"] = "upgraded"

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Set the limit."""
        return evolve(
            rules,
            has_upgraded_gate=True,
            max_unhealthy_upgraded_percent=self.max_unhealthy_upgraded_percent,
            unhealthy_upgraded_of=self.unhealthy_upgraded_of,
        )
