"""Draws the rollouts: bands of phases, rows of regions, bars of zones, and what went wrong in them."""

from __future__ import annotations

from typing import Final

from phasegate.core.model import ZONELESS
from phasegate.plotting import palette
from phasegate.plotting.canvas import Box, Canvas, Symbol, shortened, text_width
from phasegate.plotting.frame import HAIR, INDENT, MARGIN, NAME, PHASE_INDENT, SMALL, WIDTH, Frame, phase_width
from phasegate.plotting.layout import Band, Block, Lane, Layout, Row
from phasegate.plotting.series import Counts, Spans
from phasegate.plotting.summary import phase_words, rollout_words
from phasegate.plotting.tracks import CROSS_ZONE

# what is marked in a row, its symbol, and how far down in the row
SYMBOLS: Final[tuple[tuple[str, Symbol, float], ...]] = (
    ("restored", palette.RESTORED, 0.22),
    ("failed", palette.FAILED, 0.78),
    ("cancelled", palette.CANCELLED, 0.50),
    ("faulted", palette.FAULTED, 0.50),
)
NAMED_FROM: Final = 0.12  # the height from which words have room in a row or heading; below, only some rows have them
NUMBERED_FROM: Final = 0.25  # the row height from which the count of a symbol has room beside it
BATCH_GAP: Final = HAIR / 2


def color_of(lane: Lane) -> str:
    """Return the colour of a lane's bars."""
    if lane.name == ZONELESS:
        return palette.ZONELESS
    return palette.CROSS_ZONE if lane.name == CROSS_ZONE else palette.zone(lane.place)


def draw_rollouts(canvas: Canvas, frame: Frame, layout: Layout, top: float) -> None:
    """Draw all rollouts, the first one's heading at `top`."""
    for block in layout.blocks:
        _heading(canvas, frame, block, top)
        for at, band in enumerate(block.bands):
            _band(canvas, frame, band, top, at, block)
        _block_marks(canvas, frame, block, top)
    _bars(canvas, frame, layout, top)
    for place, row in enumerate(layout.rows):
        _symbols(canvas, frame, row, top)
        if row.height >= NAMED_FROM or place % int(NAMED_FROM / row.height + 1) == 0:
            _words(canvas, frame, row, top)


def _heading(canvas: Canvas, frame: Frame, block: Block, top: float) -> None:
    if block.heading < NAMED_FROM:
        return
    y = top + block.top + block.heading / 2
    _, more = rollout_words(block.track, frame.clock)
    target = f" → {block.track.target}"
    room = (WIDTH - 2 * MARGIN) * 0.7 - text_width(target, 9, bold=True)
    name = shortened(block.track.image, 9, room, bold=True) + target
    end = canvas.text(MARGIN, y, name, size=9, bold=True)
    canvas.text(end + 0.15, y, shortened(more, 8, WIDTH - MARGIN - end - 0.2), size=8, color=palette.MUTED)


def _band(canvas: Canvas, frame: Frame, band: Band, top: float, at: int, block: Block) -> None:
    canvas.boxes([(MARGIN, top + band.top, WIDTH - MARGIN, top + band.bottom)], palette.BAND[at % 2], z=0)
    phase = band.track
    opened, ended = phase.opened_ms, phase.ended_ms
    y0, y1 = top + band.rows_top, top + band.bottom
    if opened is not None:
        over = (ended, block.track.ended_ms, frame.end_ms)  # a phase is open no longer than its rollout runs
        until = next(time for time in over if time is not None)
        canvas.boxes([(frame.x(opened), y0, frame.x(until), y1)], palette.OPEN, z=1)
    if phase.succeeded is not None and ended is not None:
        x = frame.x(ended)
        canvas.line([x, x], [y0, y1], "#333333" if phase.succeeded else palette.BAD, width=1.6, z=6)
    for row in band.rows[1:]:
        # on top of the shade, and faint: it leads the eye from a name to bars that are far from it
        canvas.line([MARGIN, WIDTH - MARGIN], [top + row.top] * 2, palette.GRID, width=0.4, z=1.4)
    if band.heading < NAMED_FROM:
        return
    name, more = phase_words(phase, frame.clock)
    y = top + band.top + band.heading / 2
    canvas.text(MARGIN + PHASE_INDENT, y, name, size=8, bold=True)
    start = MARGIN + PHASE_INDENT + phase_width(name)
    lost = phase.succeeded is False
    canvas.text(start, y, more, size=NAME, color=palette.BAD if lost else palette.MUTED)


