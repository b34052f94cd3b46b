"""The life of an instance: the state that a report leads to, the states that the log may say, the commands (section 8).

Reports are judged as they come: one that belongs moves its instance at once and leaves a due entry, which a `became`
line of the same step must take up. A `became` line that finds no such entry needs a deadline that has passed.
"""

from __future__ import annotations

import heapq
from typing import Any, Final

from .court import Attempt, Court, on_target, standing
from .fleet_document import (
    CONFIGURING,
    CURRENT,
    EXCLUDED,
    FAILED,
    FLIGHT,
    GONE,
    OUTSIDE,
    PENDING,
    REPLACING,
    RESTORED,
    RESTORING,
    UPGRADED,
    VERIFYING,
    Instance,
    Json,
    ScaleSet,
    version_key,
)

HEALTHS: Final = frozenset(("healthy", "unhealthy", "unknown", "initializing"))
BACK: Final = "back"  # restoring, or failed where rollback is off
ANSWERS: Final[dict[str, dict[str, str]]] = {
    "disk-replaced": {REPLACING: CONFIGURING},
    "configured": {CONFIGURING: VERIFYING},
    "failed": {REPLACING: BACK, CONFIGURING: BACK},
    "disk-restored": {RESTORING: RESTORED},
    "restore-failed": {RESTORING: FAILED},
}
ENTERED: Final = FLIGHT | {PENDING, CURRENT, EXCLUDED, UPGRADED, RESTORED, FAILED}
TOO_LATE: Final = {REPLACING: BACK, CONFIGURING: BACK, VERIFYING: BACK, RESTORING: FAILED}
COMMANDED: Final = {CONFIGURING: "configure", RESTORING: "restore"}


def arm(court: Court, scale_set: ScaleSet, instance: Instance, timeout_ms: int) -> None:
    """Note that the instance entered a state in flight now, and when it must have left it."""
    instance.entered = court.t
    deadline = instance.deadline = court.t + timeout_ms
    waiting = court.deadlines.get(deadline)
    if waiting is None:
        waiting = court.deadlines[deadline] = []
        heapq.heappush(court.alarms, deadline)
    waiting.append((scale_set, instance))


def rolls_back(attempt: Attempt) -> bool:
    """Tell whether rollback is on: not in a manual rollout, not where policy or set switch it off."""
    off = attempt.rollout.policy["disable_automatic_rollback"] or attempt.scale_set.model.get(
        "disable_automatic_rollback"
    )
    return not (attempt.rollout.manual or off)


def read_signal(court: Court, line: Json) -> None:
    """Take in the reports of a `signal` line."""
    scale_set, what = court.scale_set(line["set"]), line["what"]
    if scale_set is None:
        return
    observed: int = line.get("observed_at", court.t)
    if observed > court.t:
        court.find("log", f"a report observed at {observed}, after it was given")
    answered = line.get("command")
    rows = ANSWERS.get(what)
    if rows is None and what not in HEALTHS:
        court.find("log", f"unknown report `{what}`")
        return
    instances = scale_set.instances
    for id_ in () if line.get("gone") else line["instances"]:
        instance = instances.get(id_)
        if instance is None:
            continue  # gone: reports about it are ignored, also where its id has come back
        if rows is None:
            _health(court, scale_set, instance, what, observed)
            continue
        to = rows.get(instance.state)
        if to is None or not _in_time(court, instance) or not _names(answered, instance):
            continue  # late: nothing moves
        if to == BACK:
            to = RESTORING if rolls_back(scale_set.attempt) else FAILED
        enter(court, scale_set, instance, to)
        court.due[instance] = (scale_set, to)


def _in_time(court: Court, instance: Instance) -> bool:
    # deadlines before now pass first; a report exactly at the deadline is in time (section 8, Time)
    return instance.deadline is not None and instance.deadline >= court.t


def _names(answered: Any, instance: Instance) -> bool:
    open_id = instance.open
    return open_id is not None and answered in (open_id, f"{open_id}/{instance.id}")


def _health(court: Court, scale_set: ScaleSet, instance: Instance, what: str, observed: int) -> None:
    if observed <= instance.seen:
        return
    instance.seen = observed
    scale_set.set_health(instance, what)
    if what == "healthy":
        instance.healthy_at = observed
        if instance.state == VERIFYING and observed >= instance.entered and _in_time(court, instance):
            enter(court, scale_set, instance, UPGRADED)
            court.due[instance] = (scale_set, UPGRADED)


