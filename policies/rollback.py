"""An instance that does not come back healthy in time gets its old disk back (semantics 8)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Rollback:
    """Rule: past its deadline an instance is restored, unless switched off; never in a manual rollout."""

    name: ClassVar = "rollback"
    reasons: ClassVar = ()
    promises: ClassVar = (Promise.PROMOTED_BY_HEALTH, Promise.OWN_DISK_BACK, Promise.MANUAL_NEVER_RESTORES)

    disable_automatic_rollback: bool = False
    health_timeout_ms: int = 5 * 60_000
    step_timeout_ms: int = 90 * 60_000

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Switch it on, and set the deadlines."""
        return evolve(
            rules,
            has_rollback=not self.disable_automatic_rollback,
            health_timeout_ms=self.health_timeout_ms,
            step_timeout_ms=self.step_timeout_ms,
        )
