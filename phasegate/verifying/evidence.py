"""The numbers by which a promise is broken, in a sentence: counted from the lives, healths and versions themselves."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Final

from phasegate.core import codes as c
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.judging import BEGUN
from phasegate.core.exploring.promises import Promise
from phasegate.core.exploring.twin import Explorer, Move
from phasegate.core.lifecycle import IN_FLIGHT, Life
from phasegate.core.model import Health
from phasegate.core.tracing import ATTEMPTS, COURSES, ERRORS
from phasegate.verifying.view import MARKS


def evidence_in(twin: Explorer, promise: int, move: Move | None) -> str:
    """Return by which numbers the promise is broken: by the act `move` in the state that is laid open, or in it.

    Empty where the state says nothing of it: some promises are broken before an act, some after it.
    """
    if move is not None:
        told = _BEFORE.get(promise)
        return told(_Case(twin, move)) if told is not None and move[0] == Act.START else ""
    told = _AFTER.get(promise)
    return told(_Case(twin, (Act.START, 0, 0, 0))) if told is not None else ""


def waiting_in(twin: Explorer) -> str:
    """Return what every rollout has come to in the state that is laid open, and who of each set is not through.

    That is: how many are where, by name, and how their attempt stands; not who is current, excluded or upgraded.
    """
    case = _Case(twin, (Act.START, 0, 0, 0))
    told = [f"rollout {r} is {COURSES[case.v.course[r]]}" for r in range(twin.rollouts) if case.v.course[r]]
    for s, name in enumerate(case.directory.sets):
        marks = ", ".join(mark.replace("-", " ") for mark, bit in MARKS.items() if case.v.mark[s] & bit)
        where = f"{ATTEMPTS.get(case.v.status[s], 'in no rollout')}{f', {marks}' if marks else ''}"
        present = case.present(s)
        for life in (some for some in Life if some not in _THROUGH):
            those = [slot for slot in present if case.life(slot) == life]
            if those:
                told.append(f"{len(those)} of {len(present)} of {name} ({where}) {life.word}: {case.names(those)}")
    return "; ".join(told)


_THROUGH: Final = (Life.CURRENT, Life.EXCLUDED, Life.UPGRADED, Life.GONE)


class _Case:
    """One explored state, and an act in it, in the names of the fleet."""

    def __init__(self, twin: Explorer, move: Move) -> None:
        self.twin, self.move, self.v = twin, move, twin.v
        self.directory = twin.open.work.compiled.directory
        self.meant = twin.judge.meant

    def name(self, slot: int) -> str:
        return f"{self.directory.sets[self.v.set_of(slot)]}/{self.twin.open.work.id_of(slot)}"

    def names(self, slots: Iterable[int]) -> str:
        return ", ".join(self.name(slot) for slot in slots) or "none"

    def present(self, s: int) -> list[int]:
        return [slot for slot in self.twin.judge.members[s] if self.life(slot) != Life.GONE]

    def life(self, slot: int) -> Life:
        return Life(self.v.life[slot] & c.STATE_BITS)

    def is_bad(self, slot: int) -> bool:
        return self.v.life[slot] >> c.HEALTH_SHIFT in (Health.UNHEALTHY, Health.UNKNOWN)

    def flying(self, s: int) -> list[int]:
        return [slot for slot in self.present(s) if self.life(slot) in IN_FLIGHT]

    def starting(self) -> list[int]:
        part = self.twin.kernel.part(self.move[1], self.move[2])
        return [slot for at, slot in enumerate(part) if self.move[3] >> at & 1]

    def version(self, number: int) -> str:
        return self.twin.open.work.book.versions[number] or "unknown"


# --- before a start --------------------------------------------------------------------------------------------------


def _batch(case: _Case) -> str:
    s, slots = case.move[1], case.starting()
    total, percent = len(case.present(s)), case.meant.percent[s * 4]
    cap = max(1, min(total * percent // 100, total - 1))
    flying = len(case.flying(s))
    also = f" beside {flying} in flight" if flying else ""
    down = sum(map(case.is_bad, case.present(s)))
    of = f", {down} of whom {'is' if down == 1 else 'are'} down" if down and case.meant.shrinks else ""
    return f"{len(slots)} start{also} in {case.directory.sets[s]}: at most {cap} of {total} may ({percent} %){of}"


def _unhealthy(case: _Case) -> str:
    s = case.move[1]
    bad, total = sum(map(case.is_bad, case.present(s))), len(case.present(s))
    percent = case.meant.percent[s * 4 + 1]
    return f"{bad} of {total} in {case.directory.sets[s]} are not healthy, more than {percent} %, and a batch starts"


def _after_end(case: _Case) -> str:
    s = case.move[1]
    upgraded = [slot for slot in case.present(s) if case.life(slot) is Life.UPGRADED]
    undone = sum(case.life(slot) in (Life.RESTORED, Life.FAILED) for slot in case.present(s))
    bad = undone + sum(map(case.is_bad, upgraded))
    percent, of_set = case.meant.percent[s * 4 + 2], case.meant.percent[s * 4 + 3]
    of = len(case.present(s)) if of_set else undone + len(upgraded)
    return f"{bad} of {of} in {case.directory.sets[s]} turned out bad, of {percent} % that may, and a batch starts"


def _phase(case: _Case) -> str:
    link = case.move[1] * c.LINK
    rollout = case.v.link[link + c.LINK_ROLLOUT]
    is_open, own = case.v.plan[rollout * c.PLAN + c.PLAN_PHASE], case.v.link[link + c.LINK_PHASE]
    return f"{case.directory.sets[case.move[1]]} of phase {own} starts, and phase {is_open} is the open one"


def _target(case: _Case) -> str:
    target = case.version(case.v.link[case.move[1] * c.LINK + c.LINK_TARGET])
    parts = (
        f"{case.name(slot)} ({case.life(slot).word}, {case.version(case.v.version[slot])})" for slot in case.starting()
    )
    return f"a batch to {target} takes {', '.join(parts)}"


def _time(case: _Case) -> str:
    s = case.move[1]
    marks = {"outside its window": c.SHUT, "delayed": c.DELAYED, "resting": c.RESTING, "cancelled": c.CANCELLING}
    found = [words for words, bit in marks.items() if case.v.mark[s] & bit]
    if case.v.trait[case.v.link[s * c.LINK + c.LINK_ROLLOUT]] & c.PAUSED:
        found.append("paused")
    return f"{case.directory.sets[s]} is {' and '.join(found)}, and a batch starts"


def _numbers(case: _Case) -> str:
    def number(slot: int) -> int:
        return case.meant.numbers[slot]

    first = case.starting()[0]
    pending = [slot for slot in case.present(case.move[1]) if case.life(slot) is Life.PENDING]
    lower = [slot for slot in pending if number(slot) < number(first)]
    return f"{case.name(first)} starts before {case.names(lower)} of a lower phase ordering number"


def _domains(case: _Case) -> str:
    def domain(slot: int) -> int:
        return case.meant.domains[slot]

    first = case.starting()[0]
    begun = {domain(slot) for slot in case.present(case.move[1]) if case.life(slot) in BEGUN}
    told = ", ".join(map(str, sorted(begun)))
    return f"{case.name(first)} of upgrade domain {domain(first)} starts, and {told} was begun and is not finished"


_BEFORE: Final[Mapping[int, Callable[[_Case], str]]] = {
    Promise.BATCH_WITHIN_CAP: _batch,
    Promise.HEALTHY_ENOUGH: _unhealthy,
    Promise.NOT_AFTER_THE_END: _after_end,
    Promise.PHASES_IN_ORDER: _phase,
    Promise.TARGET_UNTOUCHED: _target,
    Promise.NOT_BEFORE_ITS_TIME: _time,
    Promise.LOWER_NUMBERS_FIRST: _numbers,
    Promise.DOMAINS_FINISHED: _domains,
}


# --- in a state ------------------------------------------------------------------------------------------------------


def _at_work(case: _Case) -> str:
    v, regions = case.v, case.directory.regions
    busy = {v.link[s * c.LINK + c.LINK_REGION] for s in range(case.twin.sets) if v.status[s] == c.ROLLING}
    return f"at work: {', '.join(regions[region] for region in sorted(busy))}"


def _phases(case: _Case) -> str:
    told = []
    for r in range(case.twin.rollouts):
        if case.v.course[r] and case.v.trait[r] & c.PHASED:
            plan = case.v.plan[r * c.PLAN : (r + 1) * c.PLAN]
            at = f"in phase {plan[c.PLAN_PHASE]} of {plan[c.PLAN_PHASES]}"
            taken = f", {plan[c.PLAN_LOST]} of {plan[c.PLAN_ELIGIBLE]} taken over of it are lost"
            told.append(
                f"rollout {r} is {COURSES[case.v.course[r]]} {at}{taken if plan[c.PLAN_ELIGIBLE] else ''}, where "
                f"{case.meant.phase_failure_percent} % may be lost"
            )
    return "; ".join((*told, _stops(case)))


def _busy(case: _Case) -> str:
    held = [
        f"{case.directory.sets[s]} holds {case.directory.cells[cell] if cell >= 0 else 'no cell'}"
        for s in range(case.twin.sets)
        if (cell := case.v.link[s * c.LINK + c.LINK_HOLD]) >= 0 or case.flying(s)
    ]
    return "; ".join(held)


def _places(case: _Case) -> str:
    return "in flight: " + "; ".join(
        f"{case.names(case.flying(s))} of upgrade domains "
        + ", ".join(sorted({str(case.meant.domains[x]) for x in case.flying(s)}))
        for s in range(case.twin.sets)
        if case.flying(s)
    )


def _versions(case: _Case) -> str:
    slots = [slot for s in range(case.twin.sets) for slot in case.present(s)]
    return "; ".join(
        f"{case.name(slot)} {case.life(slot).word} on {case.version(case.v.installed(slot))}" for slot in slots
    )


def _counts(case: _Case) -> str:
    told = []
    for s, name in enumerate(case.directory.sets):
        tally = case.v.tally[s * c.TALLY : (s + 1) * c.TALLY]
        kept = ", ".join(f"{tally[life]} {life.word}" for life in Life if life is not Life.GONE and tally[life])
        told.append(f"{name} has {len(case.present(s))} instances and counts {kept or 'nothing'}")
    return "; ".join(told)


def _running(case: _Case) -> str:
    running = [str(at) for at in range(case.twin.rollouts) if case.v.course[at] == c.RUNNING]
    return f"rollout {', '.join(running)} still runs, and nothing is left that must happen"


def _left(case: _Case) -> str:
    slots = [slot for s in range(case.twin.sets) for slot in case.present(s)]
    left = [slot for slot in slots if case.life(slot) in (Life.PENDING, Life.RESTORED, Life.FAILED)]
    return f"not on the target at the end: {case.names(left)}"


def _stops(case: _Case) -> str:
    told = []
    for s, name in enumerate(case.directory.sets):
        lives, bad = [case.life(slot) for slot in case.present(s)], sum(map(case.is_bad, case.present(s)))
        of = ", ".join(f"{lives.count(life)} {life.word}" for life in Life if life in lives)
        status, error = ATTEMPTS.get(case.v.status[s], "nothing"), ERRORS[case.v.code[s]]
        told.append(f"{name} is {status}{f' ({error})' if error else ''} with {of}, {bad} not healthy")
    return "; ".join(told)


def _groups(case: _Case) -> str:
    cells, sets = case.directory.cells, case.directory.sets
    told = []
    for counts, limit, members in case.meant.groups:
        names = cells if counts == "cells" else sets
        told.append(
            f"at most {limit} {counts} of {', '.join(n for n, is_in in zip(names, members, strict=True) if is_in)}"
        )
    return f"{'; '.join(told)}; {_at_work(case)}; {_busy(case)}; {_places(case)}"


_AFTER: Final[Mapping[int, Callable[[_Case], str]]] = {
    Promise.PAIRS_APART: _at_work,
    Promise.CELLS_APART: _busy,
    Promise.BATCH_WITHIN_CAP: _places,
    Promise.PHASES_IN_ORDER: _phases,
    Promise.PROMOTED_BY_HEALTH: _versions,
    Promise.OWN_DISK_BACK: _versions,
    Promise.TARGET_UNTOUCHED: _versions,
    Promise.MANUAL_NEVER_RESTORES: _versions,
    Promise.COUNTS_ADD_UP: _counts,
    Promise.COMMANDS_AS_RECORDED: _versions,
    Promise.EVERY_ROLLOUT_ENDS: _running,
    Promise.EVERYONE_UPGRADED: _left,
    Promise.SMALL_SETS_END: _running,
    Promise.LATE_MOVES_NOTHING: _versions,
    Promise.GROUPS_WITHIN_LIMITS: _groups,
    Promise.LIVES_AS_WRITTEN: _versions,
    Promise.STOPPED_FOR_A_REASON: _phases,
}
