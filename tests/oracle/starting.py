"""What must hold where a batch starts: one small rule each, all asked of every batch in turn."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from . import placing
from .batch import Batch, Breaches
from .court import Court, Rollout
from .fleet_document import (
    CURRENT,
    EXCLUDED,
    FAILED,
    NOT_HEALTHY,
    PENDING,
    REPLACING,
    RESTORED,
    UPGRADED,
    Json,
    ScaleSet,
)
from .living import arm
from .timing import first_instant, is_open, later_instant


def read(court: Court, line: Json) -> None:
    """Judge a `batch-started` line, then let the batch start whatever the verdict."""
    rollout, scale_set = court.rollout(line["rollout"]), court.scale_set(line["set"])
    if rollout is None or scale_set is None:
        return
    attempt = court.attempt(rollout, scale_set)
    instances = []
    for id_ in line["instances"]:
        instance = scale_set.instances.get(id_)
        if instance is None:
            court.find("commands", f"`{scale_set.name}` has no instance `{id_}`")
        else:
            instances.append(instance)
    cells = [line["cell"]] if "cell" in line else list(line["cells"])
    batch = Batch(court, rollout, attempt, scale_set, cells, line["upgrade_domain"], instances, court.t)
    for rule in ASKED:
        for name, text in rule(batch):
            court.find(name, text)
    _start(batch)


def _start(batch: Batch) -> None:
    court, attempt = batch.court, batch.attempt
    attempt.batches += 1
    attempt.domains.update((one.number, batch.domain) for one in batch.instances)
    court.at_work.setdefault(batch.scale_set.region, set()).add(attempt)
    if not batch.crosses:
        if attempt.cell is not None:
            court.holders[attempt.cell].discard(attempt)
        attempt.cell, attempt.held_at = batch.cells[0], batch.t
        court.holders.setdefault(attempt.cell, set()).add(attempt)
    for instance in batch.instances:
        if instance.is_of_another(batch.rollout.image):
            instance.version, instance.failed_on = None, frozenset()
        instance.image = batch.rollout.image
        instance.before, instance.unanswered = instance.version, False
        instance.open = None
        batch.scale_set.enter(instance, REPLACING)
        arm(court, batch.scale_set, instance, batch.rollout.policy["step_timeout_ms"])
        court.wanted[instance] = (batch.scale_set, "replace")
        court.due[instance] = (batch.scale_set, REPLACING)


def may_start(batch: Batch) -> Breaches:
    """Sections 7 and 9: the attempt goes on, its rollout too, neither is paused."""
    if batch.attempt.status is not None:
        yield "attempt-over", f"the attempt of `{batch.scale_set.name}` has ended as `{batch.attempt.status}`"
    elif batch.rollout.status is not None:
        yield "attempt-over", f"rollout {batch.rollout.id} has ended as `{batch.rollout.status}`"
    elif batch.attempt.cancelled or batch.rollout.cancelled:
        yield "attempt-over", f"the attempt of `{batch.scale_set.name}` was cancelled"
    elif batch.court.is_overtaken(batch.rollout):
        yield (
            "attempt-over",
            f"a newer version than `{batch.rollout.target}` is there, and cancels rollout {batch.rollout.id}",
        )
    if batch.rollout.paused_since is not None:
        yield "paused", f"rollout {batch.rollout.id} is paused since {batch.rollout.paused_since}"
    if batch.scale_set.in_flight:
        yield "between-batches", f"{batch.scale_set.in_flight} instances of `{batch.scale_set.name}` are in flight"


def instances(batch: Batch) -> Breaches:
    """Sections 7 and 8: pending instances of one cell and domain, each once, of the current phase ordering number."""
    seen = set()
    number = batch.scale_set.lowest_number()
    for one in batch.instances:
        if one in seen:
            yield "batch-shape", f"instance `{one.id}` is there twice"
        seen.add(one)
        if one.cell not in batch.cells or one.domain != batch.domain:
            where = f"{one.cell}, domain {one.domain}"
            yield (
                "batch-shape",
                f"`{one.id}` is in {where}; the batch in {', '.join(batch.cells)}, domain {batch.domain}",
            )
        if one.state in (CURRENT, EXCLUDED) or one.protected:
            yield "touched", f"`{one.id}` is {'protected' if one.protected else one.state}, on version `{one.version}`"
        elif one.state != PENDING:
            yield "not-pending", f"`{one.id}` is `{one.state}`"
        elif one.number != number:
            yield "phase-number", f"`{one.id}` has phase ordering number {one.number}; the current one is {number}"
    if not batch.instances:
        yield "batch-size", "an empty batch"
    if not batch.crosses and len(batch.cells) != 1:
        yield "batch-shape", f"a batch from {len(batch.cells)} cells: {', '.join(batch.cells)}"


def size(batch: Batch) -> Breaches:
    """Section 7, 4: at most cap; more than one only with the well ones within what is left of it."""
    total, count, unhealthy = batch.scale_set.total, len(batch.instances), batch.scale_set.unhealthy
    percent = batch.limit("max_batch_percent")
    cap = max(1, min(total * percent // 100, total - 1))
    if count > cap:
        yield "batch-size", f"{count} instances; {percent} % of {total} is a cap of {cap}"
    well = sum(one.health not in NOT_HEALTHY for one in batch.instances)
    room = max(0, cap - unhealthy)
    if batch.rollout.policy["unhealthy_shrinks_batch"] and count > 1 and well > room:
        yield "batch-size", f"{well} healthy instances; cap {cap} less {unhealthy} not healthy leaves {room}"


def gates(batch: Batch) -> Breaches:
    """Section 7, 1 and 2: both gates, from counts of the whole set."""
    total, unhealthy, percent = batch.scale_set.total, batch.scale_set.unhealthy, batch.limit("max_unhealthy_percent")
    if 100 * unhealthy > percent * total:
        yield "unhealthy", f"{unhealthy} of {total} are not healthy, more than {percent} %"
    broken = upgraded_gate(batch.rollout, batch.scale_set)
    if broken:
        yield "upgraded-unhealthy", broken


def upgraded_gate(rollout: Rollout, scale_set: ScaleSet) -> str | None:
    """Return in words how the after-batch gate is broken, None if it is not."""
    bad = scale_set.count(RESTORED, FAILED) + scale_set.upgraded_unhealthy
    of = scale_set.count(UPGRADED, RESTORED, FAILED)
    if rollout.policy["unhealthy_upgraded_of"] == "set":
        of = scale_set.total
    percent = rollout.limit(scale_set, "max_unhealthy_upgraded_percent")
    return f"{bad} of {of} are bad after their upgrade, more than {percent} %" if 100 * bad > percent * of else None


def pause_between(batch: Batch) -> Breaches:
    """Section 7, 5: the pause between two batches, on a clock that stands still while the rollout is paused."""
    pause = batch.limit("pause_between_batches_ms")
    if batch.attempt.rested_from is not None:
        rested = batch.rollout.running_ms(batch.t) - batch.attempt.rested_from
        if rested < pause:
            yield "pause-between", f"{rested} ms since the batch before ended; {pause} must pass"


def instant(batch: Batch) -> Breaches:
    """Section 4: windows for every batch, the delay for the first of an attempt; neither in a manual rollout."""
    rollout, scale_set = batch.rollout, batch.scale_set
    if rollout.manual:
        return
    windows = scale_set.model.get("windows") or ()
    if not is_open(windows, batch.t):
        yield "window", f"{batch.t} is in none of the {len(windows)} windows of `{scale_set.name}`"
    if batch.attempt.batches:
        return
    available = available_at(batch)
    if available is None:
        yield "delay", f"`{rollout.target}` does not count in `{scale_set.region}`"
        return
    earliest = available
    if rollout.policy["delays"]:
        later = later_instant(scale_set.name, rollout.target, available)
        first = first_instant(scale_set.name, rollout.target, scale_set.model.get("configured_at_ms"))
        earliest = later if scale_set.rolled else max(available, first)
        if scale_set.tried:  # whether it had its first rollout is a matter of reading: the earlier one binds
            earliest = min(earliest, later)
    if batch.t < earliest:
        yield (
            "delay",
            f"`{scale_set.name}` may begin at {earliest} at the earliest; the version is there from {available}",
        )


def available_at(batch: Batch) -> int | None:
    """Return when the target became available to the set: published, its phase open, its region holding the replica.

    None if a gallery's version does not count in the region.
    """
    rollout, region = batch.rollout, batch.scale_set.region
    version = batch.court.fleet.images.get(rollout.image, {}).get(rollout.target_key)
    number = rollout.phase_of(region)
    times = [rollout.opened.get(number, 0) if number is not None else 0]
    if version is not None:
        times.append(version.get("published_at_ms") or 0)
        if rollout.image.count("/") == 1:
            here = [row for row in version.get("regions") or () if row["name"] == region]
            if version.get("exclude_from_latest") or not here or here[0].get("exclude_from_latest"):
                return None
            times.append(here[0].get("replicated_at_ms") or 0)
    return max(times)


ASKED: Final[tuple[Callable[[Batch], Breaches], ...]] = (
    may_start,
    instances,
    size,
    gates,
    placing.neighbours,
    placing.groups,
    placing.fabric,
    placing.phase,
    pause_between,
    instant,
)
