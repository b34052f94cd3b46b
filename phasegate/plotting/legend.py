"""The legend of a rollout's plot: only what occurs in it, in lines as wide as the sheet."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from attrs import frozen

from phasegate.core.model import ZONELESS
from phasegate.plotting import palette
from phasegate.plotting.canvas import Canvas, Symbol, text_width
from phasegate.plotting.frame import MARGIN, SMALL, WIDTH
from phasegate.plotting.tracks import CROSS_ZONE, RegionTrack, Timeline

SIGN: Final = 0.22
GAP: Final = 0.2
LINE: Final = 0.19


@frozen
class Key:
    """One entry: a symbol, or else a swatch of a colour: `plain`, `hatched`, an upright `line` or a `dashed` one."""

    words: str
    color: str = ""
    style: str = "plain"
    symbol: Symbol | None = None


def keys(timeline: Timeline) -> Iterator[Key]:
    """Yield the entries for what occurs, zones first."""
    tracks = [track for rollout in timeline.rollouts for track in rollout.regions]
    phases = [phase for rollout in timeline.rollouts for phase in rollout.phases]
    yield from _zones(tracks)
    if any(track.waits for track in tracks):
        yield Key("between batches", palette.lighter(palette.ZONELESS))
    if any(phase.opened_ms is not None for phase in phases):
        phased = any(phase.number is not None for phase in phases)
        yield Key("phase open" if phased else "rollout running", palette.OPEN)
    if any(phase.succeeded for phase in phases):
        yield Key("phase succeeded", "#333333", "line")
    if any(phase.succeeded is False for phase in phases):
        yield Key("phase did not succeed", palette.BAD, "line")
    if any(rollout.paused for rollout in timeline.rollouts):
        yield Key("paused", palette.PAUSE, "hatched")
    if any(rollout.cancelled_ms is not None for rollout in timeline.rollouts):
        yield Key("rollout cancelled", "#111111", "dashed")
    for of, words, symbol in (
        ("restored", "instances restored", palette.RESTORED),
        ("failed", "instances failed", palette.FAILED),
        ("faulted", "attempt faulted", palette.FAULTED),
        ("cancelled", "attempt cancelled", palette.CANCELLED),
    ):
        if any(getattr(track, of) for track in tracks):
            yield Key(words, symbol=symbol)


def _zones(tracks: list[RegionTrack]) -> Iterator[Key]:
    used: dict[int, set[str]] = {}
    for track in tracks:
        for at, zone in enumerate(track.zones):
            if zone in track.lanes:
                # more zones than colours share them, and an entry
                used.setdefault(at % len(palette.ZONES), set()).add(zone)
    for at, names in sorted(used.items()):
        words = f"zone {names.pop()}" if len(names) == 1 else f"a region's zone number {at + 1}"
        yield Key(words, palette.zone(at))
    if any(ZONELESS in track.lanes for track in tracks):
        yield Key("zoneless", palette.ZONELESS)
    if any(CROSS_ZONE in track.lanes for track in tracks):
        yield Key("cross-zone", palette.CROSS_ZONE)


def flow(entries: list[Key]) -> tuple[list[tuple[float, float, Key]], float]:
    """Return where each entry stands, (x, y) from the legend's top, and how high all are together."""
    placed = []
    x, y = MARGIN, LINE / 2
    for key in entries:
        width = SIGN + 0.07 + text_width(key.words, SMALL)
        if x > MARGIN and x + width > WIDTH - MARGIN:
            x, y = MARGIN, y + LINE
        placed.append((x, y, key))
        x += width + GAP
    return placed, y + LINE / 2 if placed else 0.0


def draw_legend(canvas: Canvas, placed: list[tuple[float, float, Key]], top: float) -> None:
    """Draw the entries where `flow` placed them."""
    for x, down, key in placed:
        y = top + down
        box = (x, y - 0.05, x + SIGN, y + 0.05)
        if key.symbol is not None:
            canvas.symbols([(x + SIGN / 2, y)], key.symbol, z=8)
        elif key.style == "hatched":
            canvas.hatched(box, key.color, z=2)
        elif key.style == "plain":
            canvas.boxes([box], key.color, z=2)
        else:
            middle = x + SIGN / 2
            dashed = key.style == "dashed"
            canvas.line([middle, middle], [y - 0.07, y + 0.07], key.color, width=1.6, z=6, dashed=dashed)
        canvas.text(x + SIGN + 0.07, y, key.words, size=SMALL)
