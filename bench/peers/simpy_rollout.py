"""A rollout as a SimPy model: a process an instance, and one that starts batches, in a world where all goes well.

It does what the engine does for each instance: whoever is in the life cycle is counted there, every state in flight has
a deadline, and each step is a race between what is awaited and its deadline. A timeout cannot be taken back in SimPy,
so deadlines stay in its queue until they are past.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Generator
from typing import Any

import simpy

from phasegate.bench.peers.plain_rules import Attempt, PlainRules
from phasegate.core.lifecycle import Life

STEP_TIMEOUT_MS, HEALTH_TIMEOUT_MS = 90 * 60_000, 5 * 60_000  # the policy's defaults


def roll_out(rules: PlainRules, replace_ms: int, configure_ms: int, healthy_ms: int) -> int:
    """Run the whole rollout; return how long it took, in simulated ms."""
    env = simpy.Environment()
    wake = env.event()
    states: dict[int, Life] = {}
    tallies: dict[Attempt, Counter[Life]] = {}
    way = (
        (Life.REPLACING, replace_ms, STEP_TIMEOUT_MS),
        (Life.CONFIGURING, configure_ms, STEP_TIMEOUT_MS),
        (Life.VERIFYING, healthy_ms, HEALTH_TIMEOUT_MS),
    )

    def enter(number: int, state: Life, tally: Counter[Life]) -> None:
        tally[states.get(number, Life.PENDING)] -= 1
        tally[state] += 1
        states[number] = state

    def instance(attempt: Attempt, number: int) -> Generator[Any, Any, None]:
        tally = tallies.setdefault(attempt, Counter({Life.PENDING: attempt.total}))
        for state, takes_ms, at_most_ms in way:
            enter(number, state, tally)
            awaited = env.timeout(takes_ms)
            yield awaited | env.timeout(at_most_ms)
            if not awaited.processed:
                raise AssertionError("in this world everything happens in time")
        enter(number, Life.UPGRADED, tally)
        if rules.arrived(attempt) and not wake.triggered:
            wake.succeed()  # handled after every arrival of this instant, all of which were scheduled before

    def controller() -> Generator[Any, Any, None]:
        nonlocal wake
        while True:
            for batch in rules.starts():
                for number in batch.instances:
                    env.process(instance(batch.attempt, number))
            if rules.is_over:
                return
            yield wake
            wake = env.event()

    env.run(until=env.process(controller()))
    if any(+tally != Counter({Life.UPGRADED: attempt.total}) for attempt, tally in tallies.items()):
        raise AssertionError("some instance did not get to the target")
    return int(env.now)
