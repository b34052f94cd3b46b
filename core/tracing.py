"""From a kernel's trace to facts: the numbers that a step left behind, as data with names."""

from __future__ import annotations

from array import array
from collections.abc import Callable

from attrs import evolve

from phasegate.core import codes as c
from phasegate.core.events import What
from phasegate.core.facts import (
    AttemptEnded,
    AttemptStatus,
    BatchStarted,
    Became,
    Cause,
    Commands,
    Fact,
    Ignored,
    PhaseEnded,
    PhaseOpened,
    Progress,
    RolloutEnded,
    RolloutStatus,
)
from phasegate.core.lifecycle import COMMANDS, Life
from phasegate.core.state import AttemptRecord, State
from phasegate.core.working import Working

CAUSES: dict[int, Cause] = {
    c.BY_BATCH: "batch",
    c.BY_SIGNAL: "signal",
    c.BY_DEADLINE: "deadline",
    c.BY_ROLLOUT: "rollout",
    c.BY_SCALING: "scaled",
    c.BY_MODEL: "configured",
    c.BY_POLICY: "policy",
    c.BY_PROTECTION: "protected",
}
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
WHY = {c.LATE: "late", c.STALE: "stale", c.DUPLICATE: "duplicate", c.IS_GONE: "gone"}
ENDS = {
    c.RO_COMPLETED: "no attempt faulted or was cancelled",
    c.RO_FAULTED: "an attempt faulted",
    c.RO_HALTED: "a phase did not succeed",
    c.RO_CANCELLED: "cancelled",
}


LIVES = tuple(Life)
DOES = {life: (do, do.word) for life, do in COMMANDS.items()}


class Reader:
    """Reads one trace: facts in order, and what they mean for timers, history and book."""

    def __init__(self, work: Working, now: int) -> None:
        self.work = work
        self.now = now
        self.facts: list[Fact] = []
        self.ended: list[tuple[int, AttemptRecord]] = []
        self.opened: list[tuple[int, int]] = []
        self._set_names = work.compiled.directory.sets

    def read(self, trace: array[int]) -> None:
        """Take up the facts of a trace, after those before it."""
        at, end = 0, len(trace)
        while at < end:
            at = READERS[trace[at]](self, trace, at + 1)

    def _became(self, trace: array[int], at: int) -> int:
        s, state, cause, count = trace[at : at + 4]
        slots = array("I", trace[at + 4 : at + 4 + count].tobytes())
        life = LIVES[state]
        link = s * c.LINK
        rollout = self.work.v.link[link + c.LINK_ROLLOUT]
        if life in COMMANDS:
            self._commands(s, life, slots)
        self.facts.append(Became(rollout if rollout >= 0 else None, self._set_names[s], life, CAUSES[cause], slots))
        if Life.REPLACING <= life <= Life.RESTORING and life is not Life.UPGRADED:
            self.work.timers.arm(c.TIMER_DEADLINE, s)
        return at + 4 + count

    def _commands(self, s: int, life: Life, slots: array[int]) -> None:
        v, book = self.work.v, self.work.book
        by: dict[tuple[int, int], array[int]] = {}
        if life is Life.RESTORING or book.incarnations:
            for slot in slots:
                version = v.version[slot] if life is Life.RESTORING else v.link[s * c.LINK + c.LINK_TARGET]
                by.setdefault((book.incarnations.get(slot, 1), version), array("I")).append(slot)
        else:
            by[(1, v.link[s * c.LINK + c.LINK_TARGET])] = slots
        for (incarnation, version), some in by.items():
            self.facts.append(commands(self.work, s, life, incarnation, version, some))

    def _ignored(self, trace: array[int], at: int) -> int:
        s, what, why, count = trace[at : at + 4]
        slots = array("I", trace[at + 4 : at + 4 + count].tobytes())
        self.facts.append(Ignored(What(what).word, WHY[why], self._set_names[s], slots))
        return at + 4 + count

    def _started(self, trace: array[int], at: int) -> int:
        s, bucket, count = trace[at : at + 3]
        slots = array("I", trace[at + 3 : at + 3 + count].tobytes())
        v, directory = self.work.v, self.work.compiled.directory
        site = bucket * c.SITE
        is_cross_zone = v.option[s] & c.CROSS_ZONE
        cells = sorted({v.cell_of(slot) for slot in slots}) if is_cross_zone else [v.site[site + c.SITE_CELL]]
        self.facts.append(
            BatchStarted(
                v.link[s * c.LINK + c.LINK_ROLLOUT],
                self._set_names[s],
                tuple(directory.cells[cell] for cell in cells),
                v.site[site + c.SITE_DOMAIN],
                slots,
            )
        )
        return at + 3 + count

    def _attempt_ended(self, trace: array[int], at: int) -> int:
        s, status, code = trace[at : at + 3]
        record = attempt_record(self.work, s, ATTEMPTS[status], ERRORS[code], self.now)
        self.ended.append((s, record))
        self.facts.append(
            AttemptEnded(record.rollout, self._set_names[s], record.status, record.error, record.progress)
        )
        return at + 3

    def _phase_opened(self, trace: array[int], at: int) -> int:
        rollout, phase = trace[at : at + 2]
        self.opened.append((rollout, phase))
        phases = self.work.book.rollouts[rollout].phases
        assert phases is not None, "only a rollout with phases opens one"
        self.facts.append(PhaseOpened(rollout, phase, phases[phase]))
        return at + 2

    def _phase_ended(self, trace: array[int], at: int) -> int:
        rollout, phase, succeeded, lost, eligible = trace[at : at + 5]
        self.facts.append(PhaseEnded(rollout, phase, bool(succeeded), lost, eligible))
        return at + 5

    def _rollout_ended(self, trace: array[int], at: int) -> int:
        rollout, course = trace[at : at + 2]
        reason = ENDS[course]
        if course == c.RO_COMPLETED and self.work.book.rollouts[rollout].phases is not None:
            reason = "every phase succeeded"
        self.facts.append(RolloutEnded(rollout, COURSES[course], reason))
        return at + 2

    def _armed(self, trace: array[int], at: int) -> int:
        self.work.timers.arm(trace[at], trace[at + 1])
        return at + 2

    def _failed_more(self, trace: array[int], at: int) -> int:
        entry = (trace[at], trace[at + 1])
        self.work.book = evolve(self.work.book, failed_more=self.work.book.failed_more | {entry})
        return at + 2


READERS: dict[int, Callable[[Reader, array[int], int], int]] = {
    c.T_BECAME: Reader._became,
    c.T_IGNORED: Reader._ignored,
    c.T_STARTED: Reader._started,
    c.T_ATTEMPT_ENDED: Reader._attempt_ended,
    c.T_PHASE_OPENED: Reader._phase_opened,
    c.T_PHASE_ENDED: Reader._phase_ended,
    c.T_ROLLOUT_ENDED: Reader._rollout_ended,
    c.T_ARMED: Reader._armed,
    c.T_FAILED_MORE: Reader._failed_more,
}


def commands(work: Working, s: int, life: Life, incarnation: int, version: int, slots: array[int]) -> Commands:
    """Return the commands that instances of one set in that state are under (semantics 10)."""
    link, at = work.v.link, s * c.LINK
    rollout, attempt = link[at + c.LINK_ROLLOUT], link[at + c.LINK_ATTEMPT]
    do, word = DOES[life]
    name = work.compiled.directory.sets[s]
    suffix = f"#{incarnation}" if incarnation > 1 else ""
    return Commands(
        f"{rollout}/{name}/{attempt}/{word}{suffix}", do, rollout, name, work.book.versions[version], attempt, slots
    )


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
