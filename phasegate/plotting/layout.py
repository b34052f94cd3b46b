"""Where everything of a rollout's plot stands, from top to bottom, in inches; knows nothing of drawing.

One block a rollout: its heading, then a band a phase with a heading and a row a region, and in a row a lane for each
zone, one under the other, so that zones that take turns make a staircase. The heading of an only rollout is the plot's.

Where that would be higher than `HEIGHT_AIM`, regions share rows as `crowding` says: a lane for each region, in which
its zones follow one another. A phase that is nothing but such a row has no heading, and its name stands in the row.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from phasegate.core.model import ZONELESS
from phasegate.plotting import crowding
from phasegate.plotting.series import Spans
from phasegate.plotting.summary import counted
from phasegate.plotting.tracks import CROSS_ZONE, PhaseTrack, RegionTrack, RolloutTrack, Timeline

ROLLOUT_HEADING: Final = 0.30
PHASE_HEADING: Final = 0.21
GAP: Final = 0.10  # after a rollout
ROW_MIN: Final = 0.19  # the smallest in which a name of 7 points stands clear of its neighbours
ROW_MAX: Final = 0.42
ROWS_AIM: Final = 7.0  # what the rows take together while they are neither too low nor too high
HEIGHT_AIM: Final = 16.0  # of all rollouts; with what stands over and under them some 2,000 pixels of a PNG
LINE: Final = 0.02  # of a region in a shared row: two pixels, the least that shows a colour
SHARED_MAX: Final = 0.9  # of a shared row: from 45 regions on lines are thinner
HEIGHT_MAX: Final = 40.0  # beyond it, which takes some forty rollouts, everything is squeezed


@frozen
class Lane:
    """What was in flight in one zone of a region: the zone's place among those of its row, and where it stands."""

    track: RegionTrack
    name: str
    place: int
    top: float
    height: float

    @property
    def spans(self) -> Spans | None:
        """When something was in flight."""
        return self.track.lanes.get(self.name)

    @property
    def waits(self) -> Spans | None:
        """When a set waited between two batches."""
        return self.track.waits.get(self.name)


@frozen
class Row:
    """A region of a phase, or several that share a row; `track` has their numbers together.

    `label` is its name where names are too long, `phase` the name of a phase that has no heading of its own.
    """

    tracks: tuple[RegionTrack, ...]
    track: RegionTrack
    label: str
    phase: str
    top: float
    height: float
    lanes: tuple[Lane, ...]

    @property
    def middle(self) -> float:
        """Half-way down."""
        return self.top + self.height / 2


@frozen
class Band:
    """A phase: from `top`, where its heading stands, to `bottom`."""

    track: PhaseTrack
    top: float
    rows: tuple[Row, ...]
    heading: float

    @property
    def rows_top(self) -> float:
        """Where the heading ends and the rows begin."""
        return self.top + self.heading

    @property
    def bottom(self) -> float:
        """Where the last row ends."""
        return self.rows[-1].top + self.rows[-1].height if self.rows else self.rows_top


@frozen
class Block:
    """A rollout."""

    track: RolloutTrack
    top: float
    bands: tuple[Band, ...]
    heading: float

    @property
    def bands_top(self) -> float:
        """Where the heading ends and the first phase begins."""
        return self.top + self.heading

    @property
    def bottom(self) -> float:
        """Where its last phase ends."""
        return self.bands[-1].bottom if self.bands else self.bands_top


