"""The rules of a rollout in which everything works, in plain Python: what the SimPy and `transitions` models run on.

Somebody who builds such a model has to write these rules for it. They are written to be quick: counters instead of
searches, and only regions in which something has changed are looked at again.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from attrs import define, field, frozen

import phasegate as pg
from phasegate.core.order import sorted_zones

CANNOT = (
    "everything works: no failures, restores, deadlines, reports out of order; one rollout of one image; no windows, "
    "pauses, groups, users' policies, listed instances; no state to keep, compare or go back to; no log, no reasons"
)
BATCH_PERCENT = 20


@define(eq=False)
class Bucket:
    """What is pending of one set in one cell and one upgrade domain, last one first."""

    cell: str
    pending: list[int]


@define(eq=False)
class Attempt:
    """One set on its way."""

    region: str
    total: int
    buckets: list[Bucket]
    cap: int
    pending: int
    hold: str | None = None
    in_flight: int = 0
    upgraded: int = 0
    is_at_work: bool = False

    @classmethod
    def of(cls, model: pg.ScaleSet, first: int) -> Attempt:
        """Spread the set's instances, numbered from `first`, over zones, then upgrade domains."""
        zones = sorted_zones(model.zones) or ("-",)
        stride = len(zones) * model.upgrade_domains
        buckets = [
            Bucket(zone, list(range(first + at + len(zones) * domain, first + model.size, stride))[::-1])
            for at, zone in enumerate(zones)
            for domain in range(model.upgrade_domains)
        ]
        cap = max(1, min(model.size * BATCH_PERCENT // 100, model.size - 1))
        return cls(model.region, model.size, [b for b in buckets if b.pending], cap, model.size)


@frozen
class Batch:
    """Instances that start together."""

    attempt: Attempt
    instances: Sequence[int]


@define
class PlainRules:
    """Who may start now: phases, pairs, one cell of a region at a time, batches of a fifth, both gates."""

    phases: Sequence[Sequence[str]]
    pairs: dict[str, list[str]]
    cells: dict[str, list[str]]
    attempts: dict[str, list[Attempt]]
    phase: int = -1
    batches: int = 0
    in_flight: int = 0
    in_flight_max: int = 0
    upgraded: int = 0
    busy: dict[str, str] = field(factory=dict)  # the cell of a region that is held
    holders: dict[str, int] = field(factory=dict)
    working: dict[str, int] = field(factory=dict)
    _left: int = 0
    _woken: set[str] = field(factory=set)

    @classmethod
    def of(cls, fleet: pg.Fleet, phases: Sequence[Sequence[str]]) -> PlainRules:
        """Take the fleet and the plan of phases."""
        pairs: dict[str, list[str]] = {region.name: [] for region in fleet.regions}
        for region in fleet.regions:
            if region.pair in pairs:
                pairs[region.name].append(region.pair)
                pairs[region.pair].append(region.name)
        attempts: dict[str, list[Attempt]] = {region.name: [] for region in fleet.regions}
        first = 0
        for model in sorted(fleet.sets, key=lambda model: (model.region, model.name)):
            attempts[model.region].append(Attempt.of(model, first))
            first += model.size
        cells = {region.name: [*sorted_zones(region.zones), "-"] for region in fleet.regions}
        return cls(phases, pairs, cells, attempts)

    @property
    def is_over(self) -> bool:
        """Whether every phase has ended."""
        return self.phase == len(self.phases)

    def starts(self) -> list[Batch]:
        """Start everything that may start, and return it."""
        found: list[Batch] = []
        while True:
            if not self._left:
                if not self._next_phase():
                    return found
                continue
            if not self._woken:
                return found
            woken, self._woken = sorted(self._woken), set()
            for region in woken:
                found += self._starts_in(region)

    def arrived(self, attempt: Attempt) -> bool:
        """Count an instance as upgraded and healthy; return whether that ended its batch."""
        attempt.in_flight -= 1
        attempt.upgraded += 1
        self.in_flight -= 1
        self.upgraded += 1
        if attempt.in_flight:
            return False
        self._end_batch(attempt)
        return True

    def _next_phase(self) -> bool:
        if self.is_over:
            return False
        self.phase += 1
        if self.is_over:
            return False
        regions = self.phases[self.phase]
        self._left = sum(len(self.attempts[region]) for region in regions)
        self._woken.update(regions)
        return True

    def _starts_in(self, region: str) -> Iterable[Batch]:
        if region not in self.phases[self.phase] or any(self.working.get(pair) for pair in self.pairs[region]):
            return
        for cell in self.cells[region]:
            if self.busy.get(region, cell) != cell:
                continue
            for attempt in self.attempts[region]:
                if attempt.in_flight or not attempt.pending or attempt.hold not in (None, cell):
                    continue
                bucket = next((b for b in attempt.buckets if b.cell == cell), None)
                if bucket is not None and not self._gates_broken(attempt):
                    yield self._start(attempt, bucket)

    @staticmethod
    def _gates_broken(attempt: Attempt, bad: int = 0) -> bool:
        return 100 * bad > BATCH_PERCENT * attempt.upgraded or 100 * bad > BATCH_PERCENT * attempt.total

    def _start(self, attempt: Attempt, bucket: Bucket) -> Batch:
        count = min(attempt.cap, len(bucket.pending))
        instances = bucket.pending[: -count - 1 : -1]
        del bucket.pending[-count:]
        if not bucket.pending:
            attempt.buckets.remove(bucket)
        if attempt.hold is None:
            attempt.hold = self.busy[attempt.region] = bucket.cell
            self.holders[attempt.region] = self.holders.get(attempt.region, 0) + 1
        if not attempt.is_at_work:
            attempt.is_at_work = True
            self.working[attempt.region] = self.working.get(attempt.region, 0) + 1
        attempt.pending -= count
        attempt.in_flight = count
        self.in_flight += count
        self.in_flight_max = max(self.in_flight_max, self.in_flight)
        self.batches += 1
        return Batch(attempt, instances)

    def _end_batch(self, attempt: Attempt) -> None:
        region = attempt.region
        self._woken.add(region)
        if not any(bucket.cell == attempt.hold for bucket in attempt.buckets):
            attempt.hold = None
            self.holders[region] -= 1
            if not self.holders[region]:
                del self.busy[region]
        if not attempt.pending:
            self._left -= 1
            self.working[region] -= 1
            if not self.working[region]:
                self._woken.update(self.pairs[region])