def enter(court: Court, scale_set: ScaleSet, instance: Instance, state: str, *, by_deadline: bool = False) -> None:
    """Move an instance to a state that is not `replacing`, with everything that section 8 ties to it."""
    attempt: Attempt = scale_set.attempt
    policy, old = attempt.rollout.policy, instance.state
    unanswered = instance.unanswered = instance.unanswered or (by_deadline and old != VERIFYING)
    scale_set.enter(instance, state)
    instance.open = None
    instance.deadline = None
    if state in COMMANDED:
        court.wanted[instance] = (scale_set, COMMANDED[state])
    if state == CONFIGURING:
        instance.version = attempt.rollout.target
        _forget_health(court, scale_set, instance, "initializing")
        arm(court, scale_set, instance, policy["step_timeout_ms"])
    elif state == VERIFYING:
        arm(court, scale_set, instance, policy["health_timeout_ms"])
    elif state == RESTORING:
        arm(court, scale_set, instance, policy["step_timeout_ms"])
    elif state == UPGRADED:
        instance.broken = False
    elif state == RESTORED:
        instance.version, instance.broken = instance.before, False
        instance.failed_on |= {attempt.rollout.target_key}
        _forget_health(court, scale_set, instance, "initializing")
    else:
        instance.broken = True
        instance.failed_on |= {attempt.rollout.target_key}
        if unanswered:
            instance.version = None
        _forget_health(court, scale_set, instance, "unknown")
    if old in FLIGHT and not scale_set.in_flight:
        batch_over(court, attempt)


def _forget_health(court: Court, scale_set: ScaleSet, instance: Instance, health: str) -> None:
    scale_set.set_health(instance, health)
    instance.seen = court.t - 1  # reports observed before now are stale


def batch_over(court: Court, attempt: Attempt) -> None:
    """Note that nothing of an attempt is in flight any more."""
    attempt.over_at = court.t
    attempt.rested_from = attempt.rollout.running_ms(court.t)
    court.holds(attempt)


def read_became(court: Court, line: Json) -> None:
    """Judge a `became` line, then believe it."""
    scale_set, state, cause = court.scale_set(line["set"]), line["state"], line.get("cause")
    if scale_set is None:
        return
    if line.get("rollout") is not None and (rollout := court.rollout(line["rollout"])) is not None:
        court.attempt(rollout, scale_set)
    for id_ in line["instances"]:
        instance = scale_set.instances.get(id_)
        if state == GONE:
            if (scale_set.name, id_) not in court.removed:
                court.find("life-cycle", f"`{id_}` is gone; nobody removed it")
        elif instance is None:
            court.find("life-cycle", f"`{scale_set.name}` has no instance `{id_}` that could become `{state}`")
        elif scale_set.attempt is None:
            if state in (PENDING, CURRENT, EXCLUDED):
                continue  # a new instance of a set that no rollout has come to
            court.find("life-cycle", f"`{id_}` becomes `{state}` in a set without an attempt")
        elif state == REPLACING:
            due = court.due.pop(instance, None)
            if due is None or due[1] != REPLACING:
                court.find("life-cycle", f"`{id_}` becomes `replacing` without a batch")
        elif state not in ENTERED:
            court.find("log", f"unknown state `{state}`")
        elif state in (PENDING, CURRENT, EXCLUDED):
            _became_standing(court, scale_set, instance, state)
        else:
            _became(court, scale_set, instance, state, cause)


def _became_standing(court: Court, scale_set: ScaleSet, instance: Instance, state: str) -> None:
    rollout, old = scale_set.attempt.rollout, instance.state
    right = standing(instance, rollout)
    if state != right and not (state == EXCLUDED and right == PENDING):  # a user's policy may exclude what it likes
        court.find("life-cycle", f"`{instance.id}` on version `{instance.version}` becomes `{state}`; it is {right}")
    if old == OUTSIDE:
        return  # it joined after the attempt had ended, and waits for the next rollout
    if old not in (PENDING, CURRENT, EXCLUDED):
        court.find("life-cycle", f"no row leads from `{old}` to `{state}`: instance `{instance.id}`")
    scale_set.enter(instance, state)
    instance.deadline = None


def _became(court: Court, scale_set: ScaleSet, instance: Instance, state: str, cause: str | None) -> None:
    due = court.due.pop(instance, None)
    if due is not None and due[1] == state:
        if cause == "deadline":
            court.find("life-cycle", f"`{instance.id}` became `{state}` by a report, not by a deadline")
        return
    if due is not None:
        court.find("life-cycle", f"a report made `{instance.id}` `{due[1]}`; the log says `{state}`")
    elif state == UPGRADED:
        _promote(court, instance)
    else:
        _passed(court, scale_set.attempt, instance, state, cause)
    enter(court, scale_set, instance, state, by_deadline=cause == "deadline")


