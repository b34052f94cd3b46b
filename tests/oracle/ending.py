"""Where attempts, phases and rollouts end: what they say of themselves, recomputed (sections 5, 7 and 9)."""

from __future__ import annotations

from typing import Final

from .court import Attempt, Court, Rollout
from .fleet_document import (
    CONFIGURING,
    CURRENT,
    EXCLUDED,
    FAILED,
    PENDING,
    REPLACING,
    RESTORED,
    RESTORING,
    UPGRADED,
    VERIFYING,
    Json,
    ScaleSet,
)
from .planning import left_in
from .starting import upgraded_gate

COUNTED: Final = {
    "successful": (UPGRADED,),
    "failed": (RESTORED, FAILED),
    "in_progress": (REPLACING, CONFIGURING, VERIFYING, RESTORING),
    "pending": (PENDING,),
    "skipped": (CURRENT, EXCLUDED),
}
UPGRADED_GATE: Final = "MaxUnhealthyUpgradedInstancePercentExceededInRollingUpgrade"
GATE_BEFORE: Final = "MaxUnhealthyInstancePercentExceededBeforeRollingUpgrade"
GATE_WITHIN: Final = "MaxUnhealthyInstancePercentExceededInRollingUpgrade"


def attempt_ended(court: Court, line: Json) -> None:
    """Judge an attempt's end: its counts, and whether what happened in it ends so (sections 7 and 9)."""
    rollout, scale_set = court.rollout(line["rollout"]), court.scale_set(line["set"])
    if rollout is None or scale_set is None:
        return
    attempt, status = court.attempt(rollout, scale_set), line["status"]
    if attempt.status is not None:
        court.find("attempt-over", f"the attempt of `{scale_set.name}` has already ended as `{attempt.status}`")
        return
    _progress(court, scale_set, line["progress"])
    text = _why_not(court, attempt, status, line.get("error"))
    if text:
        court.find("attempt-result", f"`{scale_set.name}` ends as `{status}`: {text}")
    attempt.status = status
    attempt.ended_from = rollout.running_ms(court.t)
    court.at_work.get(scale_set.region, set()).discard(attempt)
    if attempt.batches and not rollout.manual:
        scale_set.rolled = True
    else:
        scale_set.tried = True
    court.holds(attempt)


def _progress(court: Court, scale_set: ScaleSet, progress: Json) -> None:
    # every instance of a set with an attempt is in one of these states: what is equal to them sums to the set's size
    counted = {name: scale_set.count(*states) for name, states in COUNTED.items()}
    given = {name: progress.get(name) for name in COUNTED}
    if given != counted:
        court.find("counts", f"`{scale_set.name}` says {given}; it has {counted}")


def _why_not(court: Court, attempt: Attempt, status: str, error: str | None) -> str | None:
    """Return why an attempt cannot end so, None if it can."""
    scale_set, rollout = attempt.scale_set, attempt.rollout
    if scale_set.in_flight:
        return f"{scale_set.in_flight} instances are in flight"
    broken = upgraded_gate(rollout, scale_set)
    if status == "cancelled":
        asked = attempt.cancelled or rollout.cancelled or "policy" in (error or "").lower().casefold()
        if asked or (rollout.policy["supersede"] == "cancel" and court.superseded) or court.is_overtaken(rollout):
            return None
        if attempt.batches:
            return "nobody cancelled it"
        if not (scale_set.changed or court.superseded):  # else it may have turned ineligible
            court.leaving.append(attempt)
        return None
    if attempt.cancelled or rollout.cancelled:
        return "it was cancelled, and ends so whatever its last batch did"
    if status == "completed":
        pending = scale_set.count(PENDING)
        if pending:
            return f"{pending} instances are pending"
        if attempt.over_at == court.t and broken:
            return f"the after-batch gate was broken when its last batch ended: {broken}"
        return f"error `{error}`" if error else None
    if status == "faulted":
        return _why_no_fault(attempt, error, broken)
    return "no such end"


def _why_no_fault(attempt: Attempt, error: str | None, broken: str | None) -> str | None:
    scale_set = attempt.scale_set
    if error == UPGRADED_GATE:
        return None if broken else "the after-batch gate is not broken"
    if error not in (GATE_BEFORE, GATE_WITHIN):
        return f"unknown error `{error}`"
    if (error == GATE_WITHIN) != bool(attempt.batches):
        return f"error `{error}` after {attempt.batches} batches"
    percent = attempt.rollout.limit(scale_set, "max_unhealthy_percent")
    if 100 * scale_set.unhealthy <= percent * scale_set.total:
        return f"{scale_set.unhealthy} of {scale_set.total} are not healthy, within {percent} %"
    return None


