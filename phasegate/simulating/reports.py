"""Reports of one set that say the same: the unit in which they are scheduled, written down and read back."""

from __future__ import annotations

from array import array
from collections.abc import Iterable, Iterator, Sequence
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


@frozen(eq=False)
class Bulk:
    """Reports about instances of many sets, observed and delivered at one time: the columns of an event.

    `groups` has three numbers for each group of rows that say the same of one set: the set (its place in `names`), the
    rollout, and how many rows it has. Iterating gives each group as `Reports`.
    """

    names: Sequence[str] = field(repr=False)
    groups: array[int]
    slots: array[int]
    what: bytes
    attempt: array[int]
    answers: bytes
    observed_at: int

    def __len__(self) -> int:
        return len(self.slots)

    def __iter__(self) -> Iterator[Reports]:
        first = 0
        for at in range(0, len(self.groups), 3):
            s, rollout, count = self.groups[at : at + 3]
            do, attempt, name = Do(self.answers[first]), self.attempt[first], self.names[s]
            command = f"{rollout}/{name}/{attempt}/{do.word}" if do else None
            slots = self.slots[first : first + count]
            yield Reports(name, What(self.what[first]), slots, self.observed_at, attempt, do, command)
            first += count


def each(reports: Iterable[Reports | Bulk]) -> Iterator[Reports]:
    """Yield all reports in their order, those in bulk group by group."""
    for part in reports:
        if isinstance(part, Bulk):
            yield from part
        else:
            yield part


def joined(reports: Iterable[Reports | Bulk], now: int) -> Signals:
    r"""Return all reports as one event, in their order.

    >>> both = joined([Reports("eastus/web", What.HEALTHY, array("I", [3, 4]), observed_at=5)], now=7)
    >>> len(both), both.what, list(both.observed_at), both.now
    (2, b'\x00\x00', [5, 5], 7)
    """
    given = list(reports)
    alone = given[0] if len(given) == 1 else None
    if isinstance(alone, Reports):  # nearly always, where no two instances take equally long
        count = len(alone.slots)
        seen, answered = array("q", (alone.observed_at,)), array("I", (alone.attempt,))
        what, answers = _BYTES[alone.what], _BYTES[alone.answers]
        return Signals(alone.slots, what * count, seen * count, answered * count, answers * count, now)
    parts = [part if isinstance(part, Bulk) else _bulk(part) for part in given]
    observed_at = repeated([part.observed_at for part in parts], [len(part) for part in parts], "q")
    if len(parts) == 1:
        (part,) = parts
        return Signals(part.slots, part.what, observed_at, part.attempt, part.answers, now)
    return Signals(
        array("I", b"".join([part.slots for part in parts])),
        b"".join([part.what for part in parts]),
        observed_at,
        array("I", b"".join([part.attempt for part in parts])),
        b"".join([part.answers for part in parts]),
        now,
    )


def _bulk(part: Reports) -> Bulk:
    count = len(part.slots)
    what, attempt, answers = _BYTES[part.what], array("I", (part.attempt,)), _BYTES[part.answers]
    return Bulk((), array("i"), part.slots, what * count, attempt * count, answers * count, part.observed_at)
