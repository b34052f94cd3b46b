"""Whether a cell may be worked on now, asked of the networkx graph node by node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import networkx as nx

CANNOT: Final = "conflicts of cells alone: no holds of a set's own, groups, pairs at work, gates or batches"


def disturbed(graph: nx.Graph[str], busy: Mapping[str, bool], cells: Iterable[str]) -> Sequence[bool]:
    """Return for each of the cells whether one that is in conflict with it is busy."""
    return [any(busy[other] for other in graph[cell]) for cell in cells]
