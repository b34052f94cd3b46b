"""Whether every run comes by a state in which a predicate holds: `eventually`, judged where runs end.

The states that a run reaches before the predicate has held are explored once more, by the plain explorer. If among them
is one where a run may end (nothing is left that must happen), that run never came by. Runs without an end are not
judged here: where ranks fall along every edge there are none (`core.exploring.ranking`).
"""

from __future__ import annotations

from collections import deque
from typing import Any

from phasegate.core.exploring.twin import Explorer
from phasegate.verifying.promise import Memory


def escaping(twin: Explorer, memory: Memory) -> list[Any] | None:
    """Return the keys of a run that ends without coming by the predicate, its first one left out; None if none does.

    Breadth first: no run that escapes is shorter. The beginning stays laid open.
    """
    real = twin.saved()
    found = _escaping(twin, memory)
    twin.restore(real)
    return found


def _escaping(twin: Explorer, memory: Memory) -> list[Any] | None:
    before: dict[Any, Any] = {twin.first: None}
    todo = deque([twin.first])
    while todo:
        key = todo.popleft()
        twin.write(key)
        if memory.holds(twin, {}):
            continue
        is_end = True
        for successor in twin.successors(key):
            if successor.key == key:
                continue
            is_end = is_end and not twin.is_fair(successor.move)
            if successor.key not in before:
                before[successor.key] = key
                todo.append(successor.key)
        if is_end:
            return _path(before, key)
    return None


def _path(before: dict[Any, Any], key: Any) -> list[Any]:
    found = []
    while before[key] is not None:
        found.append(key)
        key = before[key]
    return found[::-1]