def _promote(court: Court, instance: Instance) -> None:
    if instance.state != VERIFYING:
        court.find("life-cycle", f"`{instance.id}` becomes `upgraded` from `{instance.state}`")
    elif instance.deadline is not None and court.t > instance.deadline:
        court.find("promotion", f"`{instance.id}` becomes `upgraded` after its deadline {instance.deadline}")
    elif instance.healthy_at < instance.entered:
        court.find("promotion", f"`{instance.id}` becomes `upgraded` without a healthy report since {instance.entered}")


def _passed(court: Court, attempt: Attempt, instance: Instance, state: str, cause: str | None) -> None:
    back = RESTORING if rolls_back(attempt) else FAILED
    right = TOO_LATE.get(instance.state)
    if right == BACK:
        right = back
    if state == RESTORING and attempt.rollout.manual:
        court.find("manual-restore", f"`{instance.id}` becomes `restoring` in a manual rollout")
    elif state != right:
        court.find("life-cycle", f"no row leads from `{instance.state}` to `{state}` now: instance `{instance.id}`")
    elif cause == "signal":
        court.find("life-cycle", f"`{instance.id}` becomes `{state}`; no report that answers its command says so")
    if cause != "signal" and instance.deadline is not None and court.t < instance.deadline:
        court.find("deadline", f"`{instance.id}` becomes `{state}` before its deadline {instance.deadline}")


def read_command(court: Court, line: Json) -> None:
    """Judge a `command` line: each instance has just come into the state that asks for it (section 10)."""
    scale_set, do, id_ = court.scale_set(line["set"]), line["do"], line["id"]
    if scale_set is None:
        return
    for name in line["instances"]:
        instance = scale_set.instances.get(name)
        if instance is None:
            court.find("commands", f"`{scale_set.name}` has no instance `{name}`")
            continue
        wanted = court.wanted.pop(instance, None)
        if wanted is None or wanted[1] != do:
            _unwanted(court, scale_set, instance, do)
            continue
        attempt: Attempt = scale_set.attempt
        if line["rollout"] != attempt.rollout.id:
            court.find("commands", f"`{name}` is in rollout {attempt.rollout.id}, not in {line['rollout']}")
        if do == "restore":
            if line["version"] != (instance.before or ""):  # empty where nobody knows what it had
                court.find("restore-version", f"`{name}` had `{instance.before}`, not `{line['version']}`")
        elif version_key(line["version"]) != attempt.rollout.target_key:
            court.find("commands", f"`{do}` to `{line['version']}`; the target is `{attempt.rollout.target}`")
        elif on_target(instance, attempt.rollout) and do == "replace":
            court.find("touched", f"`{name}` on `{instance.version}` is replaced with `{line['version']}`")
        if id_ in instance.commands:
            court.find("commands", f"command `{id_}/{name}` was given before")
        instance.commands += (id_,)
        instance.open = id_


def _unwanted(court: Court, scale_set: ScaleSet, instance: Instance, do: str) -> None:
    attempt: Attempt | None = scale_set.attempt
    if instance.state in (CURRENT, EXCLUDED):
        court.find("touched", f"`{do}` for `{instance.id}`, which is {instance.state}")
    elif do == "restore" and attempt is not None and attempt.rollout.manual:
        court.find("manual-restore", f"`restore` for `{instance.id}` in a manual rollout")
    else:
        court.find("commands", f"`{do}` for `{instance.id}`, which is `{instance.state}` since {instance.entered}")


def end_step(court: Court) -> None:
    """Report what a step owed and did not say: states, commands, deadlines."""
    for instance, (scale_set, state) in court.due.items():
        if scale_set.instances.get(instance.id) is not instance:
            continue
        court.find("life-cycle", f"`{scale_set.name}/{instance.id}` is `{state}` now; the log does not say so")
    court.due.clear()
    court.removed.clear()
    for instance, (scale_set, do) in court.wanted.items():
        if scale_set.instances.get(instance.id) is instance:
            court.find("commands", f"no `{do}` is recorded for `{scale_set.name}/{instance.id}`")
    court.wanted.clear()
    while court.alarms and court.alarms[0] < court.t:
        deadline = heapq.heappop(court.alarms)
        for scale_set, instance in court.deadlines.pop(deadline):
            if instance.deadline == deadline and scale_set.instances.get(instance.id) is instance:
                text = f"`{scale_set.name}/{instance.id}` is still `{instance.state}` after its deadline {deadline}"
                court.find("deadline", text)
