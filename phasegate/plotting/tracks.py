"""What a log comes to: a rollout's phases, regions and lanes over time, and the fleet's shares; nothing an instance.

Times are the log's own: integer milliseconds, since 1970 or since the start.
"""

from __future__ import annotations

from typing import Final

from attrs import frozen

from phasegate.plotting.series import Counts, Spans, Steps

CROSS_ZONE: Final = "*"
"""The lane of batches that take their instances in every zone."""


@frozen(kw_only=True)
class RegionTrack:
    """What one rollout did in one region.

    `lanes` has, in order, the zones, `-` for the zoneless cell and `*` for cross-zone batches, each only if something
    ran there: the spans in which instances were in flight. `waits` are the spans between two batches that a set
    started there one after the other. `zones` are all zones of the region.
    """

    region: str
    zones: tuple[str, ...]
    lanes: dict[str, Spans]
    waits: dict[str, Spans]
    batches: int
    upgraded: int
    restored: Counts
    failed: Counts
    faulted: Counts
    cancelled: Counts


@frozen(kw_only=True)
class PhaseTrack:
    """One phase, its regions in order. Times are None until they came.

    `number` is None for what a rollout without phases did, and for regions that a plan does not name.
    """

    number: int | None = None
    regions: tuple[RegionTrack, ...] = ()
    opened_ms: int | None = None
    ended_ms: int | None = None
    succeeded: bool | None = None
    lost: int = 0
    eligible: int = 0


@frozen(kw_only=True)
class RolloutTrack:
    """One rollout; `status` is `running` if the log does not tell of its end."""

    id: int | str
    image: str
    target: str
    started_by: str
    started_ms: int
    ended_ms: int | None
    status: str
    reason: str
    cancelled_ms: int | None
    paused: Spans
    phases: tuple[PhaseTrack, ...]

    @property
    def regions(self) -> tuple[RegionTrack, ...]:
        """The regions of all phases, in order."""
        return tuple(region for phase in self.phases for region in phase.regions)


@frozen
class Mark:
    """Something that happened to the fleet: `kind` is `published` or `scaled`, `words` say what."""

    at_ms: int
    kind: str
    words: str


@frozen(kw_only=True)
class Timeline:
    """A whole log.

    `in_flight` and `not_healthy` are counts out of the instances that the fleet has at the time, as they stood after
    each step, or after each line of a log without steps.
    """

    start_ms: int
    end_ms: int
    rollouts: tuple[RolloutTrack, ...]
    marks: tuple[Mark, ...]
    in_flight: Steps
    not_healthy: Steps
