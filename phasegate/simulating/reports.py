"""Reports of one set that say the same: the unit in which they are scheduled, written down and read back."""

from __future__ import annotations

from array import array
from collections.abc import Iterable

from attrs import field, frozen

from phasegate.core.events import Signals, What
from phasegate.core.lifecycle import Do


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
    slots, observed_at, attempt = array("I"), array("q"), array("I")
    what, answers = bytearray(), bytearray()
    for part in reports:
        count = len(part.slots)
        slots.extend(part.slots)
        what += bytes((part.what,)) * count
        observed_at.extend(array("q", (part.observed_at,)) * count)
        attempt.extend(array("I", (part.attempt,)) * count)
        answers += bytes((part.answers,)) * count
    return Signals(slots, bytes(what), observed_at, attempt, bytes(answers), now)
