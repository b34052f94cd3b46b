"""What a run exercised, and how often: acts, rows of the life-cycle table, ends of attempts, reasons not to start.

What is at zero although the scenario could have exercised it is named. "Could" is judged from outside: the acts that
its budgets allow, the rows that follow from these acts, the rules that apply to its fleet and policy.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

from attrs import frozen

from phasegate.core import codes as c
from phasegate.core.events import Rollout
from phasegate.core.exploring.acts import Act
from phasegate.core.exploring.subject import Subject
from phasegate.core.lifecycle import Happening, Life, after
from phasegate.core.reasons import Code
from phasegate.core.tracing import ATTEMPTS, ERRORS
from phasegate.verifying.explorers import Explorer

REASONS: Final[Mapping[int, Code]] = {
    c.NO_ATTEMPT: Code.NO_ROLLOUT,
    c.ENDED: Code.ATTEMPT_ENDED,
    c.IS_CANCELLED: Code.CANCELLED,
    c.IS_PAUSED: Code.PAUSED,
    c.PHASE_SHUT: Code.PHASE_NOT_OPEN,
    c.IN_FLIGHT: Code.BATCH_IN_FLIGHT,
    c.NOT_BEFORE: Code.NOT_BEFORE,
    c.WINDOW_SHUT: Code.OUTSIDE_WINDOW,
    c.PAIR_AT_WORK: Code.PAIR_AT_WORK,
    c.GROUP_FULL: Code.GROUP_FULL,
    c.CELL_BUSY: Code.CELL_BUSY,
    c.NOT_ELIGIBLE: Code.NOT_ELIGIBLE,
    c.UPGRADED_UNHEALTHY: Code.UPGRADED_UNHEALTHY,
    c.SET_UNHEALTHY: Code.SET_UNHEALTHY,
}
"""The rules that keep a set from starting, by their bits (`core.codes`)."""


@frozen(kw_only=True)
class Coverage:
    """Counts by name, each in the order of its table; `missing` are those at zero that could have been more."""

    acts: Mapping[str, int]
    rows: Mapping[str, int]
    ends: Mapping[str, int]
    reasons: Mapping[str, int]
    missing: tuple[str, ...]


def coverage_of(explorer: Explorer) -> Coverage:
    """Return what the explorer has exercised so far."""
    acts = {Act(act).word: count for act, count in sorted(explorer.taken.items()) if count}
    rows = _rows(explorer.became)
    ends = {_end(*key): count for key, count in sorted(explorer.ended.items())}
    met = {int(bit): count for bit, count in explorer.standing.items()}
    reasons = {str(code): met[bit] for bit, code in REASONS.items() if met.get(bit)}
    missing = [f"act {act.word}" for act in _possible_acts(explorer.subject) if act.word not in acts]
    missing += [f"row {row}" for row in _possible_rows(explorer.subject) if row not in rows]
    missing += [f"reason {code}" for code in _possible_reasons(explorer.subject) if code not in reasons]
    return Coverage(acts=acts, rows=rows, ends=ends, reasons=reasons, missing=tuple(missing))


def _rows(became: Mapping[tuple[int, int, bool], int]) -> dict[str, int]:
    """Return how often each row of the life-cycle table was taken."""
    return {row_name(Life(was), Life(now), by_time): became[was, now, by_time] for was, now, by_time in sorted(became)}


def row_name(was: Life, now: Life, by_time: bool = False) -> str:
    """Return a row of the life-cycle table in words; `by_time` says that a deadline passed.

    >>> row_name(Life.VERIFYING, Life.UPGRADED)
    'verifying -> upgraded (healthy)'
    >>> row_name(Life.REPLACING, Life.RESTORING), row_name(Life.REPLACING, Life.RESTORING, True)
    ('replacing -> restoring (step-failed)', 'replacing -> restoring (deadline-passed)')
    """
    by = [
        happening.word
        for happening in Happening
        if by_time is (happening is Happening.DEADLINE_PASSED)
        and now in (after(happening, was), after(happening, was, rollback=False))
    ]
    return f"{was.word} -> {now.word}" + (f" ({' or '.join(by)})" if by else "")


def _end(status: int, code: int) -> str:
    error = ERRORS[code]
    return ATTEMPTS[status] if error is None else f"{ATTEMPTS[status]}: {error}"


def _possible_acts(subject: Subject) -> Iterable[Act]:
    """Yield the acts that the scenario leaves free or pays for, and that its fleet and policy have a use for."""
    engine, freedom = subject.engine, subject.freedom
    has_bake = engine.compiled.statics.phase_bake_ms
    has_pause = any(
        model.rolling_policy.pause_between_batches_ms or engine.compiled.rules.pause_between_batches_ms
        for model in engine.fleet.sets
    )
    has_windows = any(model.windows for model in engine.fleet.sets)
    useless = {
        Act.DELAY: not _has_delays(subject),
        Act.REST: not has_pause,
        Act.WINDOW: not has_windows,
        Act.BAKE: not has_bake,
        Act.RESUME: not freedom.pauses,
        Act.ORDER: not subject.orders,
        Act.ISSUE: not freedom.has_crashes,
        Act.EXECUTE: not freedom.has_crashes,
        Act.ADD: not subject.spares,
        Act.STOP: True,  # where there are several rollouts
    }
    left = dict(zip(range(32), freedom.budgets(), strict=False))
    for act in Act:
        purse = freedom.purse(act)
        if not useless.get(act) and (purse < 0 or left[purse]):
            yield act


def _possible_rows(subject: Subject) -> Iterable[str]:
    """Yield the rows that lead from a pending instance on, by what the budgets allow."""
    freedom = subject.freedom
    by_step = bool(freedom.failed_steps if freedom.faults is None else freedom.faults)
    by_time = bool(freedom.lost_reports if freedom.faults is None else freedom.faults)
    manual = _is_manual(subject)
    off = subject.engine.policy.document()["disable_automatic_rollback"]
    has_rollback = any(not (one.disable_automatic_rollback or off) for one in subject.engine.fleet.sets) and not manual
    yield row_name(Life.PENDING, Life.REPLACING)
    yield row_name(Life.REPLACING, Life.CONFIGURING)
    yield row_name(Life.CONFIGURING, Life.VERIFYING)
    yield row_name(Life.VERIFYING, Life.UPGRADED)
    back = Life.RESTORING if has_rollback else Life.FAILED
    for was in (Life.REPLACING, Life.CONFIGURING):
        if by_step:
            yield row_name(was, back)
        if by_time:
            yield row_name(was, back, by_time=True)
    if by_time:
        yield row_name(Life.VERIFYING, back, by_time=True)
    if has_rollback and (by_step or by_time):
        yield row_name(Life.RESTORING, Life.RESTORED)


def _possible_reasons(subject: Subject) -> Iterable[str]:
    """Yield the reasons not to start that follow from budgets, fleet and policy."""
    fleet = subject.engine.fleet
    could = {
        Code.PAUSED: bool(subject.freedom.pauses),
        Code.PAIR_AT_WORK: bool(_pairs(subject)),
        Code.NOT_BEFORE: _has_delays(subject),
        Code.OUTSIDE_WINDOW: any(model.windows for model in fleet.sets),
        Code.BATCH_IN_FLIGHT: any(model.size > 1 for model in fleet.sets),
        Code.GROUP_FULL: bool(fleet.groups),
    }
    return [str(code) for code, is_possible in could.items() if is_possible]


def _pairs(subject: Subject) -> list[str]:
    """Return the regions with sets that are the pair of one with sets."""
    regions = {model.region for model in subject.engine.fleet.sets}
    return [r.pair for r in subject.engine.fleet.regions if r.pair in regions and r.name in regions and r.pair]


def _is_manual(subject: Subject) -> bool:
    """Whether all that it begins are manual rollouts."""
    begun = [event for event in (*subject.start, *subject.orders) if isinstance(event, Rollout)]
    return all(event.sets is not None for event in begun)


def _has_delays(subject: Subject) -> bool:
    return subject.engine.compiled.rules.has_delays and not _is_manual(subject)
