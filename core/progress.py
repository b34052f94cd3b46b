"""How far everything is: counts per rollout, phase, region and set, as plain data (semantics 9)."""

from __future__ import annotations

from typing import Any

import attrs

from phasegate.core import codes as c
from phasegate.core.calendar import two_months_before
from phasegate.core.lifecycle import Life
from phasegate.core.state import ATTEMPTS_KEPT, AttemptRecord, State
from phasegate.core.tracing import ATTEMPTS, COURSES, ERRORS, attempt_record, progress
from phasegate.core.working import Working

COUNTS = ("eligible", "upgraded", "restored", "failed", "abandoned", "excluded", "current")


def report(work: Working, state: State) -> dict[str, Any]:
    """Return the fleet's counts, the `history` of each set that has one, and the `rollouts` by their numbers."""
    by_rollout: dict[int, list[int]] = {}
    for s in range(state.rows["set"]):
        by_rollout.setdefault(work.v.link[s * c.LINK + c.LINK_ROLLOUT], []).append(s)
    return {
        "now": state.now,
        "in_flight": work.v.sums[c.SUM_FLIGHT],
        "not_healthy": work.v.sums[c.SUM_BAD],
        "history": {
            name: [attrs.asdict(record) for record in records]
            for s, name in enumerate(work.compiled.directory.sets)
            if (records := history_of(work, state, s))
        },
        "rollouts": [_rollout(work, number, by_rollout.get(number, [])) for number in range(len(work.book.rollouts))],
    }


def history_of(work: Working, state: State, s: int) -> tuple[AttemptRecord, ...]:
    """Return a set's last attempts, newest first: the one rolling forward, and those ended within two months."""
    ended = list(state.history[s])
    if ended:
        since = two_months_before(state.now)
        ended = [record for record in ended if record.ended_at_ms is None or record.ended_at_ms >= since]
    if work.v.status[s] == c.ROLLING:
        ended.insert(0, attempt_record(work, s, "rolling-forward", None, None))
    return tuple(ended[:ATTEMPTS_KEPT])


def rollout_report(work: Working, number: int) -> dict[str, Any]:
    """Return one rollout with its sets; those that another rollout has taken since are in the history alone."""
    link = work.v.link
    sets = [s for s in range(work.rows("set")) if link[s * c.LINK + c.LINK_ROLLOUT] == number]
    return _rollout(work, number, sets)


def _rollout(work: Working, number: int, sets: list[int]) -> dict[str, Any]:
    record = work.book.rollouts[number]
    regions: dict[str, dict[str, int]] = {}
    batches = 0
    for s in sets:
        into = regions.setdefault(work.model(s).region, dict.fromkeys(COUNTS, 0))
        for name, value in counts_of(work, s).items():
            into[name] += value
        batches += work.v.tally[s * c.TALLY + c.TALLY_BATCHES]
    counts = {name: sum(region[name] for region in regions.values()) for name in COUNTS}
    phase = work.v.plan[number * c.PLAN + c.PLAN_PHASE]
    return {
        "id": number,
        "image": record.image,
        "target": record.target,
        "started_by": record.started_by,
        "started_at_ms": record.started_at_ms,
        "status": COURSES[work.v.course[number]],
        "paused": bool(work.v.trait[number] & c.PAUSED),
        "phase": phase if record.phases else None,
        "phases": None if record.phases is None else [list(regions_of) for regions_of in record.phases],
        "batches": batches,
        "counts": counts,
        "regions": regions,
        "sets": [set_report(work, s) for s in sets],
        "ineligible": [{"name": name, "codes": list(codes)} for name, codes in record.ineligible],
    }


def counts_of(work: Working, s: int) -> dict[str, int]:
    """Return the set's counts; `abandoned`: pending in an ended attempt. One that left has none eligible."""
    tally = work.v.tally[s * c.TALLY : (s + 1) * c.TALLY]
    has_ended = work.v.status[s] not in (c.WAITING, c.ROLLING)
    attempted = sum(tally[life] for life in (Life.UPGRADED, Life.RESTORED, Life.FAILED)) + tally[c.TALLY_FLIGHT]
    has_left = work.v.mark[s] & c.LEFT
    pending = tally[Life.PENDING] - tally[c.TALLY_TOO_LATE]
    return {
        "eligible": 0 if has_left else attempted + pending,
        "upgraded": tally[Life.UPGRADED],
        "restored": tally[Life.RESTORED],
        "failed": tally[Life.FAILED],
        "abandoned": pending if has_ended and not has_left else 0,
        "excluded": tally[Life.EXCLUDED],
        "current": tally[Life.CURRENT],
    }


def set_report(work: Working, s: int) -> dict[str, Any]:
    """Return one set: where its attempt stands."""
    return {
        "name": work.compiled.directory.sets[s],
        "status": ATTEMPTS[work.v.status[s]],
        "error": ERRORS[work.v.code[s]],
        "batches": work.v.tally[s * c.TALLY + c.TALLY_BATCHES],
        "progress": attrs.asdict(progress(work, s), recurse=False),
    }
