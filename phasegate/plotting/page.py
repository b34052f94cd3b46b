"""The plot as one self-contained web page: the drawing inline, tables of what happened, and nothing from the net."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from typing import Final

from phasegate.plotting.panels import percent
from phasegate.plotting.series import Steps
from phasegate.plotting.summary import in_words, phase_words, totals
from phasegate.plotting.times import Clock, duration
from phasegate.plotting.tracks import RolloutTrack, Timeline

_STYLE: Final = """
body { font: 14px/1.45 system-ui, sans-serif; color: #222; background: #fff; margin: 1.5rem auto; padding: 0 1rem;
       max-width: 1400px; }
h1 { font-size: 1.4rem; margin: 0; }
p { color: #555; margin: .2rem 0 1rem; }
figure { margin: 1.5rem 0 0; overflow-x: auto; }
figure svg { display: block; width: 100%; height: auto; min-width: 900px; }
.table { overflow-x: auto; }
table { border-collapse: collapse; margin: .4rem 0 1.2rem; font-variant-numeric: tabular-nums; }
caption { text-align: left; font-weight: 600; padding: .2rem 0; white-space: nowrap; }
th, td { padding: .2rem .8rem .2rem 0; border-bottom: 1px solid #d9dce1; text-align: right; white-space: nowrap; }
th { font-weight: 600; color: #555; }
th.words, td.words { text-align: left; }
"""
WORDS: Final = 4
"""How many columns of the table of rollouts hold words; the others hold numbers."""


def page(timeline: Timeline, title: str, svg: bytes) -> bytes:
    """Return the page; `svg` is the drawing as matplotlib writes it."""
    clock = Clock(timeline.start_ms, timeline.end_ms)
    parts = [
        "<!DOCTYPE html>",
        '<html lang="en">',
        f'<head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{_STYLE}</style></head>",
        f"<body><h1>{escape(title)}</h1>",
        f"<p>{escape(in_words(timeline))}</p>",
        *_rollouts(timeline),
        *_shares(timeline, clock),
        *(line for rollout in timeline.rollouts for line in _phases(rollout, clock)),
        "<figure>",
        inline(svg, title),
        "</figure>",
        "</body></html>",
        "",
    ]
    return "\n".join(parts).encode()


def inline(svg: bytes, title: str) -> str:
    """Return the drawing as it stands within a page: without prologue and metadata, with a name for screen readers."""
    text = svg.decode()
    text = text[text.index("<svg") :].rstrip()
    start, end = text.find("<metadata>"), text.find("</metadata>")
    if start >= 0:
        text = text[:start] + text[end + len("</metadata>") :]
    return text.replace("<svg ", f'<svg role="img" aria-label="{escape(title)}" ', 1)


def _table(caption: str, heads: Sequence[str], rows: Iterable[Sequence[str]], *, words: int) -> list[str]:
    def cells(row: Sequence[str], tag: str) -> str:
        kinds = (' class="words"' if at < words else "" for at in range(len(row)))
        return "".join(f"<{tag}{kind}>{escape(cell)}</{tag}>" for cell, kind in zip(row, kinds, strict=True))

    body = [f"<tr>{cells(row, 'td')}</tr>" for row in rows]
    head = f"<thead><tr>{cells(heads, 'th')}</tr></thead>"
    return [f'<div class="table"><table><caption>{escape(caption)}</caption>', head, *body, "</table></div>"]


def _rollouts(timeline: Timeline) -> list[str]:
    rows = []
    for rollout in timeline.rollouts:
        end = timeline.end_ms if rollout.ended_ms is None else rollout.ended_ms
        status = f"{rollout.status}: {rollout.reason}" if rollout.reason not in ("", rollout.status) else rollout.status
        numbers = [f"{number:,}" for number in totals(rollout.regions).values()]
        row = (rollout.image, rollout.target, rollout.started_by, status, duration(end - rollout.started_ms), *numbers)
        rows.append(row)
    heads = ("image", "target", "started by", "status", "duration", *totals(()))
    return _table("Rollouts", heads, rows, words=WORDS)


def _shares(timeline: Timeline, clock: Clock) -> list[str]:
    rows = [_share("in flight", timeline.in_flight, clock), _share("not healthy", timeline.not_healthy, clock)]
    return _table("At most at a time", ("", "share of the fleet", "instances", "of", "first at"), rows, words=1)


def _share(words: str, steps: Steps, clock: Clock) -> tuple[str, ...]:
    at, high, whole = steps.peak
    share = percent(100 * high / whole) if whole else percent(0)
    return words, share, f"{high:,}", f"{whole:,}", clock.words(at) if high else ""


def _phases(rollout: RolloutTrack, clock: Clock) -> list[str]:
    rows = []
    for phase in rollout.phases:
        name, more = phase_words(phase, clock)
        rows.append((name, ", ".join(track.region for track in phase.regions), more.replace("  ·  ", ", ")))
    return _table(f"Phases of {rollout.image} → {rollout.target}", ("phase", "regions", "course"), rows, words=3)