def phase_ended(court: Court, line: Json) -> None:
    """Judge a phase's end: lost and eligible recomputed, all attempts ended, bake time passed (section 5)."""
    rollout, number = court.rollout(line["rollout"]), line["phase"]
    if rollout is None:
        return
    lost, eligible, percent = line["lost"], line["eligible"], rollout.policy["phase_failure_percent"]
    if number not in rollout.opened or number in rollout.succeeded:
        court.find("phase-result", f"phase {number} ends; it is not open")
    if line["succeeded"] != (100 * lost <= percent * eligible):
        court.find("phase-result", f"{lost} of {eligible} lost, allowed {percent} %: succeeded is {line['succeeded']}")
    regions = rollout.phases[number] if 0 <= number < len(rollout.phases) else []
    attempts = [attempt for attempt in rollout.attempts.values() if attempt.scale_set.region in regions]
    for one in left_in(court, rollout):
        # a changed model may have made a set ineligible since
        if one.region in regions and one.name not in rollout.attempts and not one.changed:
            court.find("phase-result", f"phase {number} ends without an attempt of `{one.name}`")
    for attempt in attempts:
        if attempt.status is None:
            court.find("phase-result", f"phase {number} ends while the attempt of `{attempt.scale_set.name}` goes on")
    _numbers(court, attempts, lost, eligible)
    since = max((attempt.ended_from for attempt in attempts), default=None)
    bake = rollout.policy["phase_bake_ms"]
    if eligible and since is not None and rollout.running_ms(court.t) - since < bake:
        court.find("phase-result", f"phase {number} ends less than {bake} ms after its last attempt")
    rollout.succeeded[number] = bool(line["succeeded"])


def _numbers(court: Court, attempts: list[Attempt], lost: int, eligible: int) -> None:
    # a cancelled attempt may have left its rollout (opted out, or ineligible) and then counts neither for nor against
    sure = [attempt for attempt in attempts if attempt.status != "cancelled"]
    low = sum(len(attempt.eligible()) for attempt in sure), sum(attempt.lost() for attempt in sure)
    others = [attempt for attempt in attempts if attempt.status == "cancelled"]
    more = sum(len(attempt.eligible()) for attempt in others), sum(attempt.lost() for attempt in others)
    if not low[0] <= eligible <= low[0] + more[0]:
        court.find("phase-result", f"eligible is {eligible}; it should be {_span(low[0], more[0])}")
    elif not low[1] <= lost <= low[1] + more[1]:
        court.find("phase-result", f"lost is {lost}; it should be {_span(low[1], more[1])}")


def _span(low: int, more: int) -> str:
    return f"{low} to {low + more}" if more else str(low)


def rollout_ended(court: Court, line: Json) -> None:
    """Judge a rollout's end (section 9)."""
    rollout, status = court.rollout(line["rollout"]), line["status"]
    if rollout is None:
        return
    if rollout.status is not None:
        court.find("rollout-result", f"rollout {rollout.id} has already ended as `{rollout.status}`")
        return
    ends = {attempt.status for attempt in rollout.attempts.values()}
    text = _why_not_so(rollout, status, ends, court)
    if text:
        court.find("rollout-result", f"rollout {rollout.id} ends as `{status}`: {text}")
    rollout.status = status
    court.closed.append(rollout)


def _why_not_so(rollout: Rollout, status: str, ends: set[str | None], court: Court) -> str | None:
    superseded = (rollout.policy["supersede"] == "cancel" and court.superseded) or court.is_overtaken(rollout)
    phases = range(len(rollout.phases))
    if status == "cancelled":
        stopped = rollout.cancelled or superseded or (not rollout.phases and "cancelled" in ends)
        return None if stopped else "nobody cancelled it"
    if status == "completed":
        missing = [number for number in phases if not rollout.succeeded.get(number, False)]
        if missing:
            return f"phase {missing[0]} has not succeeded"
        # a set that opts out is cancelled, and counts neither for nor against
        bad = ("faulted" in ends or rollout.cancelled) and not rollout.phases
        return "an attempt faulted, or it was cancelled" if bad else None
    if status == "halted":
        return None if False in rollout.succeeded.values() else "every phase that ended has succeeded"
    if status == "faulted":
        return None if not rollout.phases and "faulted" in ends else "no attempt faulted, or it has phases"
    return "no such end"


def end_step(court: Court) -> None:
    """Report what the ends of a step lack: a rollout's end ends all its attempts, and it alone the waiting ones."""
    for attempt in court.leaving:
        if attempt.rollout.status is None:
            court.find("attempt-result", f"`{attempt.scale_set.name}` ends as `cancelled`: nobody cancelled it")
    court.leaving.clear()
    for rollout in court.closed:
        going = [attempt.scale_set.name for attempt in rollout.attempts.values() if attempt.status is None]
        for one in left_in(court, rollout):
            if one.name not in rollout.attempts and not one.changed:
                going.append(one.name)
        if going:
            court.find("rollout-result", f"rollout {rollout.id} ends; the attempt of `{going[0]}` does not")
    court.closed.clear()
