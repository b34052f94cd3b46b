"""Paired regions are never at work at the same time, nor in one phase (semantics 5 and 6)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules
from phasegate.core.topology import cells_of, pair_graph


@frozen
class Pairs:
    """Rule: the pair relation, taken as its symmetric closure, keeps regions and all their cells apart."""

    name: ClassVar = "pairs"
    reasons: ClassVar = ("pair-at-work",)
    promises: ClassVar = (Promise.PAIRS_APART, Promise.CELLS_APART)

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Add the graph of pairs, and an edge from every cell of a region to every cell of its pair."""
        pairs = pair_graph(fleet)
        cells = {region.name: cells_of(region) for region in fleet.regions}
        edges = tuple((a, b, "pair") for one, other in pairs.edges for a in cells[one] for b in cells[other])
        return evolve(rules, pairs=pairs, edges=rules.edges + edges)
