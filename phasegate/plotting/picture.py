"""The plot of a rollout, put together from top to bottom: title, legend, marks, rollouts, shares, the axis of time."""

from __future__ import annotations

from typing import Final

from phasegate.plotting import palette
from phasegate.plotting.canvas import Canvas, Symbol, shortened, text_width
from phasegate.plotting.frame import MARGIN, SMALL, WIDTH, Frame
from phasegate.plotting.gantt import draw_rollouts
from phasegate.plotting.layout import Layout, lay_out
from phasegate.plotting.legend import draw_legend, flow, keys
from phasegate.plotting.panels import draw_share
from phasegate.plotting.series import Counts
from phasegate.plotting.summary import in_words, rollout_words, shared_words
from phasegate.plotting.tracks import Mark, Timeline

TITLE: Final = 0.42
UNDER_TITLE: Final = 0.19
STRIP: Final = 0.19
HEADS: Final = 0.34  # the headings of the columns, and ticks on top
SHARE: Final = 0.95
SHARE_GAP: Final = 0.24
AXIS: Final = 0.62
TICK_WIDTH: Final = 0.85  # inches for one tick's label

STRIPS: Final = (("published", palette.PUBLISHED), ("scaled", palette.SCALED))


def picture(timeline: Timeline, title: str) -> Canvas:
    """Return the drawn sheet; to be called and saved within `canvas.settings()`."""
    layout = lay_out(timeline)
    frame = Frame.of(timeline, layout)
    under_title = _under_title(timeline, frame, layout)
    legend_top = MARGIN + TITLE + len(under_title) * UNDER_TITLE
    legend, legend_height = flow(list(keys(timeline)))
    strips = [(kind, symbol, marks) for kind, symbol in STRIPS if (marks := _of_kind(timeline, kind))]
    rows_top = legend_top + legend_height + 0.1 + HEADS + len(strips) * STRIP
    shares_top = rows_top + layout.height + SHARE_GAP
    bottom = shares_top + 2 * SHARE + SHARE_GAP
    canvas = Canvas.blank(WIDTH, bottom + AXIS)

    room = WIDTH - 2 * MARGIN
    canvas.text(MARGIN, MARGIN + 0.13, shortened(title, 13, room, bold=True), size=13, bold=True)
    for line, words in enumerate(under_title):
        y = MARGIN + 0.40 + UNDER_TITLE * line
        canvas.text(MARGIN, y, shortened(words, 8.5, room), size=8.5, color=palette.MUTED)
    draw_legend(canvas, legend, legend_top)
    top = rows_top - len(strips) * STRIP
    for at, (kind, symbol, marks) in enumerate(strips):
        y = top + (at + 0.5) * STRIP
        canvas.text(MARGIN + 0.08, y, kind, size=SMALL, color=palette.MUTED)
        canvas.line([frame.left, frame.right], [y, y], palette.GRID, width=0.6, z=1)
        _marks(canvas, frame, marks, symbol, y)
    _column_heads(canvas, frame, top)
    draw_rollouts(canvas, frame, layout, rows_top)
    draw_share(
        canvas, frame, timeline.in_flight, words="in flight", color=palette.IN_FLIGHT, top=shares_top, height=SHARE
    )
    draw_share(
        canvas,
        frame,
        timeline.not_healthy,
        words="not healthy",
        color=palette.NOT_HEALTHY,
        top=shares_top + SHARE + SHARE_GAP,
        height=SHARE,
    )
    uprights = [(top, rows_top)] if strips else []
    uprights += [(rows_top + band.rows_top, rows_top + band.bottom) for band in layout.bands]
    _time_axis(canvas, frame, [*uprights, (shares_top, bottom)], top, bottom)
    return canvas


def _under_title(timeline: Timeline, frame: Frame, layout: Layout) -> list[str]:
    only = ["  ·  ".join(rollout_words(timeline.rollouts[0], frame.clock))] if len(timeline.rollouts) == 1 else []
    return [*only, in_words(timeline), *([shared_words(*layout.shared)] if any(layout.shared) else [])]


def _of_kind(timeline: Timeline, kind: str) -> list[Mark]:
    return [mark for mark in timeline.marks if mark.kind == kind]


def _marks(canvas: Canvas, frame: Frame, marks: list[Mark], symbol: Symbol, y: float) -> None:
    """Draw the symbols; what a mark is about stands beside it where there is room before the next."""
    counts = Counts()
    for mark in marks:
        counts.add(mark.at_ms, 1)
    near = list(counts.clusters(frame.ms(symbol.size / 72)))
    canvas.symbols([(frame.x(at), y) for at, _ in near], symbol, z=8)
    following = iter(marks)
    for place, (at, count) in enumerate(near):
        first = next(following).words
        label = first if count == 1 else f"{first}, and {count - 1:,} more"
        for _ in range(count - 1):
            next(following)
        x = frame.x(at) + symbol.size / 144 + 0.04
        room = (frame.x(near[place + 1][0]) if place + 1 < len(near) else frame.right) - x - 0.08
        if text_width(label, SMALL) <= room:
            canvas.text(x, y, label, size=SMALL, halo=True)


def _column_heads(canvas: Canvas, frame: Frame, y: float) -> None:
    thing = ""
    for column in frame.columns:
        if column.thing != thing:
            thing = column.thing
            canvas.text(column.right, y - 0.22, thing, size=SMALL, color=palette.MUTED, align="right")
        canvas.text(column.right, y - 0.09, column.of, size=SMALL, color=palette.MUTED, align="right")


def _time_axis(canvas: Canvas, frame: Frame, uprights: list[tuple[float, float]], top: float, bottom: float) -> None:
    """Draw the ticks above `top` and under `bottom`, and a line for each wherever something is drawn between."""
    lines = 1
    for at, label in frame.clock.ticks(int((frame.right - frame.left) / TICK_WIDTH)):
        x = frame.x(at)
        for y0, y1 in uprights:
            canvas.line([x, x], [y0, y1], palette.GRID, width=0.6, z=1.5)
        canvas.line([x, x], [bottom, bottom + 0.05], palette.MUTED, width=0.8, z=5)
        parts = label.split("\n")
        lines = max(lines, len(parts))
        canvas.text(x, top - 0.09, parts[0], size=SMALL, color=palette.MUTED, align="center")
        for line, words in enumerate(parts):
            canvas.text(x, bottom + 0.15 + 0.13 * line, words, size=SMALL, color=palette.MUTED, align="center")
    middle, y = (frame.left + frame.right) / 2, bottom + 0.20 + 0.13 * lines
    canvas.text(middle, y, frame.clock.label, size=8, color=palette.MUTED, align="center")