@frozen
class Layout:
    """The blocks, and how high all of them are together; `scale` is below 1 where so many had to be squeezed."""

    blocks: tuple[Block, ...]
    height: float
    scale: float

    @property
    def bands(self) -> tuple[Band, ...]:
        """The phases of all rollouts, in order."""
        return tuple(band for block in self.blocks for band in block.bands)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The rows of all phases, in order."""
        return tuple(row for band in self.bands for row in band.rows)

    @property
    def shared(self) -> tuple[int, int]:
        """How many rows hold more than one region, and how many regions those are, each once for a rollout."""
        sizes = [len(row.tracks) for row in self.rows if len(row.tracks) > 1]
        return len(sizes), sum(sizes)


def lay_out(timeline: Timeline) -> Layout:
    """Return where everything stands: rows of one height, high where there are few and never too low to be read.

    Regions share rows where this would be higher than `HEIGHT_AIM`; beyond `HEIGHT_MAX` everything is squeezed to fit.
    """
    count = sum(len(rollout.regions) for rollout in timeline.rollouts)
    bands = sum(len(rollout.phases) for rollout in timeline.rollouts)
    heading = ROLLOUT_HEADING if len(timeline.rollouts) > 1 else 0.0
    row = min(max(ROWS_AIM / max(count, 1), ROW_MIN), ROW_MAX)
    if count * row + bands * PHASE_HEADING + len(timeline.rollouts) * (heading + GAP) <= HEIGHT_AIM:
        plans = [[_Plan(phase, phase.regions, (), "") for phase in rollout.phases] for rollout in timeline.rollouts]
    else:
        own = crowding.outstanding(timeline)
        plans = [
            [
                _crowded(phase, [place for at, in_phase, place in own if (at, in_phase) == (rollout, number)])
                for number, phase in enumerate(of.phases)
            ]
            for rollout, of in enumerate(timeline.rollouts)
        ]
    full = sum(plan.height(row) for of in plans for plan in of) + len(plans) * (heading + GAP)
    scale = min(1.0, HEIGHT_MAX / max(full, 1.0))
    blocks = []
    top = 0.0
    for rollout, of in zip(timeline.rollouts, plans, strict=True):
        block = _block(rollout, of, top, heading, row, scale)
        blocks.append(block)
        top = block.bottom + GAP * scale
    return Layout(tuple(blocks), max(top, ROW_MAX), scale)


@frozen
class _Plan:
    """A phase: its regions with rows of their own, and those that share one; with a `name` it has no heading."""

    track: PhaseTrack
    own: tuple[RegionTrack, ...]
    shared: tuple[RegionTrack, ...]
    name: str

    @property
    def heading(self) -> float:
        return 0.0 if self.name else PHASE_HEADING

    @property
    def shared_height(self) -> float:
        if not self.shared:
            return 0.0
        lines = len(self.shared) if any(region.lanes for region in self.shared) else 0  # nothing ran: nothing to see
        return min(max(lines * LINE + 0.04, ROW_MIN), SHARED_MAX)

    @property
    def label(self) -> str:
        if len(self.shared) == 1:
            return self.shared[0].region
        return counted(len(self.shared), "", "more regions" if self.own else "regions")

    def height(self, row: float) -> float:
        return self.heading + len(self.own) * row + self.shared_height


def _crowded(phase: PhaseTrack, own: list[int]) -> _Plan:
    apart, shared = crowding.parted(phase, own)
    plain = shared and not apart and phase.succeeded is not False
    name = "" if not plain else "no phase" if phase.number is None else f"phase {phase.number}"
    return _Plan(phase, apart, shared, name)


def _block(rollout: RolloutTrack, plans: list[_Plan], top: float, heading: float, row: float, scale: float) -> Block:
    at = top + heading * scale
    bands = []
    for plan in plans:
        start = at
        at += plan.heading * scale
        rows = []
        for region in plan.own:
            height = row * scale
            rows.append(Row((region,), region, region.region, "", at, height, _lanes(region, at, height)))
            at += height
        if plan.shared:
            height = plan.shared_height * scale
            track = crowding.summed(plan.shared)
            rows.append(Row(plan.shared, track, plan.label, plan.name, at, height, _lines(plan.shared, at, height)))
            at += height
        bands.append(Band(plan.track, start, tuple(rows), plan.heading * scale))
    return Block(rollout, top, tuple(bands), heading * scale)


def _names(region: RegionTrack) -> list[str]:
    """Return the zones of a region if something ran in one; the zoneless cell and cross-zone batches if used."""
    zones = region.zones if any(name in region.lanes for name in region.zones) else ()
    return [*zones, *(name for name in (ZONELESS, CROSS_ZONE) if name in region.lanes)]


def _lanes(region: RegionTrack, top: float, height: float) -> tuple[Lane, ...]:
    """Return a lane for each zone, one under the other."""
    names = _names(region)
    each = height * 0.8 / max(len(names), 1)
    return tuple(Lane(region, name, at, top + height * 0.1 + at * each, each) for at, name in enumerate(names))


def _lines(regions: tuple[RegionTrack, ...], top: float, height: float) -> tuple[Lane, ...]:
    """Return a lane for each region: its zones never overlap, but for cross-zone batches, which are drawn over them."""
    if len(regions) == 1:
        return _lanes(regions[0], top, height)
    each = height * 0.9 / len(regions)
    return tuple(
        Lane(region, name, at, top + height * 0.05 + place * each, each)
        for place, region in enumerate(regions)
        for at, name in enumerate(_names(region))
    )
