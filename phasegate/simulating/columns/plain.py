"""The contents of `simulating.columns` in plain Python, written to be read; `fast.pyx` is the same, compiled."""

from __future__ import annotations

from array import array
from collections.abc import Mapping
from heapq import heappop, heappush
from typing import Final

from attrs import evolve

from phasegate.core import codes as c
from phasegate.core.events import What
from phasegate.core.lifecycle import Do, Life
from phasegate.core.traces import LENGTHS, records
from phasegate.simulating.chance import MASK, Draw, between, draw
from phasegate.simulating.reports import Bulk, Reports

IS_COMPILED: bool = False

_Entry = tuple[int, int, int, Reports | Bulk, int, int, int]  # due, number, push, base, slot, observed_at, what
Replies = tuple[int, "array[int]", "array[int]", bytes, "array[int]", bytes]
_REPLIES: Final[
    Mapping[int, tuple[int, What, Do]]
] = {  # by the state entered: which span, what is said, what it answers
    Life.REPLACING: (0, What.DISK_REPLACED, Do.REPLACE),
    Life.CONFIGURING: (1, What.CONFIGURED, Do.CONFIGURE),
    Life.VERIFYING: (2, What.HEALTHY, Do.NOTHING),
    Life.RESTORED: (2, What.HEALTHY, Do.NOTHING),
}
_ALL: Final = 255  # in the place of a `What`: the base itself is delivered, all of it


class Queue:
    """Reports that are on their way, a row each, or a group of them as one entry; by the time of their delivery.

    Rows that were pushed together, are due at the same time, and say the same as observed at the same time, are
    delivered as one group again.
    """

    def __init__(self) -> None:
        self._entries: list[_Entry] = []
        self._count = 0
        self._pushes = 0

    def __len__(self) -> int:
        return len(self._entries)

    def push(self, due: int, group: Reports | Bulk) -> None:
        """Put a group, or many in bulk, on their way."""
        self._pushes += 1
        heappush(self._entries, (due, self._count, self._pushes, group, 0, 0, _ALL))
        self._count += 1

    def push_rows(
        self, base: Reports, slots: array[int], due: array[int], observed_at: array[int], what: bytes
    ) -> None:
        """Put a row a slot on its way, each with its own time and content; all else is as in `base`."""
        self._pushes += 1
        for slot, row_due, row_observed, row_what in zip(slots, due, observed_at, what, strict=True):
            heappush(self._entries, (row_due, self._count, self._pushes, base, slot, row_observed, row_what))
            self._count += 1

    def next_time(self) -> int | None:
        """Return when the next one is delivered (ms UTC), None if none is on its way."""
        return self._entries[0][0] if self._entries else None

    def take(self, now: int) -> list[Reports | Bulk]:
        """Take what is delivered at `now` or before: by time, then in the order in which it was pushed."""
        taken: list[Reports | Bulk] = []
        while self._entries and self._entries[0][0] <= now:
            due, _, push, base, slot, observed_at, what = heappop(self._entries)
            if what == _ALL:
                taken.append(base)
                continue
            assert isinstance(base, Reports), "what comes in bulk is one entry"
            rows = {(observed_at, what): array("I", (slot,))}
            while self._entries and self._entries[0][0] == due and self._entries[0][2] == push:
                *_, slot, observed_at, what = heappop(self._entries)
                rows.setdefault((observed_at, what), array("I")).append(slot)
            taken += (
                evolve(base, what=What(what), slots=slots, observed_at=observed_at)
                for (observed_at, what), slots in rows.items()
            )
        return taken


def drawn(
    lucks: array[int],
    occasion: int,
    span: tuple[int, int],
    now: int,
    *,
    fails_below: int,
    late_below: int,
    late_at: int,
    twice_below: int,
    stray_ms: int,
) -> tuple[array[int], array[int], array[int], bytes]:
    """Return rows of reports, one or two for each luck: which one it is for, due, observed, and whether it failed.

    The step takes from `span[0]` to `span[1]` ms from `now` on, and fails by chance. A late one is delivered at
    `late_at` or up to `stray_ms` after it, a second one up to `stray_ms` after the first. Chances are numbers of 64-bit
    draws (`chance.threshold`).
    """
    at, due, observed_at, failed = array("I"), array("q"), array("q"), bytearray()
    occasion &= MASK
    for number, luck in enumerate(lucks):
        observed = delivered = now + between(*span, draw(luck, Draw.TIME, occasion))
        fails = draw(luck, Draw.FAILS, occasion) < fails_below
        if draw(luck, Draw.LATE, occasion) < late_below:
            delivered = max(observed, late_at + between(0, stray_ms, draw(luck, Draw.LATE_BY, occasion)))
        deliveries = [delivered]
        if draw(luck, Draw.TWICE, occasion) < twice_below:
            deliveries.append(delivered + between(0, stray_ms, draw(luck, Draw.TWICE_BY, occasion)))
        for delivery in deliveries:
            at.append(number)
            due.append(delivery)
            observed_at.append(observed)
            failed.append(fails)
    return at, due, observed_at, bytes(failed)


def replies(trace: array[int], moments: array[int], now: int, spans: tuple[int, int, int]) -> list[Replies]:
    """Return what instances answer of which a trace tells (`core.telling.Told`), if all of them do as they are told.

    `spans` is how long it takes (ms) to replace, to configure, and to become healthy. What is delivered at one time is
    one entry: when, then groups, slots, what, attempt and answers as `Bulk` has them.
    """
    found: dict[int, tuple[int, array[int], array[int], bytearray, array[int], bytearray]] = {}
    moment = 0
    for at, first, after in records(trace):
        operation, s, life, count = trace[at], trace[at + 1], trace[at + 2], after - first
        if operation in LENGTHS:
            continue
        rollout, attempt = moments[moment : moment + 2]
        moment += 3
        if operation != c.T_BECAME or life not in _REPLIES:
            continue
        span, what, do = _REPLIES[life]
        due = now + spans[span]
        _, groups, slots, said, attempts, answers = found.setdefault(
            due, (due, array("i"), array("I"), bytearray(), array("I"), bytearray())
        )
        groups.extend((s, rollout, count))
        slots.extend(array("I", trace[first:after].tobytes()))
        said += bytes((what,)) * count
        attempts.extend(array("I", (attempt if do else 0,)) * count)
        answers += bytes((do,)) * count
    return [
        (due, groups, slots, bytes(said), attempt, bytes(do))
        for due, groups, slots, said, attempt, do in found.values()
    ]


def arrived(trace: array[int]) -> int:
    """Return how many instances a trace says are through: upgraded, restored or failed."""
    through = (Life.UPGRADED, Life.RESTORED, Life.FAILED)
    return sum(
        after - first for at, first, after in records(trace) if trace[at] == c.T_BECAME and trace[at + 2] in through
    )


def set_at(column: bytearray, slots: array[int], values: bytes | bytearray) -> None:
    """Set the bytes of a column at the slots, lengthening it with zeros where it is too short."""
    column += bytes(max(0, max(slots, default=-1) + 1 - len(column)))
    for slot, value in zip(slots, values, strict=True):
        column[slot] = value
