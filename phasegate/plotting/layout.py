"""Where everything of a rollout's plot stands, from top to bottom, in inches; knows nothing of drawing.

One block a rollout: its heading, then a band a phase with a heading and a row a region, and in a row a lane for each
zone, one under the other, so that zones that take turns make a staircase. The heading of an only rollout is the plot's.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from phasegate.core.model import ZONELESS
from phasegate.plotting.tracks import CROSS_ZONE, PhaseTrack, RegionTrack, RolloutTrack, Timeline

ROLLOUT_HEADING: Final = 0.30
PHASE_HEADING: Final = 0.21
GAP: Final = 0.10  # after a rollout
ROW_MIN: Final = 0.19  # the smallest in which a name of 7 points stands clear of its neighbours
ROW_MAX: Final = 0.42
ROWS_AIM: Final = 7.0  # what the rows take together while they are neither too low nor too high
HEIGHT_MAX: Final = 200.0  # 20,000 pixels of a PNG, drawn in a hundred megabytes


@frozen
class Lane:
    """One zone's lane in a row: its name, its place among those of its row, and where it stands."""

    name: str
    place: int
    top: float
    height: float


@frozen
class Row:
    """A region of a phase."""

    track: RegionTrack
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
    row_height: float
    scale: float

    @property
    def bands(self) -> tuple[Band, ...]:
        """The phases of all rollouts, in order."""
        return tuple(band for block in self.blocks for band in block.bands)

    @property
    def rows(self) -> tuple[Row, ...]:
        """The regions of all phases, in order."""
        return tuple(row for band in self.bands for row in band.rows)


def lay_out(timeline: Timeline) -> Layout:
    """Return where everything stands: rows of one height, high where there are few and never too low to be read.

    Only beyond `HEIGHT_MAX` (a thousand rows) everything is squeezed to fit.
    """
    count = sum(len(rollout.regions) for rollout in timeline.rollouts)
    row = min(max(ROWS_AIM / max(count, 1), ROW_MIN), ROW_MAX)
    bands = sum(len(rollout.phases) for rollout in timeline.rollouts)
    heading = ROLLOUT_HEADING if len(timeline.rollouts) > 1 else 0.0
    full = count * row + bands * PHASE_HEADING + len(timeline.rollouts) * (heading + GAP)
    scale = min(1.0, HEIGHT_MAX / max(full, 1.0))
    blocks = []
    top = 0.0
    for rollout in timeline.rollouts:
        block = _block(rollout, top, heading * scale, row * scale, PHASE_HEADING * scale)
        blocks.append(block)
        top = block.bottom + GAP * scale
    return Layout(tuple(blocks), max(top, ROW_MAX), row * scale, scale)


def _block(rollout: RolloutTrack, top: float, heading: float, row: float, phase_heading: float) -> Block:
    at = top + heading
    bands = []
    for phase in rollout.phases:
        start = at
        at += phase_heading
        rows = []
        for region in phase.regions:
            rows.append(Row(region, at, row, _lanes(region, at, row)))
            at += row
        bands.append(Band(phase, start, tuple(rows), phase_heading))
    return Block(rollout, top, tuple(bands), heading)


def _lanes(region: RegionTrack, top: float, height: float) -> tuple[Lane, ...]:
    """Return a lane for every zone if something ran in one; for the zoneless cell and cross-zone batches if used."""
    zones = region.zones if any(name in region.lanes for name in region.zones) else ()
    names = [*zones, *(name for name in (ZONELESS, CROSS_ZONE) if name in region.lanes)]
    each = height * 0.8 / max(len(names), 1)
    return tuple(Lane(name, at, top + height * 0.1 + at * each, each) for at, name in enumerate(names))
