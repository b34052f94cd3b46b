"""Runs without an end: looked for where the rank does not fall along every edge (`core.exploring.ranking`).

Such a run stays, from some state on, in one strongly connected part of the explored graph. It breaks the promise that
every rollout ends if a rollout is still running there and if the run is *fair*: whatever cannot be put off
(`acts.FAIR`) and is possible again and again does happen again and again; each window by itself, and each paused
rollout, since "windows recur and pauses are resumed" is said of each. That is strong fairness, so the parts are found
as Streett showed: a strongly connected part in which an obligation is possible but never met is searched once more
without the states in which it is possible.

The graph is explored by the plain explorer without symmetry, because obligations have names. What is found is a lasso:
a shortest way to a state of the part, and a round trip from there on which every obligation is met.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterable, Iterator
from typing import Any, Final

import networkx as nx
from attrs import field, frozen

from phasegate.core import codes as c
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.twin import Explorer, Move

STATES_MAX: Final = 200_000  # plain states: a gigabyte and some minutes
Obligation = Hashable


@frozen
class Lasso:
    """The keys of a run without an end: `stem` from the first state (itself left out), then `loop` for ever."""

    stem: tuple[Any, ...]
    loop: tuple[Any, ...]


class TooLarge(Exception):
    """There are more than `STATES_MAX` states to look through."""


@frozen
class _Graph:
    """The states in which a rollout runs, by number: their edges with what each meets, and what each must meet."""

    keys: list[Any] = field(factory=list)
    parents: dict[int, int] = field(factory=dict)
    edges: nx.DiGraph[int] = field(factory=nx.DiGraph)
    meets: dict[tuple[int, int], frozenset[Obligation]] = field(factory=dict)
    possible: dict[int, frozenset[Obligation]] = field(factory=dict)


def lasso(twin: Explorer) -> Lasso | None:
    """Return a fair run without an end on which a rollout never ends, None if there is none.

    `twin` explores without symmetry; the beginning stays laid open. `TooLarge` beyond `STATES_MAX` states.
    """
    real = twin.saved()
    graph = _explored(twin)
    twin.restore(real)
    part = next(_fair_parts(graph, graph.edges.nodes), None)
    if part is None:
        return None
    first = min(part)  # breadth first: the nearest
    stem = [first]
    while stem[-1]:
        stem.append(graph.parents[stem[-1]])
    loop = _round_trip(graph, part, first)
    return Lasso(tuple(graph.keys[n] for n in stem[-2::-1]), tuple(graph.keys[n] for n in loop))


def _explored(twin: Explorer) -> _Graph:
    graph = _Graph()
    numbers = {twin.first: 0}
    graph.keys.append(twin.first)
    todo = deque([0])
    while todo:
        number = todo.popleft()
        key = graph.keys[number]
        successors = [one for one in twin.successors(key) if one.key != key]
        if not any(twin.v.course[r] == c.RUNNING for r in range(twin.rollouts)):
            continue
        met = [(one.key, _obligation(one.move) if twin.is_fair(one.move) else None) for one in successors]
        graph.edges.add_node(number)
        graph.possible[number] = frozenset(obligation for _, obligation in met if obligation is not None)
        for there, obligation in met:
            other = numbers.setdefault(there, len(graph.keys))
            if other == len(graph.keys):
                if other == STATES_MAX:
                    raise TooLarge
                graph.keys.append(there)
                graph.parents[other] = number
                todo.append(other)
            graph.edges.add_edge(number, other)
            graph.meets[number, other] = graph.meets.get((number, other), frozenset()) | {obligation}
    return graph


def _obligation(move: Move) -> Obligation:
    """Return what an act that cannot be put off meets: windows and pauses one by one, everything else by its kind."""
    act, whom, _, _ = move
    return (act, whom) if act in (Act.WINDOW, Act.RESUME) else act


def _fair_parts(graph: _Graph, among: Iterable[int]) -> Iterator[set[int]]:
    """Yield strongly connected parts that a fair run can stay in for ever."""
    todo = [set(among)]
    while todo:
        inside = graph.edges.subgraph(todo.pop())
        for part in nx.strongly_connected_components(inside):
            if len(part) == 1:
                continue
            possible = frozenset[Obligation]().union(*(graph.possible[n] for n in part))
            met = frozenset[Obligation]().union(*(graph.meets[edge] for edge in inside.subgraph(part).edges))
            missed = possible - met
            if not missed:
                yield part
            else:
                todo.append({n for n in part if not graph.possible[n] & missed})


def _round_trip(graph: _Graph, part: set[int], first: int) -> list[int]:
    """Return a way through the part from `first` back to it, on which every obligation of the part is met."""
    inside = graph.edges.subgraph(part)
    owed = set[Obligation]().union(*(graph.possible[n] for n in part))
    here = min(inside.successors(first))
    trip = [here]
    owed -= graph.meets[first, here]
    while owed:
        one, other = min(edge for edge in inside.edges if graph.meets[edge] & owed)
        trip += [*nx.shortest_path(inside, here, one)[1:], other]
        owed -= graph.meets[one, other]
        here = other
    return [*trip, *nx.shortest_path(inside, here, first)[1:]]
