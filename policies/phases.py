"""Regions go in phases; the next opens only when the one before has succeeded (semantics 5)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Phases:
    """Rule: an automatic rollout of a platform image opens one phase after the other, each after the last succeeded."""

    name: ClassVar = "phases"
    reasons: ClassVar = ("phase-not-open",)
    promises: ClassVar = (Promise.PHASES_IN_ORDER, Promise.STOPPED_FOR_A_REASON)

    phase_failure_percent: int = 0
    phase_bake_ms: int = 0

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Ask for phases: the fleet's own, or else the default plan."""
        return evolve(
            rules,
            has_phases=True,
            phases=fleet.phases,
            phase_failure_percent=self.phase_failure_percent,
            phase_bake_ms=self.phase_bake_ms,
        )
