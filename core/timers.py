"""When something falls due: the earliest of all armed timers, without looking at all of them.

A heap of (time, kind, of what) beside the state. An entry is only a hint: whether it holds is read from the columns
when it comes up, so disarming costs nothing. After another state is taken up the heap is made anew from the columns.
"""

from __future__ import annotations

from heapq import heapify, heappop, heappush
from typing import Protocol

from phasegate.core import codes as c

Due = tuple[int, int, int]


class Clock(Protocol):
    """What the timers ask a kernel."""

    def time_of(self, kind: int, of: int, /) -> int:
        """Return when that timer falls due, 0 if it is not armed or stands still."""
        ...

    def armed(self, rollout_count: int, /) -> list[Due]:
        """Return every armed timer."""
        ...


class Timers:
    """The armed timers of the state that a kernel works on."""

    def __init__(self, kernel: Clock, rollout_count: int) -> None:
        self.kernel = kernel
        armed = kernel.armed(rollout_count)
        self.heap = [due for due in armed if due[1] != c.TIMER_WINDOW]
        self.windows = [due for due in armed if due[1] == c.TIMER_WINDOW]
        heapify(self.heap)
        heapify(self.windows)

    def arm(self, kind: int, of: int) -> None:
        """Note that a timer was armed; its time is read from the columns."""
        heappush(self.windows if kind == c.TIMER_WINDOW else self.heap, (self.kernel.time_of(kind, of), kind, of))

    def next_time(self) -> int | None:
        """Return when the next timer falls due, None if none is armed."""
        times = [time for time in (self._first(self.heap), self._first(self.windows)) if time is not None]
        return min(times, default=None)

    def _first(self, heap: list[Due]) -> int | None:
        while heap:
            time, kind, of = heap[0]
            armed = self.kernel.time_of(kind, of)
            if time and armed == time:
                return time
            heappop(heap)
            if kind == c.TIMER_DEADLINE and armed:
                # A set has many deadlines and entries for the earliest ones only: the next one takes the place of one
                # that was answered in time.
                heappush(heap, (armed, kind, of))
        return None

    def pop_due(self, before: int, now: int) -> list[Due]:
        """Take out and return what falls due before that time, and the windows that open or close until now.

        In order of time, kind and number, the windows last. A window is a fact about the clock, not a deadline that
        somebody may still be in time for: its end is exclusive (semantics 4).
        """
        due: list[Due] = []
        for heap, limit in ((self.heap, before), (self.windows, now + 1)):
            while (time := self._first(heap)) is not None and time < limit:
                found = heappop(heap)
                if not due or due[-1] != found:
                    due.append(found)
        return due
