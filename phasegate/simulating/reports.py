"""Reports of one set that say the same: the unit in which they are scheduled, written down and read back."""

from __future__ import annotations

from array import array
from collections.abc import Iterable
from typing import Final

from attrs import field, frozen

from phasegate.core.events import Signals, What
from phasegate.core.lifecycle import Do
from phasegate.core.packing import repeated

_BYTES: Final = tuple(bytes((number,)) for number in range(256))


@frozen
class Reports:
    """The same report about each of `slots`, all of one set.

    `attempt`, `answers` and `command` (the id of the commands' line) name what is answered; health answers nothing.
    """

    set: str
    what: What
    slots: array[int] = field(eq=bytes)
    observed_at: int
    attempt: int = 0
    answers: Do = Do.NOTHING
    command: str | None = None


def joined(reports: Iterable[Reports], now: int) -> Signals:
    r"""Return all reports as one event, in their order.

    >>> both = joined([Reports("eastus/web", What.HEALTHY, array("I", [3, 4]), observed_at=5)], now=7)
    >>> len(both), both.what, list(both.observed_at), both.now
    (2, b'\x00\x00', [5, 5], 7)
    """
    parts = list(reports)
    if len(parts) == 1:  # nearly always, where no two instances take equally long
        (part,) = parts
        count = len(part.slots)
        observed_at, attempt = array("q", (part.observed_at,)), array("I", (part.attempt,))
        what, answers = _BYTES[part.what], _BYTES[part.answers]
        return Signals(part.slots, what * count, observed_at * count, attempt * count, answers * count, now)
    counts = [len(part.slots) for part in parts]
    slots = array("I", b"".join([part.slots for part in parts]))
    return Signals(
        slots,
        b"".join([_BYTES[part.what] * count for part, count in zip(parts, counts, strict=True)]),
        repeated([part.observed_at for part in parts], counts, "q"),
        repeated([part.attempt for part in parts], counts, "I"),
        b"".join([_BYTES[part.answers] * count for part, count in zip(parts, counts, strict=True)]),
        now,
    )
