"""When something falls due: the earliest of all armed timers, without looking at all of them.

A heap of (time, kind, of what) beside the state. An entry is only a hint: whether it holds is read from the columns
when it comes up, so disarming costs nothing. After another state is taken up the heap is made anew from the columns.
"""

from __future__ import annotations

from heapq import heappop, heappush
from typing import Protocol

from phasegate.core import codes as c
from phasegate.core.views import Views

Due = tuple[int, int, int]


class Earliest(Protocol):
    """What the timers ask a kernel."""

    def earliest(self, s: int, /) -> int:
        """Return when the first deadline of the set falls due, 0 for none."""
        ...


class Timers:
    """The armed timers of the state that the workspace holds."""

    def __init__(self, views: Views, kernel: Earliest, set_count: int, rollout_count: int) -> None:
        self.v = views
        self.kernel = kernel
        self.heap: list[Due] = []
        self.windows: list[Due] = []
        for s in range(set_count):
            if views.tally[s * c.TALLY + c.TALLY_FLIGHT]:
                self.arm(c.TIMER_DEADLINE, s)
            for kind in (c.TIMER_DELAY, c.TIMER_REST, c.TIMER_WINDOW):
                if self.time_of(kind, s):
                    self.arm(kind, s)
        for rollout in range(rollout_count):
            if self.time_of(c.TIMER_BAKE, rollout):
                self.arm(c.TIMER_BAKE, rollout)

    def arm(self, kind: int, of: int) -> None:
        """Note that a timer was armed; its time is read from the columns."""
        heappush(self.windows if kind == c.TIMER_WINDOW else self.heap, (self.time_of(kind, of), kind, of))

    def time_of(self, kind: int, of: int) -> int:
        """Return when that timer falls due, 0 if it is not armed, or stands still because its rollout is paused."""
        v = self.v
        if kind == c.TIMER_DEADLINE:
            return self.kernel.earliest(of)
        if kind == c.TIMER_BAKE:
            if not v.trait[of] & c.BAKING or v.trait[of] & c.PAUSED:
                return 0
            return int(v.dial[of * c.DIAL + c.DIAL_BAKED])
        clock = of * c.CLOCK
        if kind == c.TIMER_WINDOW:
            return int(v.clock[clock + c.CLOCK_WINDOW])
        if kind == c.TIMER_DELAY:
            return int(v.clock[clock + c.CLOCK_DELAY]) if v.mark[of] & c.DELAYED else 0
        if not v.mark[of] & c.RESTING or v.trait[v.link[of * c.LINK + c.LINK_ROLLOUT]] & c.PAUSED:
            return 0
        return int(v.clock[clock + c.CLOCK_REST])

    def next_time(self) -> int | None:
        """Return when the next timer falls due, None if none is armed."""
        times = [time for time in (self._first(self.heap), self._first(self.windows)) if time is not None]
        return min(times, default=None)

    def _first(self, heap: list[Due]) -> int | None:
        while heap:
            time, kind, of = heap[0]
            armed = self.time_of(kind, of)
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
