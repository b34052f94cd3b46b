"""Instances with a phase ordering number go in its order, all of one number before the next (semantics 7)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class PhaseOrder:
    """Rule: candidates have the lowest number among the set's pending ones; without a number comes last."""

    name: ClassVar = "phase-order"
    reasons: ClassVar = ("phase-order-later",)
    promises: ClassVar = (Promise.LOWER_NUMBERS_FIRST,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Keep the numbers apart."""
        return evolve(rules, by_phase_order=True)
