"""When a batch may start: weekly maintenance windows in local time, as integer arithmetic (semantics 4).

Rules. A window opens once a local week, at its day and time of day, and stays open for its length in elapsed time:
inclusive start, exclusive end. Clocks that are put forward or back move the opening only. An opening that the clock
jumps over comes as much later as the clock jumped; of an opening that the clock shows twice, the first counts. Both
are one rule: the offset *before* the change applies. Windows may overlap, touch, and run over the end of the week; a
set without windows is always open.

Theory. The opening of local week k is `MONDAY_MS + k weeks + start - offset`, and no offset is larger than a day, so
the openings of four weeks decide everything from now to a week from now. A run of windows without a gap is followed
week by week; where none of the zones changes its offset, one week is like the next and can be skipped, and after the
last change they are all alike. So a call costs O(w log w) for w windows, and a few rounds more for each change of
offset that windows without any gap live through.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from phasegate.core.model import MINUTES_A_WEEK, Window

MINUTE_MS: Final = 60_000
DAY_MS: Final = 1440 * MINUTE_MS
WEEK_MS: Final = MINUTES_A_WEEK * MINUTE_MS
MONDAY_MS: Final = -3 * DAY_MS  # 1970-01-01 was a Thursday


def is_open(windows: Sequence[Window], now: int) -> bool:
    """Return whether a batch may start at `now` (ms UTC): some window is open, or there is none.

    >>> window = Window(day="thu", start="02:00", minutes=300)
    >>> [is_open([window], hour * 3_600_000) for hour in (1, 2, 6, 7)]
    [False, True, True, False]
    """
    return not windows or any(opening <= now < end for opening, end in _spans(windows, now))


def next_opening(windows: Sequence[Window], now: int) -> int:
    """Return the first instant from `now` on (ms UTC) at which a batch may start: `now` itself if it may now.

    >>> next_opening([Window(day="thu", start="02:00", minutes=300)], now=0)
    7200000
    """
    if is_open(windows, now):
        return now
    return min(opening for opening, _ in _spans(windows, now) if opening > now)


def next_change(windows: Sequence[Window], now: int) -> int | None:
    """Return the first instant after `now` (ms UTC) at which `is_open` changes, or None if it never does.

    >>> window = Window(day="thu", start="02:00", minutes=300)
    >>> next_change([window], now=0), next_change([window], now=7_200_000), next_change([], now=0)
    (7200000, 25200000, None)
    """
    if not windows:
        return None
    if not is_open(windows, now):
        return next_opening(windows, now)
    at = now
    while True:
        end = _end_of_run(windows, at)
        if end < at + WEEK_MS:
            return end
        change = _next_offset_change(windows, at)
        if change is None:
            return None
        at += max(1, (change - at) // WEEK_MS) * WEEK_MS


def _end_of_run(windows: Sequence[Window], at: int) -> int:
    """Return where the windows that are open at `at` leave off; what lies a week or more ahead may be too early."""
    end = at
    for opening, closing in _spans(windows, at):
        if opening > end:
            break
        end = max(end, closing)
    return end


def _next_offset_change(windows: Sequence[Window], at: int) -> int | None:
    """Return the first change of any zone's offset, from so long before `at` on that what is open then may feel it."""
    since = at - 2 * WEEK_MS  # open for a week at most, and a day at most behind a change that it was moved over
    return min((start for window in windows for start, _ in window.offsets[1:] if start > since), default=None)


def _spans(windows: Sequence[Window], now: int) -> list[tuple[int, int]]:
    """Return (opening, end) of every window, by opening: all that are open at `now` or open within a week after it."""
    spans = []
    for window in windows:
        start = MONDAY_MS + window.start_minute * MINUTE_MS
        week = (now - start) // WEEK_MS
        for k in range(week - 1, week + 3):
            opening = _utc(start + k * WEEK_MS, window.offsets)
            spans.append((opening, opening + window.minutes * MINUTE_MS))
    spans.sort()
    return spans


def _utc(local: int, offsets: Sequence[tuple[int, int]]) -> int:
    """Return the instant at which local clocks first show `local`, or would if they were not put forward over it."""
    if not offsets:
        return local

    def over(at: int) -> int:
        """Return the local time from which on change `at` is over by the clock before it and by the one after."""
        return offsets[at][0] + max(offsets[at - 1][1], offsets[at][1]) * MINUTE_MS

    changes = bisect_right(range(1, len(offsets)), local, key=over)
    return local - offsets[changes][1] * MINUTE_MS
