"""When something falls due: the earliest of all armed timers, without looking at all of them; `timers.pyx` is the same.

A heap of (time, kind, of what) beside the state. An entry is only a hint: whether it holds is read from the columns
when it comes up, so disarming costs nothing. Of a set's deadlines there is one entry, which is never later than the
earliest of them; one that has been answered in time makes room for the next. After another state is taken up the heap
is made anew from the columns.
"""

from __future__ import annotations

from array import array
from heapq import heapify, heappop, heappush
from typing import Protocol

from phasegate.core import codes as c
from phasegate.core.lifecycle import Life
from phasegate.core.statics import Statics
from phasegate.core.traces import records
from phasegate.core.views import Views

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
    """The armed timers of the state that a kernel works on; `v` are its columns."""

    def __init__(self, kernel: Clock, v: Views, statics: Statics, rollout_count: int) -> None:
        self.kernel = kernel
        self.v = v
        self.step_timeout_ms, self.health_timeout_ms = statics.step_timeout_ms, statics.health_timeout_ms
        armed = kernel.armed(rollout_count)
        self.heap = [due for due in armed if due[1] != c.TIMER_WINDOW]
        self.windows = [due for due in armed if due[1] == c.TIMER_WINDOW]
        self.noted = {of: time for time, kind, of in armed if kind == c.TIMER_DEADLINE}  # the earliest entry of a set
        heapify(self.heap)
        heapify(self.windows)

    def arm(self, kind: int, of: int) -> None:
        """Note that a timer was armed; its time is read from the columns."""
        time = self.kernel.time_of(kind, of)
        if kind == c.TIMER_DEADLINE:
            self._note(time, of)
        else:
            heappush(self.windows if kind == c.TIMER_WINDOW else self.heap, (time, kind, of))

    def _note(self, time: int, s: int) -> None:
        """Note a deadline, unless an entry of the set comes up before it anyway."""
        noted = self.noted.get(s, 0)
        if time and (not noted or time < noted):
            self.noted[s] = time
            heappush(self.heap, (time, c.TIMER_DEADLINE, s))

    def follow(self, trace: array[int], now: int) -> tuple[array[int], list[int]]:
        """Arm what a trace says was armed; return what its facts need of this moment, and where the rare records begin.

        Three numbers for each record about instances: its set's rollout, attempt number and target, for a batch its
        rollout, cell and upgrade domain. Rare records tell more than that, or of no instances.
        """
        v = self.v
        moments, rare = array("i"), []
        for at, _, _ in records(trace):
            operation, of = trace[at], trace[at + 1]
            link = of * c.LINK
            match operation:
                case c.T_BECAME:
                    life = trace[at + 2]
                    moments.extend(
                        (v.link[link + c.LINK_ROLLOUT], v.link[link + c.LINK_ATTEMPT], v.link[link + c.LINK_TARGET])
                    )
                    if life in (Life.REPLACING, Life.CONFIGURING, Life.RESTORING):
                        self._note(now + self.step_timeout_ms, of)
                    elif life == Life.VERIFYING:
                        self._note(now + self.health_timeout_ms, of)
                    if life == Life.RESTORING:
                        rare.append(at)
                case c.T_STARTED:
                    site = trace[at + 2] * c.SITE
                    moments.extend(
                        (v.link[link + c.LINK_ROLLOUT], v.site[site + c.SITE_CELL], v.site[site + c.SITE_DOMAIN])
                    )
                    if v.option[of] & c.CROSS_ZONE:
                        rare.append(at)
                case c.T_IGNORED:
                    moments.extend((0, 0, 0))
                case c.T_ARMED:
                    self.arm(of, trace[at + 2])
                case _:
                    rare.append(at)
        return moments, rare

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
            self._take(heap)
            if kind == c.TIMER_DEADLINE:
                self._note(armed, of)
        return None

    def _take(self, heap: list[Due]) -> Due:
        found = heappop(heap)
        time, kind, of = found
        if kind == c.TIMER_DEADLINE and self.noted[of] == time:
            self.noted[of] = 0
        return found

    def pop_due(self, before: int, now: int) -> list[Due]:
        """Take out and return what falls due before that time, and the windows that open or close until now.

        In order of time, kind and number, the windows last. A window is a fact about the clock, not a deadline that
        somebody may still be in time for: its end is exclusive (semantics 4).
        """
        due: list[Due] = []
        for heap, limit in ((self.heap, before), (self.windows, now + 1)):
            while (time := self._first(heap)) is not None and time < limit:
                found = self._take(heap)
                if not due or due[-1] != found:
                    due.append(found)
        return due
