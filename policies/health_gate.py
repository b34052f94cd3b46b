"""No batch starts while too much of the set is not healthy, for whatever reason (semantics 7, point 2)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class HealthGate:
    """Rule: `100 * unhealthy > max_unhealthy_percent * total` when a batch could otherwise start faults the attempt."""

    name: ClassVar = "health-gate"
    reasons: ClassVar = ("set-unhealthy",)
    promises: ClassVar = (Promise.HEALTHY_ENOUGH, Promise.STOPPED_FOR_A_REASON)

    max_unhealthy_percent: int = 20

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Set the limit."""
        return evolve(rules, has_health_gate=True, max_unhealthy_percent=self.max_unhealthy_percent)
