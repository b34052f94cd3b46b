"""What one set's attempt runs under: the policy's numbers, unless the set's own rolling policy says otherwise."""

from __future__ import annotations

from attrs import frozen

from phasegate.core import codes as c
from phasegate.core.model import ScaleSet
from phasegate.core.rules import Rules


@frozen
class Limits:
    """The numbers of one set: percentages, pause in ms, and the option bits of `codes`."""

    percent: tuple[int, int, int]
    pause_ms: int
    option: int

    @classmethod
    def of(cls, model: ScaleSet, rules: Rules, *, is_manual: bool) -> Limits:
        """Return the limits of a set under the rules (semantics 7 and 8)."""
        own = model.rolling_policy

        def first(mine: int | None, ours: int) -> int:
            return ours if mine is None else mine

        percent = (
            first(own.max_batch_percent, rules.max_batch_percent) if rules.has_batch_limit else 100,
            first(own.max_unhealthy_percent, rules.max_unhealthy_percent) if rules.has_health_gate else 100,
            first(own.max_unhealthy_upgraded_percent, rules.max_unhealthy_upgraded_percent)
            if rules.has_upgraded_gate
            else 100,
        )
        bits = (
            (c.PRIORITIZE, first(own.prioritize_unhealthy, rules.prioritize_unhealthy)),
            (c.CROSS_ZONE, first(own.enable_cross_zone, rules.enable_cross_zone)),
            (c.FABRIC, model.service_fabric is not None and rules.finishes_upgrade_domains),
            (c.ROLLBACK, rules.has_rollback and not model.disable_automatic_rollback and not is_manual),
            (c.SHRINKS, rules.unhealthy_shrinks_batch),
            (c.OF_SET, rules.unhealthy_upgraded_of == "set"),
            (c.MANUAL_SET, is_manual),
        )
        pause_ms = first(own.pause_between_batches_ms, rules.pause_between_batches_ms)
        return cls(percent, pause_ms, sum(bit for bit, is_on in bits if is_on))
