"""When a batch may start: the instant that a stable hash picks, and weekly windows in local time (section 4)."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final
from zoneinfo import ZoneInfo

MINUTE: Final = 60_000
HOUR: Final = 60 * MINUTE
WEEK_MINUTES: Final = 7 * 24 * 60
_DAYS: Final = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FIRST_MONDAY: Final = 3 * 24 * 60  # 1970-01-01 was a Thursday: three days after a Monday

Window = dict[str, Any]


def stable(set_name: str, version: str, window_ms: int) -> int:
    """Return the offset inside a window: the same for the same set and version, spread over both ends inclusive."""
    digest = hashlib.sha256(f"{set_name}\n{version}".encode()).digest()
    return int.from_bytes(digest[:8], "big") % (window_ms + 1)


def first_instant(set_name: str, version: str, configured_at: int | None) -> int:
    """Return when a set's first rollout may begin: within 3 hours after it was configured."""
    return 0 if configured_at is None else configured_at + stable(set_name, version, 3 * HOUR)


def later_instant(set_name: str, version: str, available_at: int) -> int:
    """Return when a later rollout may begin: 30 to 60 minutes after the version became available to the set."""
    return available_at + HOUR // 2 + stable(set_name, version, HOUR // 2)


@cache
def _zone(name: str) -> ZoneInfo:
    return ZoneInfo(name)


def _offset_ms(t: int, window: Window) -> int:
    zone = window.get("timezone") or "UTC"
    if zone == "UTC":
        return 0
    there = datetime.fromtimestamp(t // 1000, UTC).astimezone(_zone(zone)).utcoffset()
    return 0 if there is None else int(there.total_seconds()) * 1000


def _minutes_in(t: int, window: Window) -> int:
    """Return how many whole minutes ago the window opened last."""
    hours, minutes = window["start"].split(":")
    start = _DAYS.index(window["day"]) * 1440 + int(hours) * 60 + int(minutes)
    local = (t + _offset_ms(t, window)) // MINUTE + _FIRST_MONDAY
    return (local - start) % WEEK_MINUTES


def is_open(windows: Sequence[Window], t: int) -> bool:
    """Tell whether a batch may start at `t`: no windows at all, or inside one (start inclusive, end exclusive).

    Where the clocks changed since the opening, it may be as long on the clock or in elapsed time: either will do.
    """
    return not windows or any(
        min(_minutes_in(t, window), _minutes_since(t, window)) < window["minutes"] for window in windows
    )


def _minutes_since(t: int, window: Window) -> int:
    """Return how many whole minutes have elapsed since the window opened last."""
    minutes = _minutes_in(t, window)
    opening = t - minutes * MINUTE
    return minutes - (_offset_ms(t, window) - _offset_ms(opening, window)) // MINUTE


def closed_between(windows: Sequence[Window], begin: int, end: int) -> bool:
    """Tell whether the windows were closed at some instant from `begin` to `end`, both included.

    Where the clocks changed in between the answer is "closed": whoever asks then gives up a claim rather than make a
    wrong one.
    """
    if not is_open(windows, begin) or not is_open(windows, end):
        return True
    for window in windows:
        if _offset_ms(begin, window) != _offset_ms(end, window):
            return True
        left = (window["minutes"] - _minutes_in(begin, window)) % WEEK_MINUTES
        closing = begin - (begin + _offset_ms(begin, window)) % MINUTE + left * MINUTE
        while closing <= end:
            if closing >= begin and not is_open(windows, closing):
                return True
            closing += WEEK_MINUTES * MINUTE
    return False
