"""Whether phases open and rollouts end as what was lost says (section 5).

What a set had lost that another rollout takes over is not in its lives any more: the rollout keeps two numbers instead,
for the open phase. So these are judged too: they grow by what is taken over, by nothing else, and begin anew with each
phase.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol

from attrs import frozen

from phasegate.core import codes as c
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.promises import Promise
from phasegate.core.lifecycle import Life
from phasegate.core.model import Health

if TYPE_CHECKING:
    from phasegate.core.exploring.promises import Meant
    from phasegate.core.views import Views

GOING: Final = (c.WAITING, c.ROLLING)


@frozen
class Past:
    """The columns by which phases are judged: as they were, or as they are."""

    life: Sequence[int]
    flag: Sequence[int]
    mark: Sequence[int]
    link: Sequence[int]
    plan: Sequence[int]
    course: Sequence[int]

    def kept(self, r: int) -> tuple[int, int]:
        """Return what was taken over of the open phase: how many lost, of how many eligible."""
        return self.plan[r * c.PLAN + c.PLAN_LOST], self.plan[r * c.PLAN + c.PLAN_ELIGIBLE]

    def is_of(self, s: int, r: int, phase: int) -> bool:
        """Return whether a set is of a phase and has not left it."""
        link = s * c.LINK
        is_there = self.link[link + c.LINK_ROLLOUT] == r and self.link[link + c.LINK_PHASE] == phase
        return is_there and not self.mark[s] & c.LEFT

    def lost(self, slots: Sequence[int]) -> tuple[int, int]:
        """Return how many of a set's instances are lost, and how many are eligible."""
        lost = eligible = 0
        for slot in slots:
            state, health = self.life[slot] & c.STATE_BITS, self.life[slot] >> c.HEALTH_SHIFT
            is_left = state == Life.PENDING and not self.flag[slot] & c.TOO_LATE
            is_lost = is_left or state in (Life.RESTORED, Life.FAILED)
            lost += is_lost or (state == Life.UPGRADED and health in (Health.UNHEALTHY, Health.UNKNOWN))
            eligible += is_lost or state == Life.UPGRADED
        return lost, eligible


class Judging(Protocol):
    """What is asked of a judge."""

    of: Any
    v: Views
    meant: Meant
    members: list[list[int]]


class Phases:
    """Judges phases and rollouts for a judge."""

    def __init__(self, judge: Judging) -> None:
        self.judge = judge
        self.v = judge.v
        self._before = self._now()

    def _now(self) -> Past:
        v = self.v
        return Past(v.life, v.flag, v.mark, v.link, v.plan, v.course)

    def remember(self) -> None:
        """Remember what the arena holds."""
        now = self._now()
        self._before = Past(
            bytes(now.life), bytes(now.flag), bytes(now.mark), tuple(now.link), tuple(now.plan), bytes(now.course)
        )

    def judged(self, act: int) -> Iterator[Promise]:
        """Judge what an act has made of them."""
        before, now = self._before, self._now()
        for r in range(self.judge.of.rollouts):
            if before.course[r] != c.RUNNING:
                continue
            if not self.v.trait[r] & c.PHASED:
                if now.course[r] == c.RO_COMPLETED and self._has_failed_attempts(r):
                    yield Promise.STOPPED_FOR_A_REASON
                continue
            yield from self._opened(r, act, before, now)
            yield from self._ended(r, now)

    def _opened(self, r: int, act: int, before: Past, now: Past) -> Iterator[Promise]:
        plan = r * c.PLAN
        first, last = before.plan[plan + c.PLAN_PHASE], now.plan[plan + c.PLAN_PHASE]
        for phase in range(first, last):
            if self._is_going(r, phase) or self._has_failed(r, phase, before.kept(r) if phase == first else (0, 0)):
                yield Promise.PHASES_IN_ORDER
        lost, eligible = before.kept(r) if first == last else (0, 0)
        if act == Act.ORDER and first == last:
            for s, slots in enumerate(self.judge.members):
                if before.is_of(s, r, first) and now.link[s * c.LINK + c.LINK_ROLLOUT] != r:
                    more = before.lost(slots)
                    lost, eligible = lost + more[0], eligible + more[1]
        if now.kept(r) != (lost, eligible) or 0 < now.plan[plan + c.PLAN_PHASES] <= last:
            yield Promise.PHASES_IN_ORDER

    def _ended(self, r: int, now: Past) -> Iterator[Promise]:
        """Judge that a rollout halts where its phase did not succeed, and is completed where all did."""
        plan = r * c.PLAN
        phase, phases = now.plan[plan + c.PLAN_PHASE], now.plan[plan + c.PLAN_PHASES]
        if now.course[r] in (c.RO_HALTED, c.RO_COMPLETED):
            has_failed = self._has_failed(r, phase, now.kept(r))
            if has_failed != (now.course[r] == c.RO_HALTED):
                yield Promise.STOPPED_FOR_A_REASON
        if now.course[r] == c.RO_COMPLETED and phase + 1 < phases:
            yield Promise.STOPPED_FOR_A_REASON

    def _has_failed(self, r: int, phase: int, kept: tuple[int, int]) -> bool:
        """Return whether too many of a phase are lost."""
        now = self._now()
        lost, eligible = kept
        for s, slots in enumerate(self.judge.members):
            if now.is_of(s, r, phase):
                more = now.lost(slots)
                lost, eligible = lost + more[0], eligible + more[1]
        return 100 * lost > self.judge.meant.phase_failure_percent * eligible

    def _is_going(self, r: int, phase: int) -> bool:
        now = self._now()
        return any(now.is_of(s, r, phase) and self.v.status[s] in GOING for s in range(self.judge.of.sets))

    def _has_failed_attempts(self, r: int) -> bool:
        """Return whether an attempt that its set has not left faulted or was cancelled, in a rollout without phases."""
        now = self._now()
        return any(
            now.is_of(s, r, 0) and self.v.status[s] in (c.FAULTED, c.CANCELLED) for s in range(self.judge.of.sets)
        )
