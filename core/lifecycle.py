"""The life of an instance: one total table, and everything that is derived from it (semantics 8).

Rules of reading: a row is an event, a column the state in which it finds the instance, the entry the state that it
leaves it in. `__` means that the event does not belong there: nothing moves, and the report is counted as late.
`BACK` is `restoring`, or `failed` where rollback is off.

Theory: ten states, one of them entered only from `pending`; the four states in flight (`replacing`, `configuring`,
`verifying`, `restoring`) are exactly those with a deadline, each has a `deadline passed` entry, and no cycle runs
through them. So an instance leaves flight after at most four deadlines, whatever is reported or lost.
Three entries give a command: whoever enters `replacing`, `configuring` or `restoring` is commanded to.
"""

from __future__ import annotations

from enum import IntEnum
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from transitions import Machine


class Life(IntEnum):
    """The state of one instance; the numbers are those of the packed column. `GONE` is what a removed slot holds."""

    CURRENT = 0
    EXCLUDED = 1
    PENDING = 2
    REPLACING = 3
    CONFIGURING = 4
    VERIFYING = 5
    UPGRADED = 6
    RESTORING = 7
    RESTORED = 8
    FAILED = 9
    GONE = 10

    @property
    def word(self) -> str:
        """The state as files and logs write it."""
        return self.name.lower()


class Happening(IntEnum):
    """What can happen to one instance; the numbers are those of the compiled table's rows."""

    BATCH_STARTS = 0
    DISK_REPLACED = 1
    CONFIGURED = 2
    HEALTHY = 3
    DEADLINE_PASSED = 4
    STEP_FAILED = 5
    DISK_RESTORED = 6
    RESTORE_FAILED = 7
    REMOVED = 8

    @property
    def word(self) -> str:
        """The event as people write it."""
        return self.name.lower().replace("_", "-")


class Do(IntEnum):
    """What an instance is commanded to do; 0 is no command (semantics 8 and 10)."""

    NOTHING = 0
    REPLACE = 1
    CONFIGURE = 2
    RESTORE = 3

    @property
    def word(self) -> str:
        """The command as files and logs write it."""
        return self.name.lower()


IN_FLIGHT: Final = (Life.REPLACING, Life.CONFIGURING, Life.VERIFYING, Life.RESTORING)
COMMANDS: Final = {Life.REPLACING: Do.REPLACE, Life.CONFIGURING: Do.CONFIGURE, Life.RESTORING: Do.RESTORE}

BACK: Final = 254
__: Final = 255
_C, _V, _U, _D, _F, _G = Life.CONFIGURING, Life.VERIFYING, Life.UPGRADED, Life.RESTORED, Life.FAILED, Life.GONE
_R = Life.REPLACING

# fmt: off
TABLE: Final[dict[Happening, tuple[int, ...]]] = {
    #                         cur exc pen rep  con  ver   upg rst rsd fai gone
    Happening.BATCH_STARTS:    (__, __, _R, __,   __,   __,   __, __, __, __, __),
    Happening.DISK_REPLACED:   (__, __, __, _C,   __,   __,   __, __, __, __, __),
    Happening.CONFIGURED:      (__, __, __, __,   _V,   __,   __, __, __, __, __),
    Happening.HEALTHY:         (__, __, __, __,   __,   _U,   __, __, __, __, __),
    Happening.DEADLINE_PASSED: (__, __, __, BACK, BACK, BACK, __, _F, __, __, __),
    Happening.STEP_FAILED:     (__, __, __, BACK, BACK, __,   __, __, __, __, __),
    Happening.DISK_RESTORED:   (__, __, __, __,   __,   __,   __, _D, __, __, __),
    Happening.RESTORE_FAILED:  (__, __, __, __,   __,   __,   __, _F, __, __, __),
    Happening.REMOVED:         (_G, _G, _G, _G,   _G,   _G,   _G, _G, _G, _G, __),
}
# fmt: on


def after(happening: Happening, life: Life, *, rollback: bool = True) -> Life | None:
    """Return the state that `happening` leads to from `life`, or None where it does not belong there.

    >>> after(Happening.DEADLINE_PASSED, Life.VERIFYING)
    <Life.RESTORING: 7>
    >>> after(Happening.DEADLINE_PASSED, Life.VERIFYING, rollback=False)
    <Life.FAILED: 9>
    >>> after(Happening.HEALTHY, Life.PENDING) is None
    True
    """
    entry = TABLE[happening][life]
    if entry == __:
        return None
    if entry == BACK:
        return Life.RESTORING if rollback else Life.FAILED
    return Life(entry)


def compiled() -> bytes:
    """Return the table as the kernel reads it: row * 16 + state, rollback off in the second 256 bytes."""
    none = bytes([__])
    flat = b"".join(bytes(TABLE[happening]).ljust(16, none) for happening in Happening).ljust(256, none)
    return b"".join(flat.replace(bytes([BACK]), bytes([to])) for to in (Life.RESTORING, Life.FAILED))


def machine(model: Any = None, *, initial: Life = Life.PENDING) -> Machine:
    """Return a `transitions` machine of one instance, built from the table.

    Its triggers are the events' words with underscores (`batch_starts`, `disk_replaced`, ...); the guard `rollback` is
    read from the model's attribute of that name, True if it has none. An event that does not belong raises
    `transitions.MachineError` and nothing moves.

    >>> one = machine()
    >>> one.batch_starts(), one.disk_replaced(), one.state
    (True, True, 'configuring')
    """
    from transitions import Machine

    built = Machine(
        model=model if model is not None else Machine.self_literal,
        states=[life.word for life in Life],
        initial=initial.word,
        transitions=rows(),
        auto_transitions=False,
    )
    for one in built.models:
        if not hasattr(one, "rollback"):
            one.rollback = True
    return built


def rows() -> list[dict[str, str]]:
    """Return the table as rows (trigger, source, dest, and the guard where there is one), in its order."""
    found = []
    for happening in Happening:
        for life in Life:
            with_rollback = after(happening, life)
            without = after(happening, life, rollback=False)
            if with_rollback is None or without is None:
                continue
            row = {"trigger": happening.name.lower(), "source": life.word, "dest": with_rollback.word}
            if with_rollback is without:
                found.append(row)
            else:
                found += [row | {"conditions": "rollback"}, row | {"dest": without.word, "unless": "rollback"}]
    return found
