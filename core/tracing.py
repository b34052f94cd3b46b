"""From a kernel's trace to what follows from it: timers, history and book at once, facts when somebody asks."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from attrs import evolve

from phasegate.core import codes as c
from phasegate.core.facts import (
    AttemptEnded,
    AttemptStatus,
    BatchStarted,
    Commands,
    Fact,
    PhaseEnded,
    PhaseOpened,
    Progress,
    RolloutEnded,
    RolloutStatus,
)
from phasegate.core.lifecycle import COMMANDS, Life
from phasegate.core.state import AttemptRecord, State
from phasegate.core.telling import Facts, Told
from phasegate.core.telling import commands as commands_of
from phasegate.core.working import Working

ATTEMPTS: dict[int, AttemptStatus] = {
    c.WAITING: "waiting",
    c.ROLLING: "rolling-forward",
    c.COMPLETED: "completed",
    c.FAULTED: "faulted",
    c.CANCELLED: "cancelled",
}
COURSES: dict[int, RolloutStatus] = {
    c.RUNNING: "running",
    c.RO_COMPLETED: "completed",
    c.RO_FAULTED: "faulted",
    c.RO_HALTED: "halted",
    c.RO_CANCELLED: "cancelled",
}
ERRORS = {
    c.NO_ERROR: None,
    c.TOO_MANY_UPGRADED_UNHEALTHY: "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade",
    c.TOO_MANY_UNHEALTHY_BEFORE: "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade",
    c.TOO_MANY_UNHEALTHY: "MaxUnhealthyInstancePercentExceededInRollingUpgrade",
    c.REFUSED_BY_POLICY: "RefusedByPolicy",
}
ENDS = {
    c.RO_COMPLETED: "no attempt faulted or was cancelled",
    c.RO_FAULTED: "an attempt faulted",
    c.RO_HALTED: "a phase did not succeed",
    c.RO_CANCELLED: "cancelled",
}


class Reader:
    """Reads the traces of one step: what they mean for timers, history and book; the facts stay numbers (`telling`)."""

    def __init__(self, work: Working, now: int) -> None:
        self.work = work
        self.now = now
        self.parts: list[Told | Fact] = []
        self.ended: list[tuple[int, AttemptRecord]] = []
        self.opened: list[tuple[int, int]] = []
        self._set_names = work.compiled.directory.sets

    @property
    def facts(self) -> Facts:
        """All facts so far, in order."""
        return Facts(self.parts)

    def read(self, trace: array[int]) -> None:
        """Take up a trace, after those before it."""
        if not trace:
            return
        moments, rare = self.work.timers.follow(trace, self.now)
        noted: dict[int, tuple[Fact, ...]] = {}
        for at in rare:
            facts = RARE[trace[at]](self, trace, at + 1)
            if facts:
                noted[at] = facts
        self.parts.append(Told(trace, moments, noted, self.work.book, self.work.compiled.directory))

    def _restores(self, trace: array[int], at: int) -> tuple[Fact, ...]:
        v, incarnations, s = self.work.v, self.work.book.incarnations, trace[at]
        by: dict[tuple[int, int], array[int]] = {}
        for slot in trace[at + 4 : at + 4 + trace[at + 3]]:
            by.setdefault((incarnations.get(slot, 1), v.version[slot]), array("I")).append(slot)
        return tuple(commands(self.work, s, Life.RESTORING, *key, some) for key, some in by.items())

    def _across_zones(self, trace: array[int], at: int) -> tuple[Fact, ...]:
        s, bucket, count = trace[at : at + 3]
        slots = array("I", trace[at + 3 : at + 3 + count].tobytes())
        v, cells = self.work.v, self.work.compiled.directory.cells
        return (
            BatchStarted(
                v.link[s * c.LINK + c.LINK_ROLLOUT],
                self._set_names[s],
                tuple(cells[cell] for cell in sorted({v.cell_of(slot) for slot in slots})),
                v.site[bucket * c.SITE + c.SITE_DOMAIN],
                slots,
            ),
        )

    def _attempt_ended(self, trace: array[int], at: int) -> tuple[Fact, ...]:
        s, status, code = trace[at : at + 3]
        record = attempt_record(self.work, s, ATTEMPTS[status], ERRORS[code], self.now)
        self.ended.append((s, record))
        return (AttemptEnded(record.rollout, self._set_names[s], record.status, record.error, record.progress),)

    def _phase_opened(self, trace: array[int], at: int) -> tuple[Fact, ...]:
        rollout, phase = trace[at : at + 2]
        self.opened.append((rollout, phase))
        phases = self.work.book.rollouts[rollout].phases
        assert phases is not None, "only a rollout with phases opens one"
        return (PhaseOpened(rollout, phase, phases[phase]),)

    def _phase_ended(self, trace: array[int], at: int) -> tuple[Fact, ...]:
        rollout, phase, succeeded, lost, eligible = trace[at : at + 5]
        return (PhaseEnded(rollout, phase, bool(succeeded), lost, eligible),)

    def _rollout_ended(self, trace: array[int], at: int) -> tuple[Fact, ...]:
        rollout, course = trace[at : at + 2]
        reason = ENDS[course]
        if course == c.RO_COMPLETED and self.work.book.rollouts[rollout].phases is not None:
            reason = "every phase succeeded"
        return (RolloutEnded(rollout, COURSES[course], reason),)

    def _failed_more(self, trace: array[int], at: int) -> tuple[Fact, ...]:
        entry = (trace[at], trace[at + 1])
        self.work.book = evolve(self.work.book, failed_more=self.work.book.failed_more | {entry})
        return ()


RARE: dict[int, Callable[[Reader, array[int], int], tuple[Fact, ...]]] = {
    c.T_BECAME: Reader._restores,
    c.T_STARTED: Reader._across_zones,
    c.T_ATTEMPT_ENDED: Reader._attempt_ended,
    c.T_PHASE_OPENED: Reader._phase_opened,
    c.T_PHASE_ENDED: Reader._phase_ended,
    c.T_ROLLOUT_ENDED: Reader._rollout_ended,
    c.T_FAILED_MORE: Reader._failed_more,
}


def commands(work: Working, s: int, life: Life, incarnation: int, version: int, slots: array[int]) -> Commands:
    """Return the commands that instances of one set in that state are under now."""
    link, at = work.v.link, s * c.LINK
    name = work.compiled.directory.sets[s]
    rollout, attempt = link[at + c.LINK_ROLLOUT], link[at + c.LINK_ATTEMPT]
    return commands_of(life, rollout, name, attempt, incarnation, work.book.versions[version], slots)


def progress(work: Working, s: int) -> Progress:
    """Return the counts of the set's attempt (semantics 9)."""
    tally = work.v.tally[s * c.TALLY : (s + 1) * c.TALLY]
    return Progress(
        successful=tally[Life.UPGRADED],
        failed=tally[Life.RESTORED] + tally[Life.FAILED],
        in_progress=tally[c.TALLY_FLIGHT],
        pending=tally[Life.PENDING],
        skipped=tally[Life.CURRENT] + tally[Life.EXCLUDED],
    )


