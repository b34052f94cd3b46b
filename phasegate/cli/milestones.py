"""When phases and rollouts began and ended, picked from a log while it is written."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Any, Final

import msgspec
from attrs import define, field

# quotes inside a name are escaped in JSON, so these bytes are never part of one
_LINES: Final = re.compile(rb'^.*"kind":"(?:phase|rollout)-(?:opened|started|ended)".*$', re.MULTILINE)


@define
class PhaseTimes:
    """One phase of a rollout: its times in ms UTC, None while it has not come to it."""

    phase: int
    opened_at_ms: int
    ended_at_ms: int | None = None
    succeeded: bool | None = None
    eligible: int | None = None
    lost: int | None = None


@define
class RolloutTimes:
    """One rollout: when and why it ended, and its phases as far as they have opened."""

    started_at_ms: int
    ended_at_ms: int | None = None
    reason: str | None = None
    phases: list[PhaseTimes] = field(factory=list)


@define
class Milestones:
    """The times of all rollouts of one run, by number."""

    rollouts: dict[int, RolloutTimes] = field(factory=dict)

    def watch(self, chunks: Iterable[bytes]) -> Iterator[bytes]:
        """Pass on pieces of whole lines, and take note of the milestones in them."""
        for chunk in chunks:
            for match in _LINES.finditer(chunk):
                self._note(msgspec.json.decode(match[0]))
            yield chunk

    def _note(self, line: dict[str, Any]) -> None:
        now, number = line["t"], line["rollout"]
        if line["kind"] == "rollout-started":
            self.rollouts[number] = RolloutTimes(now)
            return
        of = self.rollouts[number]
        match line["kind"]:
            case "phase-opened":
                of.phases.append(PhaseTimes(line["phase"], now))
            case "phase-ended":
                phase = of.phases[-1]
                phase.ended_at_ms, phase.succeeded = now, line["succeeded"]
                phase.eligible, phase.lost = line["eligible"], line["lost"]
            case _:
                of.ended_at_ms, of.reason = now, line["reason"]
