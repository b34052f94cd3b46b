"""What a rollout came to, in words: headings of the plot, and the rows of the page's table."""

from __future__ import annotations

from collections.abc import Sequence

from phasegate.plotting.times import Clock, duration
from phasegate.plotting.tracks import PhaseTrack, RegionTrack, RolloutTrack, Timeline


def counted(number: int, one: str, many: str) -> str:
    """Return a number with its noun.

    >>> counted(1, "region", "regions"), counted(2000, "region", "regions")
    ('1 region', '2,000 regions')
    """
    return f"{number:,} {one if number == 1 else many}"


def title_of(timeline: Timeline) -> str:
    """Return what the plot is called if nobody says."""
    if len(timeline.rollouts) != 1:
        return counted(len(timeline.rollouts), "rollout", "rollouts")
    return f"Rollout to {timeline.rollouts[0].target}: {timeline.rollouts[0].status}"


def totals(tracks: Sequence[RegionTrack]) -> dict[str, int]:
    """Return the sums over regions, zeros too."""
    return {
        "batches": sum(track.batches for track in tracks),
        "upgraded": sum(track.upgraded for track in tracks),
        "restored": sum(track.restored.total for track in tracks),
        "failed": sum(track.failed.total for track in tracks),
        "attempts faulted": sum(track.faulted.total for track in tracks),
        "attempts cancelled": sum(track.cancelled.total for track in tracks),
    }


def in_words(timeline: Timeline) -> str:
    """Return what happened in one line; what did not happen at all is left out."""
    tracks = [track for rollout in timeline.rollouts for track in rollout.regions]
    regions = {track.region for track in tracks}
    phases = sum(phase.number is not None for rollout in timeline.rollouts for phase in rollout.phases)
    whole = timeline.in_flight.whole[0] if timeline.in_flight else 0
    numbers = totals(tracks)
    parts = [
        duration(timeline.end_ms - timeline.start_ms),
        counted(whole, "instance", "instances"),
        counted(len(regions), "region", "regions"),
        counted(phases, "phase", "phases") if phases else "",
        counted(numbers.pop("batches"), "batch", "batches"),
        *(counted(number, what.replace("attempts", "attempt"), what) for what, number in numbers.items() if number),
    ]
    return "  ·  ".join(part for part in parts if part)


def rollout_words(rollout: RolloutTrack, clock: Clock) -> tuple[str, str]:
    """Return a rollout's name, and what is to say of it."""
    if rollout.ended_ms is None:
        state = f"{rollout.status}, started at {clock.words(rollout.started_ms)}"
    else:
        reason = f" ({rollout.reason})" if rollout.reason not in ("", rollout.status) else ""
        state = f"{rollout.status}{reason} after {duration(rollout.ended_ms - rollout.started_ms)}"
    return f"{rollout.image} → {rollout.target}", f"by {rollout.started_by}  ·  {state}"


def phase_words(phase: PhaseTrack, clock: Clock) -> tuple[str, str]:
    """Return a phase's name, and what is to say of it."""
    if phase.number is None:
        return "no phase", counted(len(phase.regions), "region", "regions")
    parts = [counted(len(phase.regions), "region", "regions")]
    if phase.opened_ms is None:
        parts.append("not opened")
    else:
        parts.append(f"opened at {clock.words(phase.opened_ms)}")
        if phase.ended_ms is None:
            parts.append("not ended")
        else:
            parts.append(f"ended after {duration(phase.ended_ms - phase.opened_ms)}")
    if phase.succeeded is not None:
        parts.append("succeeded" if phase.succeeded else "did not succeed")
        parts.append(f"{phase.lost:,} of {phase.eligible:,} lost")
    return f"phase {phase.number}", "  ·  ".join(parts)


def shared_words(rows: int, regions: int) -> str:
    """Return what the reader of a crowded plot must know: what is drawn together, and how.

    >>> shared_words(2, 30)
    'crowded: in 2 rows, 30 regions are a thin line each, in order, coloured by zone; the worst have their own rows'
    """
    return (
        f"crowded: in {counted(rows, 'row', 'rows')}, {counted(regions, 'region', 'regions')} are a thin line each,"
        " in order, coloured by zone; the worst have their own rows"
    )
