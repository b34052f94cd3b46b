"""Cells that the fleet's owner keeps apart, for a reason that no region or zone tells (semantics 6)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Conflicts:
    """Rule: the fleet's own `conflicts` are edges of the conflict graph like any other."""

    name: ClassVar = "conflicts"
    reasons: ClassVar = ("cell-busy",)
    promises: ClassVar = (Promise.CELLS_APART,)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Add the fleet's conflicts."""
        return evolve(rules, edges=rules.edges + tuple((one, other, "user") for one, other in fleet.conflicts))