def _block_marks(canvas: Canvas, frame: Frame, block: Block, top: float) -> None:
    for start, end in _wide_enough(block.track.paused, frame):
        for band in block.bands:
            canvas.hatched((start, top + band.rows_top, end, top + band.bottom), palette.PAUSE, z=2)
    if block.track.cancelled_ms is not None:
        x = frame.x(block.track.cancelled_ms)
        for band in block.bands:
            canvas.line([x, x], [top + band.rows_top, top + band.bottom], "#111111", width=1.2, z=6, dashed=True)


def _bars(canvas: Canvas, frame: Frame, layout: Layout, top: float) -> None:
    """Draw every lane's bars, all of one colour at a time: a few shapes in the file instead of thousands."""
    solid: dict[str, list[Box]] = {}
    light: dict[str, list[Box]] = {}
    for row in layout.rows:
        for lane in row.lanes:
            color = color_of(lane)
            margin = min(0.004, lane.height / 10)
            y0, y1 = top + lane.top + margin, top + lane.top + lane.height - margin
            for boxes, spans in ((solid, lane.spans), (light, lane.waits)):
                for start, end in _wide_enough(spans or Spans(), frame):
                    boxes.setdefault(color, []).append((start, y0, end, y1))
    for color, of_color in light.items():
        canvas.boxes(of_color, palette.lighter(color), z=3)
    for color, of_color in solid.items():
        canvas.boxes(of_color, color, z=4)


def _wide_enough(spans: Spans, frame: Frame) -> list[tuple[float, float]]:
    """Return where spans stand: those nearer to each other than can be seen as one, and none too narrow to be seen."""
    found = []
    for start, end in Spans.union(spans, gap=frame.ms(BATCH_GAP)):
        x = frame.x(start)
        found.append((x, max(frame.x(end), x + HAIR)))
    return found


def _symbols(canvas: Canvas, frame: Frame, row: Row, top: float) -> None:
    for of, symbol, share in SYMBOLS:
        counts: Counts = getattr(row.track, of)
        size = min(symbol.size, row.height * 72 * 0.38)
        y = top + row.top + row.height * share
        near = list(counts.clusters(frame.ms(size / 72)))
        canvas.symbols([(frame.x(at), y) for at, _ in near], Symbol(symbol.marker, size, symbol.fill, symbol.edge), z=8)
        if row.height < NUMBERED_FROM:
            continue
        for place, (at, count) in enumerate(near):
            words = f"{count:,}"
            x = frame.x(at) + size / 144 + 0.03
            end = x + text_width(words, 6.5) + 0.04
            following = frame.x(near[place + 1][0]) - size / 144 if place + 1 < len(near) else frame.right
            if count > 1 and end <= following:
                canvas.text(x, y, words, size=6.5, halo=True)


def _words(canvas: Canvas, frame: Frame, row: Row, top: float) -> None:
    y = top + row.middle
    start = MARGIN + INDENT
    if row.phase:
        canvas.text(MARGIN + PHASE_INDENT, y, row.phase, size=8, bold=True)
        start = MARGIN + PHASE_INDENT + phase_width(row.phase)
    room = frame.left - start - 0.08
    fits = text_width(row.track.region, NAME) <= room
    canvas.text(start, y, row.track.region if fits else shortened(row.label, NAME, room), size=NAME)
    for column in frame.columns:
        number = column.number(row.track)
        color = palette.GRID if not number else palette.BAD if column.bad else palette.MUTED
        words = f"{number:,}" if number else "·"
        canvas.text(column.right, y, words, size=SMALL, color=color, align="right", bold=bool(number and column.bad))
