"""Draws one share of the fleet over time as a step area, with its maximum said beside it."""

from __future__ import annotations

from typing import Final

from phasegate.plotting import palette
from phasegate.plotting.canvas import Canvas, Symbol
from phasegate.plotting.frame import MARGIN, SMALL, Frame
from phasegate.plotting.series import Steps

BINS: Final = 1200  # about one a pixel: more steps could not be told apart
HEADROOM: Final = 1.15


def nice_step(top: float, most: int) -> float:
    """Return the smallest of 1, 2, 5 times a power of ten that divides `top` into at most `most` parts.

    >>> nice_step(8.3, 3), nice_step(0.07, 3), nice_step(100, 3)
    (5.0, 0.05, 50.0)
    """
    power = -6
    while True:
        for digit in (1, 2, 5):
            step = float(f"{digit}e{power}")
            if top <= most * step:
                return step
        power += 1


def percent(value: float) -> str:
    """Return a percentage in as few digits as tell it from 0.

    >>> percent(0), percent(8.0), percent(12.345), percent(0.01234)
    ('0 %', '8 %', '12.3 %', '0.012 %')
    """
    if value >= 1:
        return f"{value:.1f}".removesuffix(".0") + " %"
    return f"{float(f'{value:.2g}'):.6f}".rstrip("0").rstrip(".") + " %"


def draw_share(
    canvas: Canvas, frame: Frame, steps: Steps, *, words: str, color: str, top: float, height: float
) -> None:
    """Draw the share between `top` and `top + height`."""
    base = top + height
    at, high, whole = steps.peak
    most = 100 * high / whole if whole else 0.0
    limit = max(most * HEADROOM, 0.001) if most else 1.0

    def y(share: float) -> float:
        return base - height * min(share / limit, 1.0)

    step = nice_step(limit, 3)
    for number in range(int(limit / step) + 1):
        level = y(number * step)
        canvas.line([frame.left, frame.right], [level, level], palette.GRID, width=0.6, z=1)
        canvas.text(frame.left - 0.06, level, percent(number * step), size=SMALL, color=palette.MUTED, align="right")
    xs, ys = steps.outline(frame.start_ms, frame.end_ms, BINS)
    points = [frame.x(x) for x in xs]
    levels = [y(share) for share in ys]
    canvas.area(points, levels, base, palette.lighter(color), z=3)
    canvas.line(points, levels, color, width=1.0, z=4)
    canvas.line([frame.left, frame.right], [base, base], palette.MUTED, width=0.8, z=5)
    canvas.text(MARGIN + 0.08, top + 0.09, words, size=8, bold=True)
    canvas.text(MARGIN + 0.08, top + 0.24, "of the fleet", size=SMALL, color=palette.MUTED)
    beside = frame.right + 0.12
    if not high:
        canvas.text(beside, base - 0.1, "none", size=8, bold=True, color=color)
        return
    level = y(most)
    canvas.line([frame.x(at), beside - 0.04], [level, level], color, width=0.8, z=5, dashed=True)
    canvas.symbols([(frame.x(at), level)], Symbol("o", 4.5, color, "white"), z=8)
    canvas.text(beside, level + 0.02, f"at most {percent(most)}", size=8, bold=True, color=color)
    canvas.text(beside, level + 0.17, f"{high:,} of {whole:,} instances", size=SMALL, color=palette.MUTED)
    canvas.text(beside, level + 0.31, f"at {frame.clock.words(at)}", size=SMALL, color=palette.MUTED)
