"""The tracks of a rollout while its log is read: what grows line by line, and becomes a plain track at the end."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import define, evolve, field

from phasegate.core.errors import InvalidModel
from phasegate.core.model import ZONELESS
from phasegate.core.order import natural_key
from phasegate.plotting.series import Counts, Spans
from phasegate.plotting.standing import Standing
from phasegate.plotting.tracks import CROSS_ZONE, PhaseTrack, RegionTrack, RolloutTrack

Line = Mapping[str, Any]
Zones = Mapping[str, tuple[str, ...]]


@define
class RowSoFar:
    """A region's track while it grows."""

    region: str
    zones: tuple[str, ...]
    busy: list[int]
    lanes: list[Spans]
    gaps: list[list[tuple[int, int]]]
    batches: int = 0
    upgraded: int = 0
    ends: dict[str, Counts] = field(factory=lambda: {"faulted": Counts(), "cancelled": Counts()})
    lost: dict[str, Counts] = field(factory=lambda: {"restored": Counts(), "failed": Counts()})

    @classmethod
    def of(cls, region: str, zones: tuple[str, ...]) -> RowSoFar:
        """Make the row of a region that nothing has happened in."""
        count = len(zones) + 2
        return cls(region, zones, [0] * count, [Spans() for _ in range(count)], [[] for _ in range(count)])

    def lane(self, cross_zone: bool, cell: str) -> int:
        """Return the number of the lane in which a batch runs; `InvalidModel` if the cell is not in the region."""
        if cross_zone:
            return len(self.zones) + 1
        zone = cell.removeprefix(f"{self.region}/")
        if zone == ZONELESS:
            return len(self.zones)
        if zone not in self.zones:
            raise InvalidModel(f"cell `{cell}` is not in region `{self.region}` of the fleet of the log")
        return self.zones.index(zone)

    def enter(self, lane: int, count: int, now: int) -> None:
        """Say that so many more are in flight in a lane."""
        if count and not self.busy[lane]:
            self.lanes[lane].open(now)
        self.busy[lane] += count

    def leave(self, lane: int, count: int, now: int) -> None:
        """Say that so many in flight in a lane are not any more."""
        self.busy[lane] -= count
        if not self.busy[lane]:
            self.lanes[lane].close(now)

    def finish(self, now: int) -> RegionTrack:
        """Return the track; what is still in flight is drawn until now."""
        names = (*self.zones, ZONELESS, CROSS_ZONE)
        for spans in self.lanes:
            spans.close(now)
        return RegionTrack(
            region=self.region,
            zones=self.zones,
            lanes={name: spans for name, spans in zip(names, self.lanes, strict=True) if spans},
            waits={name: Spans.union(gaps) for name, gaps in zip(names, self.gaps, strict=True) if gaps},
            batches=self.batches,
            upgraded=self.upgraded,
            **self.lost,
            **self.ends,
        )


@define
class SetSoFar:
    """A set while the log is read: where it stands, and where its last batch ran."""

    region: str
    standing: Standing
    cross_zone: bool
    row: RowSoFar | None = None
    lane: int = 0
    in_flight: int = 0
    idle_since: int | None = None


@define
class RolloutSoFar:
    """A rollout while the log is read; `plan` is None for one without phases."""

    track: RolloutTrack
    plan: tuple[tuple[str, ...], ...] | None
    rows: dict[str, RowSoFar]
    phases: dict[int, PhaseTrack] = field(factory=dict)

    @classmethod
    def of(cls, line: Line, zones: Zones) -> RolloutSoFar:
        """Make it from a `rollout-started` line; `InvalidModel` if a region of its phases is not in the fleet."""
        plan = line.get("phases")
        plan = None if plan is None else tuple(tuple(regions) for regions in plan)
        track = RolloutTrack(
            id=line["rollout"],
            image=line["image"],
            target=line["target"],
            started_by=line["started_by"],
            started_ms=line["t"],
            ended_ms=None,
            status="running",
            reason="",
            cancelled_ms=None,
            paused=Spans(),
            phases=(),
        )
        made = cls(track, plan, {})
        for regions in plan or ():
            for region in regions:
                made.row(region, zones)
        return made

    def row(self, region: str, zones: Zones) -> RowSoFar:
        """Return the row of a region, made where there is none; `InvalidModel` if the fleet does not have it."""
        if region not in self.rows:
            if region not in zones:
                raise InvalidModel(f"region `{region}` is not in the fleet of the log")
            self.rows[region] = RowSoFar.of(region, zones[region])
        return self.rows[region]

    def set_phase(self, number: int, **known: Any) -> None:
        """Note what is known of a phase."""
        before = self.phases.get(number, PhaseTrack(number=number))
        self.phases[number] = evolve(before, **known)

    def finish(self, now: int) -> RolloutTrack:
        """Return the track; a pause without an end lasts until now."""
        self.track.paused.close(now)
        regions = {name: self.rows[name].finish(now) for name in sorted(self.rows, key=natural_key)}
        phases = []
        for number, names in enumerate(self.plan or ()):
            in_phase = tuple(regions.pop(name) for name in names)
            phases.append(evolve(self.phases.get(number, PhaseTrack(number=number)), regions=in_phase))
        if regions or self.plan is None:
            # a rollout without phases; or regions that its plan does not name, which a reader of the plot should see
            track = self.track
            rest = tuple(regions.values())
            phases.append(PhaseTrack(regions=rest, opened_ms=track.started_ms, ended_ms=track.ended_ms))
        return evolve(self.track, phases=tuple(phases))
