"""Who may be worked on together: the conflict graph of cells, the graph of region pairs, and the plan of phases.

Both graphs are undirected networkx graphs. The nodes of the first are cells (`region/zone`, `region/-`), each edge
says why (`reason`); the nodes of the second are regions. The phase plan is a proper colouring of the graph of pairs:
a phase is a colour, and two regions with an edge never share one (semantics 5 and 6).
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Mapping, Sequence

import networkx as nx
from attrs import field, frozen

from phasegate.core.errors import InvalidModel, UnknownName
from phasegate.core.model import ZONELESS, Fleet, Region, refuse_unknown
from phasegate.core.order import zone_key

Edge = tuple[str, str, str]
Phases = tuple[tuple[str, ...], ...]


def cells_of(region: Region) -> tuple[str, ...]:
    """Return the region's cells in order: its zones, then the zoneless cell.

    >>> cells_of(Region("eastus", zones=("10", "2")))
    ('eastus/2', 'eastus/10', 'eastus/-')
    """
    return tuple(f"{region.name}/{zone}" for zone in (*sorted(region.zones, key=zone_key), ZONELESS))


def pair_graph(fleet: Fleet) -> nx.Graph[str]:
    """Return the regions, with an edge between two if one names the other as its pair: the symmetric closure.

    A pair that is not in the fleet is ignored.
    """
    graph: nx.Graph[str] = nx.Graph()
    graph.add_nodes_from(sorted(region.name for region in fleet.regions))
    graph.add_edges_from(
        (region.name, region.pair) for region in fleet.regions if region.pair is not None and region.pair in graph
    )
    return graph


def phase_plan(eligible: Mapping[str, int], pairs: nx.Graph[str]) -> Phases:
    """Return the default phases over the regions in `eligible` (how many eligible instances each has; semantics 5).

    Phase n takes, in ascending number of eligible instances, then by name, those without any last, each region that is
    no pair of one taken, until it has 2**n.

    >>> phase_plan({"a": 5, "b": 1, "c": 2, "d": 9}, nx.Graph([("b", "c")]))
    (('b',), ('c', 'a'), ('d',))
    """
    remaining = sorted(eligible, key=lambda region: (not eligible[region], eligible[region], region))
    phases: list[tuple[str, ...]] = []
    while remaining:
        taken: list[str] = []
        for region in remaining:
            if len(taken) < 2 ** len(phases) and not any(pairs.has_edge(region, other) for other in taken):
                taken.append(region)
        phases.append(tuple(taken))
        remaining = [region for region in remaining if region not in taken]
    return check_phases(tuple(phases), eligible, pairs)


def check_phases(phases: Phases, eligible: Iterable[str], pairs: nx.Graph[str]) -> Phases:
    """Return the phases if they are a proper colouring of the pairs that covers every region with an eligible set.

    `InvalidModel` if a region is unknown, in two phases or in none, or if a phase holds two regions that are a pair.
    """
    colour: dict[str, int] = {}
    for number, phase in enumerate(phases):
        for region in phase:
            if region not in pairs and region not in eligible:
                refuse_unknown(region, pairs, "region", f"phases[{number}]")
            if region in colour:
                raise InvalidModel(f"region `{region}` is in phase {colour[region]} and in phase {number}", "phases")
            colour[region] = number
    missing = sorted(set(eligible) - colour.keys())
    if missing:
        raise InvalidModel(f"no phase has {_listed(missing)}, which has an eligible set; add it to one", "phases")
    for one, other in sorted(tuple(sorted(edge)) for edge in pairs.edges):
        if one in colour and colour[one] == colour.get(other):
            raise InvalidModel(
                f"`{one}` and `{other}` are a pair and both in phase {colour[one]}; put one into another phase",
                "phases",
            )
    return phases


def _listed(names: Sequence[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)


@frozen
class Together:
    """Whether two cells may be busy at the same time, and if not, why (`reason`: `zones`, `pair`, ...)."""

    may: bool
    reason: str | None = None

    def __bool__(self) -> bool:
        return self.may


@frozen(eq=False)
class Topology:
    """The conflict graph over the cells of a fleet, in the order of regions and zones."""

    regions: tuple[str, ...]
    cells: tuple[str, ...]
    graph: nx.Graph[str] = field(repr=False)
    pairs: nx.Graph[str] = field(repr=False)

    @classmethod
    def of(cls, fleet: Fleet, edges: Iterable[Edge], pairs: nx.Graph[str]) -> Topology:
        """Build the graph; the first edge between two cells gives the reason, one to itself is refused."""
        regions = sorted(fleet.regions, key=lambda region: region.name)
        graph: nx.Graph[str] = nx.Graph()
        cells = [cell for region in regions for cell in cells_of(region)]
        graph.add_nodes_from(cells)
        for one, other, reason in edges:
            if one == other:
                raise InvalidModel(f"cell `{one}` cannot be in conflict with itself", "conflicts")
            if not graph.has_edge(one, other):
                graph.add_edge(one, other, reason=reason)
        return cls(tuple(region.name for region in regions), tuple(cells), graph, pairs)

    def may_run_together(self, one: str, other: str) -> Together:
        """Say whether two cells may be busy at the same time, and if not, the reason of their edge.

        `UnknownName` if one of them is no cell of the fleet.
        """
        for cell in (one, other):
            if cell not in self.graph:
                raise UnknownName(f"no cell `{cell}` in the fleet; cells are named region/zone, or region/-")
        if self.graph.has_edge(one, other):
            return Together(False, self.graph.edges[one, other]["reason"])
        return Together(True)

    def rows(self) -> tuple[int, array[int]]:
        """Return the graph as flat bit rows: 64-bit words a cell, and all rows one after the other."""
        words = max(1, -(-len(self.cells) // 64))
        number = {cell: at for at, cell in enumerate(self.cells)}
        flat = array("Q", bytes(8 * words * len(self.cells)))
        for one, other in self.graph.edges:
            for here, there in ((number[one], number[other]), (number[other], number[one])):
                flat[here * words + there // 64] |= 1 << there % 64
        return words, flat
