"""How the instances of one set stand while a log is read: there, not healthy, in flight in which lane; as columns.

An instance is a place in three columns, found by its id: ten bytes. Ids that are small plain numbers, as a counted set
has them, are their own place; only another id costs an entry in a mapping.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator
from typing import Any

from attrs import define, field

_GONE, _WELL, _NOT_HEALTHY = 0, 1, 2
_NEVER = -(2**63)
# room for ids a little above the count: a scale-out takes the next free numbers
_SPARE = 64


@define
class Standing:
    """The instances of one set.

    Lanes are small numbers that the caller gives a meaning, at most 254 of them. Ids that the set does not have (late
    reports about instances that are gone) are passed over, as semantics 8 has it.

    >>> web = Standing.of(4)
    >>> web.start(["0", "1"], lane=2), web.report(["1", "9"], not_healthy=True, observed_at=5)
    (2, 1)
    >>> web.land(["0"]), web.remove(["1"]), web.size
    ({2: 1}, ({2: 1}, -1), 3)
    """

    _plain: int
    _state: bytearray
    _lane: bytearray
    _observed: array[int]
    size: int = 0
    _named: dict[str, int] = field(factory=dict)

    @classmethod
    def of(cls, instances: int | list[dict[str, Any]]) -> Standing:
        """Make it from the `instances` of a set in a fleet file: a count, or a list of objects with an `id`."""
        count = instances if isinstance(instances, int) else len(instances)
        plain = 2 * count + _SPARE
        made = cls(plain, bytearray(plain), bytearray(plain), array("q", [_NEVER]) * plain)
        if isinstance(instances, int):
            made._state[:count] = bytes([_WELL]) * count
            made.size = count
            return made
        for row in instances:
            made._enter(row["id"], _NOT_HEALTHY if row.get("health") in ("unhealthy", "unknown") else _WELL)
        return made

    @property
    def not_healthy(self) -> int:
        """How many are not healthy now."""
        return self._state.count(_NOT_HEALTHY)

    def start(self, ids: Iterable[str], lane: int) -> int:
        """Put instances in flight in a lane; return how many were not in flight before."""
        begun = 0
        for place in self._places(ids):
            begun += not self._lane[place]
            self._lane[place] = lane + 1
        return begun

    def land(self, ids: Iterable[str]) -> dict[int, int]:
        """Take instances out of flight; return how many came from which lane."""
        landed: dict[int, int] = {}
        for place in self._places(ids):
            self._land(place, landed)
        return landed

    def report(self, ids: Iterable[str], *, not_healthy: bool, observed_at: int) -> int:
        """Take in a report of health, unless a later one is known; return by how many more are not healthy now."""
        to = _NOT_HEALTHY if not_healthy else _WELL
        state, observed, more = self._state, self._observed, 0
        for place in self._places(ids):
            if observed_at > observed[place]:
                observed[place] = observed_at
                more += to - state[place]
                state[place] = to
        return more

    def set_health(self, ids: Iterable[str], *, not_healthy: bool, now: int) -> int:
        """Set the health that a change of state brings: what was observed before now is stale. Returns as `report`."""
        to = _NOT_HEALTHY if not_healthy else _WELL
        more = 0
        for place in self._places(ids):
            self._observed[place] = now - 1
            more += to - self._state[place]
            self._state[place] = to
        return more

    def add(self, ids: Iterable[str], now: int) -> int:
        """Take in new instances, `initializing`; return how many were not there."""
        before = self.size
        for name in ids:
            place = self._enter(name, _WELL)
            self._observed[place] = now - 1
        return self.size - before

    def remove(self, ids: Iterable[str]) -> tuple[dict[int, int], int]:
        """Take instances out; return as `land`, and by how many more are not healthy now (never above 0)."""
        landed: dict[int, int] = {}
        more = 0
        for place in self._places(ids):
            self._land(place, landed)
            more -= self._state[place] == _NOT_HEALTHY
            self._state[place] = _GONE
            self.size -= 1
        return landed, more

    def _land(self, place: int, landed: dict[int, int]) -> None:
        lane = self._lane[place]
        if lane:
            landed[lane - 1] = landed.get(lane - 1, 0) + 1
            self._lane[place] = 0

    def _enter(self, name: str, state: int) -> int:
        place = self._place(name)
        if place is None:
            place = self._named[name] = len(self._state)
            self._state.append(_GONE)
            self._lane.append(0)
            self._observed.append(_NEVER)
        if self._state[place] == _GONE:
            self._state[place] = state
            self.size += 1
        return place

    def _place(self, name: str) -> int | None:
        # `07` is another instance than `7`, so only the canonical spelling is its own place
        if name.isascii() and name.isdigit() and (name[0] != "0" or name == "0") and int(name) < self._plain:
            return int(name)
        return self._named.get(name)

    def _places(self, ids: Iterable[str]) -> Iterator[int]:
        state = self._state
        for name in ids:
            place = self._place(name)
            if place is not None and state[place]:
                yield place
