"""Why something does not start now: reasons with their numbers, and verdicts made of them (semantics 12).

A reason has a code, its numbers by name, and `earliest` (ms UTC): when it falls away if time alone lifts it, else
None. Words are made at the edge; `str` gives the code and the numbers.
"""

from __future__ import annotations

from enum import StrEnum

from attrs import frozen

from phasegate.core.frozenmap import EMPTY, FrozenMap

Fact = int | str | tuple[str, ...]


class Code(StrEnum):
    """Every reason there is, in the order in which they are given."""

    CURRENT = "current"
    EXCLUDED = "excluded"
    FAILED_BEFORE = "failed-before"
    NOT_ELIGIBLE = "not-eligible"
    NO_ROLLOUT = "no-rollout"
    ATTEMPT_ENDED = "attempt-ended"
    CANCELLED = "cancelled"
    PAUSED = "paused"
    PHASE_NOT_OPEN = "phase-not-open"
    PAIR_AT_WORK = "pair-at-work"
    NOT_BEFORE = "not-before"
    OUTSIDE_WINDOW = "outside-window"
    BATCH_IN_FLIGHT = "batch-in-flight"
    UPGRADED_UNHEALTHY = "upgraded-unhealthy"
    SET_UNHEALTHY = "set-unhealthy"
    GROUP_FULL = "group-full"
    CELL_BUSY = "cell-busy"
    PHASE_ORDER_LATER = "phase-order-later"
    UPGRADE_DOMAIN_LATER = "upgrade-domain-later"
    POLICY = "policy"
    BATCH_FULL = "batch-full"
    LATER_IN_ORDER = "later-in-order"
    NOT_ONE_BATCH = "not-one-batch"
    NOT_PENDING = "not-pending"


@frozen
class Reason:
    """One reason, with its numbers and the earliest time at which it may fall away."""

    code: Code
    facts: FrozenMap[str, Fact] = EMPTY
    earliest: int | None = None

    def __str__(self) -> str:
        inside = ", ".join(f"{name}={_word(value)}" for name, value in self.facts.items())
        return f"{self.code}({inside})" if inside else str(self.code)


def _word(value: Fact) -> str:
    return "+".join(value) if isinstance(value, tuple) else str(value)


@frozen
class Verdict:
    """Whether a batch may start, and if not, every reason why not."""

    reasons: tuple[Reason, ...] = ()

    @property
    def admitted(self) -> bool:
        """Whether it may start."""
        return not self.reasons

    def __bool__(self) -> bool:
        return self.admitted