def attempt_record(
    work: Working, s: int, status: AttemptStatus, error: str | None, ended_at_ms: int | None
) -> AttemptRecord:
    """Return the record of the set's attempt, as it ends or while it is rolling forward (None)."""
    v = work.v
    link, tally = s * c.LINK, s * c.TALLY
    rollout = v.link[link + c.LINK_ROLLOUT]
    record = work.book.rollouts[rollout]
    return AttemptRecord(
        rollout=rollout,
        number=v.link[link + c.LINK_ATTEMPT],
        status=status,
        error=error,
        started_at_ms=v.clock[s * c.CLOCK + c.CLOCK_BEGAN] if v.tally[tally + c.TALLY_BATCHES] else None,
        ended_at_ms=ended_at_ms,
        progress=progress(work, s),
        started_by=record.started_by,
        image=record.image,
        target=record.target,
        rolled_back=v.tally[tally + Life.RESTORED],
        rollbacks_failed=v.tally[tally + c.TALLY_UNRESTORED],
    )


def outstanding(work: Working, state: State) -> tuple[Commands, ...]:
    """Return the commands that nobody has answered yet, by set, kind, incarnation and version (semantics 10)."""
    found: list[Commands] = []
    for s in range(state.rows["set"]):
        if not work.v.tally[s * c.TALLY + c.TALLY_FLIGHT]:
            continue
        by: dict[tuple[int, int, int], array[int]] = {}
        for slot in work.slots_of(s):
            life = work.v.life[slot] & c.STATE_BITS
            if life in COMMANDS:
                target = work.v.link[s * c.LINK + c.LINK_TARGET]
                version = work.v.version[slot] if life == Life.RESTORING else target
                by.setdefault((life, work.book.incarnations.get(slot, 1), version), array("I")).append(slot)
        found += (commands(work, s, Life(key[0]), key[1], key[2], by[key]) for key in sorted(by))
    return tuple(found)
