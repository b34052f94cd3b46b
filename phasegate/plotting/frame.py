"""The frame of a rollout's plot: where time runs, where names stand left of it and counts right of it, in inches."""

from __future__ import annotations

from typing import Final

from attrs import frozen

from phasegate.plotting.canvas import text_width
from phasegate.plotting.layout import Layout, Row
from phasegate.plotting.times import Clock
from phasegate.plotting.tracks import RegionTrack, Timeline

WIDTH: Final = 14.0
MARGIN: Final = 0.2
INDENT: Final = 0.28  # of a region's name under its phase
PHASE_INDENT: Final = 0.08
NAME: Final = 7.5  # points
SMALL: Final = 7.0
HAIR: Final = 0.01  # inches: a pixel of a PNG
NAMES_MIN: Final = 1.45  # room for what the two shares are called, and their ticks
NAMES_MAX: Final = 2.8
COUNTS_MIN: Final = 1.75  # room for what is said of the maximum of a share
COLUMN_GAP: Final = 0.14
BESIDE_TIME: Final = 0.25  # the last tick's label ends right of its tick


@frozen
class Column:
    """Numbers right of the rows, one a row: of what thing, what came of it; `right` is where they end."""

    thing: str
    of: str
    bad: bool
    right: float = 0.0

    def number(self, track: RegionTrack) -> int:
        """Return the number of one row."""
        value = getattr(track, self.of)
        return value if isinstance(value, int) else value.total

    def width(self, tracks: tuple[RegionTrack, ...]) -> float:
        """Return how wide it must be."""
        texts = (self.thing, self.of, f"{max(map(self.number, tracks), default=0):,}")
        return max(text_width(text, SMALL) for text in texts) + COLUMN_GAP


COLUMNS: Final = (
    Column("instances", "upgraded", bad=False),
    Column("instances", "restored", bad=True),
    Column("instances", "failed", bad=True),
    Column("attempts", "faulted", bad=True),
    Column("attempts", "cancelled", bad=False),
)


def phase_width(name: str) -> float:
    """Return how far right of a phase's name goes on what is said of it: alike for phases of one digit and of two."""
    return max(text_width(name, 8, bold=True), 0.6) + 0.15


@frozen
class Frame:
    """Time runs from `left` to `right`; the columns stand right of it, in order."""

    start_ms: int
    end_ms: int
    left: float
    right: float
    columns: tuple[Column, ...]

    @classmethod
    def of(cls, timeline: Timeline, layout: Layout) -> Frame:
        """Make it as wide as the names and numbers allow; only `upgraded` has a column where all its numbers are 0."""
        tracks = tuple(row.track for row in layout.rows)
        names = max((_indent(row) + text_width(row.label, NAME) for row in layout.rows), default=0.0)
        left = MARGIN + min(max(names + 0.12, NAMES_MIN), NAMES_MAX)
        used = [one for one in COLUMNS if one.of == "upgraded" or any(one.number(track) for track in tracks)]
        widths = [one.width(tracks) for one in used]
        widths[0] += BESIDE_TIME
        right = WIDTH - MARGIN - 0.1 - max(sum(widths), COUNTS_MIN)
        columns = tuple(
            Column(one.thing, one.of, one.bad, right + sum(widths[: at + 1])) for at, one in enumerate(used)
        )
        return cls(timeline.start_ms, timeline.end_ms, left, right, columns)

    @property
    def clock(self) -> Clock:
        """How its times are written."""
        return Clock(self.start_ms, self.end_ms)

    def x(self, at: int) -> float:
        """Return where a time stands."""
        return self.left + (self.right - self.left) * (at - self.start_ms) / max(self.end_ms - self.start_ms, 1)

    def ms(self, inches: float) -> int:
        """Return how much time a width stands for."""
        return int(max(self.end_ms - self.start_ms, 1) * inches / (self.right - self.left))


def _indent(row: Row) -> float:
    return PHASE_INDENT + phase_width(row.phase) if row.phase else INDENT
