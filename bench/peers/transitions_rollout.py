"""A rollout with a `transitions` state machine an instance: the table of `core.lifecycle`, triggered step by step.

All models share one `Machine`, which is how the library is used for many objects: a `Machine` an instance would take
several times longer to make. Models in one batch go through their steps together, so the calendar of events costs
next to nothing and what is measured is the machines.
"""

from __future__ import annotations

from functools import lru_cache
from heapq import heappop, heappush
from typing import Any

from transitions import Machine

from phasegate.bench.peers.plain_rules import Attempt, PlainRules
from phasegate.core.lifecycle import Life, rows


class Instance:
    """What a machine moves; `state` is written by it."""

    state: str
    rollback = True
    batch_starts: Any
    disk_replaced: Any
    configured: Any
    healthy: Any


def instances(count: int) -> list[Instance]:
    """Return so many pending instances, each with the machine's triggers bound to it.

    Binding takes half a millisecond each, so they are made once, and pending again.
    """
    models = _bound(count)
    for one in models:
        one.state = Life.PENDING.word
    return models


@lru_cache(maxsize=1)
def _bound(count: int) -> list[Instance]:
    models = [Instance() for _ in range(count)]
    Machine(
        model=models,
        states=[life.word for life in Life],
        initial=Life.PENDING.word,
        transitions=rows(),
        auto_transitions=False,
    )
    return models


def roll_out(rules: PlainRules, models: list[Instance], replace_ms: int, configure_ms: int, healthy_ms: int) -> int:
    """Run the whole rollout; return how long it took, in simulated ms."""
    due: list[tuple[int, int, int, Attempt, list[Instance]]] = []
    now = number = 0
    spans = (replace_ms, configure_ms, healthy_ms)
    while True:
        for batch in rules.starts():
            moving = [models[at] for at in batch.instances]
            for one in moving:
                one.batch_starts()
            number += 1
            heappush(due, (now + spans[0], number, 1, batch.attempt, moving))
        if rules.is_over:
            return now
        now = due[0][0]
        while due and due[0][0] == now:
            _, _, step, attempt, moving = heappop(due)
            if step < len(spans):
                for one in moving:
                    one.disk_replaced() if step == 1 else one.configured()
                number += 1
                heappush(due, (now + spans[step], number, step + 1, attempt, moving))
            else:
                for one in moving:
                    one.healthy()
                    rules.arrived(attempt)
