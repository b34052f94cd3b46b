"""Two zones of a region are never touched at once (semantics 6)."""

from __future__ import annotations

from itertools import combinations
from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules
from phasegate.core.topology import cells_of


@frozen
class Zones:
    """Rule: the cells of one region conflict with one another, the zoneless one too: its VMs may be in any zone."""

    name: ClassVar = "zones"
    reasons: ClassVar = ("cell-busy",)
    promises: ClassVar = (Promise.CELLS_APART,)

    enable_cross_zone: bool = False

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Add an edge between any two cells of one region; a set with `enable_cross_zone` is out of the rule."""
        edges = tuple(
            (one, other, "zoneless" if other.endswith("/-") else "zones")
            for region in fleet.regions
            for one, other in combinations(cells_of(region), 2)
        )
        return evolve(rules, edges=rules.edges + edges, enable_cross_zone=self.enable_cross_zone)
