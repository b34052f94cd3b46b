"""Which regions have a row of their own where there is no room for all of them, and what is left of the others.

In a large rollout most regions went well, and nobody looks for the name of one. Those of a phase share a row, in which
each is a thin line. What a reader looks for is what went wrong: a region that lost something keeps its row, those that
lost most before the others.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final

from phasegate.plotting.series import Counts
from phasegate.plotting.tracks import PhaseTrack, RegionTrack, Timeline

OWN_MOST: Final = 24
"""How many rows of their own there are at most in a crowded plot: as many as can be taken in."""

Place = tuple[int, int, int]
"""A region of a phase of a rollout, each by its place."""


def losses(track: RegionTrack) -> int:
    """Return how much went wrong in a region: instances restored and failed, attempts faulted."""
    return track.restored.total + track.failed.total + track.faulted.total


def outstanding(timeline: Timeline) -> frozenset[Place]:
    """Return the places of the regions that lost something: the most, then the first, and at most `OWN_MOST`."""
    lost = [
        (-losses(region), (rollout, phase, place))
        for rollout, of in enumerate(timeline.rollouts)
        for phase, band in enumerate(of.phases)
        for place, region in enumerate(band.regions)
        if losses(region)
    ]
    return frozenset(place for _, place in sorted(lost)[:OWN_MOST])


def parted(phase: PhaseTrack, own: Iterable[int]) -> tuple[tuple[RegionTrack, ...], tuple[RegionTrack, ...]]:
    """Return a phase's regions in two: those of the given places, and those that share a row; each in order."""
    places = frozenset(own)
    apart = tuple(region for place, region in enumerate(phase.regions) if place in places)
    shared = tuple(region for place, region in enumerate(phase.regions) if place not in places)
    return apart, shared


def summed(tracks: Sequence[RegionTrack]) -> RegionTrack:
    """Return the regions of one row as one: numbers added up, names in order, no lanes; one alone is as it is."""
    if len(tracks) == 1:
        return tracks[0]
    return RegionTrack(
        region=", ".join(track.region for track in tracks),
        zones=(),
        lanes={},
        waits={},
        batches=sum(track.batches for track in tracks),
        upgraded=sum(track.upgraded for track in tracks),
        restored=Counts.sum(track.restored for track in tracks),
        failed=Counts.sum(track.failed for track in tracks),
        faulted=Counts.sum(track.faulted for track in tracks),
        cancelled=Counts.sum(track.cancelled for track in tracks),
    )
