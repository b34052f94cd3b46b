"""Where a batch may start: neighbours, groups, Service Fabric domains and phases (sections 5 to 7)."""

from __future__ import annotations

from .batch import Batch, Breaches
from .court import unfinished


def neighbours(batch: Batch) -> Breaches:
    """Section 6: no pair at work, no cell in conflict busy, over all rollouts, itself included."""
    court = batch.court
    for pair in batch.court.fleet.pairs[batch.scale_set.region]:
        for other in court.at_work.get(pair, ()):
            yield (
                "pairs",
                f"`{batch.scale_set.region}` starts while `{other.scale_set.name}` is at work in its pair `{pair}`",
            )
    if batch.crosses:
        return
    for cell in court.fleet.conflicts(batch.cells[0]):
        for other in tuple(court.holders.get(cell, ())):
            if court.holds(other):
                yield "cells", f"`{batch.cells[0]}` starts while `{other.scale_set.name}` holds `{cell}`"


def groups(batch: Batch) -> Breaches:
    """Section 6: no group over its limit once the batch has started."""
    court = batch.court
    for group in court.fleet.groups:
        members, limit = group["members"], group["limit"]
        if group["counts"] == "cells":
            if batch.crosses or batch.cells[0] not in members:
                continue
            others = (cell for cell in members if cell != batch.cells[0])
            count = 1 + sum(any(court.holds(one) for one in tuple(court.holders.get(cell, ()))) for cell in others)
        elif batch.scale_set.name not in members:
            continue
        elif group["counts"] == "sets":
            attempts = (court.fleet.sets[name].attempt for name in members if name != batch.scale_set.name)
            count = 1 + sum(attempt is not None and attempt.at_work for attempt in attempts)
        else:
            count = len(batch.instances) + sum(court.fleet.sets[name].in_flight for name in members)
        if count > limit:
            yield "groups", f"group `{group['name']}`: {count} {group['counts']}, limit {limit}"


def fabric(batch: Batch) -> Breaches:
    """Section 7, 4: a Service Fabric set finishes a begun domain before another, in every cell that is free to it."""
    number = batch.scale_set.lowest_number()
    if number is None:
        return
    places, begun = batch.scale_set.pending[number], unfinished(batch.attempt, number)
    if batch.domain in begun:
        return
    for domain, cell in places:
        if domain in begun and (batch.crosses or cell in batch.cells or _is_free(batch, cell)):
            yield (
                "service-fabric",
                f"domain {batch.domain} starts before {places[domain, cell]} of domain {domain} in `{cell}`",
            )


def _is_free(batch: Batch, cell: str) -> bool:
    court = batch.court
    if any(cell in group["members"] for group in court.fleet.groups if group["counts"] == "cells"):
        return False  # its room is another question; better no claim
    busy = (court.holders.get(other, ()) for other in court.fleet.conflicts(cell))
    return not any(one is not batch.attempt for holders in busy for one in holders)


def phase(batch: Batch) -> Breaches:
    """Section 5: the region's phase is open, and every phase before it has succeeded."""
    if not batch.rollout.phases:
        return
    number = batch.rollout.phase_of(batch.scale_set.region)
    if number is None:
        yield "phases", f"`{batch.scale_set.region}` is in no phase of rollout {batch.rollout.id}"
        return
    for before in range(number):
        if not batch.rollout.succeeded.get(before, False):
            yield "phases", f"`{batch.scale_set.region}` of phase {number} starts; phase {before} has not succeeded"
    if number not in batch.rollout.opened:
        yield "phases", f"`{batch.scale_set.region}` starts; its phase {number} is not open"
    elif number in batch.rollout.succeeded:
        yield "phases", f"`{batch.scale_set.region}` starts; its phase {number} has ended"
