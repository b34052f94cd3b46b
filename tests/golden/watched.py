"""An engine that does not trust its own counters."""

from __future__ import annotations

from collections import Counter

from phasegate.core.engine import Engine
from phasegate.core.events import Event
from phasegate.core.facts import Step
from phasegate.core.lifecycle import IN_FLIGHT, Life
from phasegate.core.model import Health
from phasegate.core.state import State


class Watched(Engine):
    """An engine that counts everything anew after each step, and holds it against what it says itself."""

    def step(self, state: State, event: Event) -> Step:
        """Step, and count."""
        step = super().step(state, event)
        self.count(step.state)
        return step

    def count(self, state: State) -> None:
        """Hold the counts of the state against its instances, one by one (promise 11)."""
        flight = ill = 0
        lives: dict[str, Counter[Life]] = {}
        for set_ in self.fleet.sets:
            slots = self.members(state, set_.full_name)
            found = lives[set_.full_name] = Counter(self.life(state, slot) for slot in slots)
            assert found[Life.GONE] == 0
            flight += sum(found[life] for life in IN_FLIGHT)
            ill += sum(self.health(state, slot) in (Health.UNHEALTHY, Health.UNKNOWN) for slot in slots)
        assert (flight, ill) == self.counts(state)
        for rollout in self.progress(state)["rollouts"]:
            for entry in rollout["sets"]:
                found = lives[entry["name"]]
                expected = {
                    "successful": found[Life.UPGRADED],
                    "failed": found[Life.RESTORED] + found[Life.FAILED],
                    "in_progress": sum(found[life] for life in IN_FLIGHT),
                    "pending": found[Life.PENDING],
                    "skipped": found[Life.CURRENT] + found[Life.EXCLUDED],
                }
                assert expected == entry["progress"]
                assert sum(expected.values()) == sum(found.values())
