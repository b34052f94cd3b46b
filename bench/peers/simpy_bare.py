"""A rollout as the least SimPy model that comes to its end: a process an instance that sleeps three times.

No instance has a state, nothing has a deadline, no command is recorded and no health is reported: what a
simulation needs that only asks how long it takes. `simpy_rollout` does what the engine does.
"""

from __future__ import annotations

from collections.abc import Generator
from typing import Any

import simpy

from phasegate.bench.peers.plain_rules import Attempt, PlainRules


def roll_out(rules: PlainRules, replace_ms: int, configure_ms: int, healthy_ms: int) -> int:
    """Run the whole rollout; return how long it took, in simulated ms."""
    env = simpy.Environment()
    wake = env.event()

    def instance(attempt: Attempt) -> Generator[Any, Any, None]:
        yield env.timeout(replace_ms)
        yield env.timeout(configure_ms)
        yield env.timeout(healthy_ms)
        if rules.arrived(attempt) and not wake.triggered:
            wake.succeed()  # handled after every arrival of this instant, all of which were scheduled before

    def controller() -> Generator[Any, Any, None]:
        nonlocal wake
        while True:
            for batch in rules.starts():
                for _ in batch.instances:
                    env.process(instance(batch.attempt))
            if rules.is_over:
                return
            yield wake
            wake = env.event()

    env.run(until=env.process(controller()))
    return int(env.now)
