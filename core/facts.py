"""What a step brought about, as data in the order in which it came about: commands to carry out, and consequences.

Each names one set at most, and its instances by slot; `engine.ids(state, slots)` gives their ids. Nothing here is
needed to go on: the state holds it all.
"""

from __future__ import annotations

from array import array
from typing import TYPE_CHECKING, Literal

from attrs import field, frozen

from phasegate.core.lifecycle import Do, Life

if TYPE_CHECKING:
    from phasegate.core.state import State
    from phasegate.core.telling import Facts

AttemptStatus = Literal["waiting", "rolling-forward", "completed", "faulted", "cancelled"]
RolloutStatus = Literal["running", "completed", "faulted", "halted", "cancelled"]
Cause = Literal["batch", "signal", "deadline", "rollout", "scaled", "configured", "policy", "protected"]


@frozen
class Commands:
    """One command for each of `slots` (semantics 10): recorded in the state that the step returned.

    The id of one instance's command is `id` + `/` + the instance's id; `version` is what to replace with, configure
    or restore.
    """

    id: str
    do: Do
    rollout: int
    set: str
    version: str
    attempt: int
    slots: array[int] = field(eq=bytes)


@frozen
class Became:
    """Instances of one set entered a life-cycle state."""

    rollout: int | None
    set: str
    state: Life
    cause: Cause
    slots: array[int] = field(eq=bytes)


@frozen
class BatchStarted:
    """A batch has started; `cells` has more than one only with `enable_cross_zone`."""

    rollout: int
    set: str
    cells: tuple[str, ...]
    upgrade_domain: int
    slots: array[int] = field(eq=bytes)


@frozen
class RolloutStarted:
    """A rollout has begun; `phases` is None where it has none. `refused` are sets with the codes that keep them out."""

    rollout: int
    image: str
    target: str
    started_by: str
    phases: tuple[tuple[str, ...], ...] | None
    refused: tuple[tuple[str, tuple[str, ...]], ...]


@frozen
class PhaseOpened:
    """A phase has opened, counted from 0."""

    rollout: int
    phase: int
    regions: tuple[str, ...]


@frozen
class PhaseEnded:
    """A phase has ended: `lost` of its `eligible` instances are not upgraded and healthy (semantics 5)."""

    rollout: int
    phase: int
    succeeded: bool
    lost: int
    eligible: int


@frozen(kw_only=True)
class Progress:
    """The counts of a set's attempt; they sum to the set's instances (semantics 9 and 11)."""

    successful: int
    failed: int
    in_progress: int
    pending: int
    skipped: int


@frozen
class AttemptEnded:
    """One set's part of a rollout has ended; `error` is a code, None where all is well."""

    rollout: int
    set: str
    status: AttemptStatus
    error: str | None
    progress: Progress


@frozen
class RolloutEnded:
    """A rollout has ended."""

    rollout: int
    status: RolloutStatus
    reason: str


@frozen
class Ignored:
    """Reports that left the state as it is (semantics 8): `why` is `late`, `duplicate`, `stale` or `gone`."""

    what: str
    why: str
    set: str
    slots: array[int] = field(eq=bytes)


Fact = (
    Commands | Became | BatchStarted | RolloutStarted | PhaseOpened | PhaseEnded | AttemptEnded | RolloutEnded | Ignored
)


@frozen
class Step:
    """What `engine.step` returns: the next state, the commands that it recorded, and all its facts in order.

    `facts` is a sequence that makes each fact when somebody looks (`core.telling`).
    """

    state: State
    facts: Facts

    @property
    def commands(self) -> tuple[Commands, ...]:
        """The commands among the facts, in order."""
        return tuple(fact for fact in self.facts if isinstance(fact, Commands))
