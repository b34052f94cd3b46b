"""A batch is at most a share of its set, and what is down already counts (semantics 7)."""

from __future__ import annotations

from typing import ClassVar

from attrs import evolve, frozen

from phasegate.core.exploring.promises import Promise
from phasegate.core.model import Fleet
from phasegate.core.rules import Rules


@frozen
class Batches:
    """Rule: `cap = max(1, min(total * max_batch_percent // 100, total - 1))`, of which `cap - unhealthy` may be well.

    `prioritize_unhealthy` only orders the candidates; `pause_between_batches_ms` passes between two batches of a set.
    """

    name: ClassVar = "batches"
    reasons: ClassVar = ("batch-full", "batch-in-flight", "not-before")
    promises: ClassVar = (Promise.BATCH_WITHIN_CAP,)

    max_batch_percent: int = 20
    unhealthy_shrinks_batch: bool = True
    prioritize_unhealthy: bool = False
    pause_between_batches_ms: int = 0

    def narrow(self, rules: Rules, fleet: Fleet) -> Rules:
        """Set the limit."""
        return evolve(
            rules,
            has_batch_limit=True,
            max_batch_percent=self.max_batch_percent,
            unhealthy_shrinks_batch=self.unhealthy_shrinks_batch,
            prioritize_unhealthy=self.prioritize_unhealthy,
            pause_between_batches_ms=self.pause_between_batches_ms,
        )
